"""Arguments that a model gave, held against a JSON Schema, with what it may be forgiven."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from coalm.agent.functions import Refused
from coalm.types import Json, ToolSpec


def checked(spec: ToolSpec, arguments: Mapping[str, object]) -> dict[str, Any]:
    """The arguments with numbers and truth values out of texts; `Refused` says what is wrong."""
    import jsonschema

    properties = spec.properties
    for name in arguments:
        if name not in properties:
            close = get_close_matches(name, list(properties), n=1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            raise Refused(f"no parameter {name!r}{hint} (there are {', '.join(properties)})")
    for name in spec.required:
        if name not in arguments:
            raise Refused(f"{name}: this argument is needed")
    given = {name: _coerced(value, properties[name]) for name, value in arguments.items()}
    for name, value in given.items():
        schema = properties[name]
        if not isinstance(schema, dict):
            continue
        error = jsonschema.exceptions.best_match(
            jsonschema.Draft202012Validator(schema).iter_errors(value)
        )
        if error is not None:
            where = ".".join([name, *map(str, error.absolute_path)])
            raise Refused(f"{where}: {error.message[:200]}")
    return given


def _coerced(value: object, schema: Json) -> object:
    """`"3"` as 3 where a number is wanted, and a number as text where that is wanted."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    match kind, value:
        case "integer", str():
            return _number(value, int)
        case "number", str():
            return _number(value, float)
        case "integer", float() if value.is_integer():
            return int(value)
        case "boolean", str() if value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        case "string", bool():
            return str(value).lower()
        case "string", int() | float():
            return str(value)
        case _:
            return value


def _number(text: str, kind: type[int] | type[float]) -> object:
    try:
        return kind(text.strip())
    except ValueError:
        return text
