"""Arguments that a model gave, held against a JSON Schema, with what it may be forgiven."""

import json
import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from coalm.agent.functions import Refused
from coalm.errors import MissingExtra
from coalm.types import Json, ToolSpec

try:
    import jsonschema
except ImportError:
    raise MissingExtra("serve", "checking what a model gives a tool") from None


def checked(spec: ToolSpec, arguments: Mapping[str, object]) -> dict[str, Any]:
    """The arguments with numbers and truth values out of texts; `Refused` says what is wrong.

    A null stands for "not given" wherever the schema does not know it.
    """
    properties = spec.properties
    for name in arguments:
        if name not in properties:
            close = get_close_matches(name, list(properties), n=1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            known = f"there are {', '.join(properties)}" if properties else "there are none"
            raise Refused(f"no parameter {name[:60]!r}{hint} ({known})")
    given = {
        name: _coerced(value, properties[name])
        for name, value in arguments.items()
        if value is not None or _takes_null(properties[name])
    }
    for name in spec.required:
        if name not in given:
            raise Refused(f"{name}: this argument is needed")
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


def _kinds(schema: Json) -> tuple[str, ...]:
    kind = schema.get("type") if isinstance(schema, dict) else None
    return tuple(str(one) for one in kind) if isinstance(kind, list) else (str(kind),)


def _takes_null(schema: Json) -> bool:
    if not isinstance(schema, dict):
        return False
    choices = schema.get("enum")
    said = isinstance(choices, list) and None in choices
    return said or "null" in _kinds(schema) or any(key in schema for key in ("anyOf", "oneOf"))


def _coerced(value: object, schema: Json) -> object:
    """`"3"` as 3 where a number is wanted, a number as text where that is wanted, and so on."""
    kinds = _kinds(schema)
    if isinstance(value, str) and "string" not in kinds:
        for kind in kinds:
            found = _read(value, kind)
            if found is not value:
                return found
    match value:
        case float() if "integer" in kinds and value.is_integer():
            return int(value)
        case bool() if kinds == ("string",):
            value = str(value).lower()
        case int() | float() if not isinstance(value, bool) and kinds[0] == "string":
            value = str(value)
        case _:
            pass
    choices = schema.get("enum") if isinstance(schema, dict) else None
    if isinstance(value, str) and isinstance(choices, list) and value not in choices:
        same = [one for one in choices if isinstance(one, str) and folded(one) == folded(value)]
        return same[0] if len(same) == 1 else value
    return value


def folded(text: str) -> str:
    """A text as it is compared: without case, and with accents written one way."""
    import unicodedata

    return unicodedata.normalize("NFC", text).casefold().strip()


def _read(text: str, kind: str) -> object:
    """What a text says, read as that kind; the text itself if it says nothing of the kind."""
    bare = text.strip()
    try:
        match kind:
            case "integer":
                return int(bare)
            case "number":
                number = float(bare)
                return number if math.isfinite(number) else text
            case "boolean" if bare.lower() in ("true", "false"):
                return bare.lower() == "true"
            case "array" | "object" if bare[:1] in ("[", "{"):
                return json.loads(bare)
            case _:
                return text
    except (ValueError, RecursionError):
        return text
