"""Whether a call fits the tools of its row: the function, its arguments, their types."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from coalm.corpora.own.faults import kind
from coalm.types import ToolCall, ToolSpec


def misfits(call: ToolCall, tools: Sequence[ToolSpec]) -> Iterator[str]:
    """Everything that does not fit, a sentence each."""
    known = next((t for t in tools if t.name == call.name), None)
    if known is None:
        names = [t.name for t in tools]
        yield f"calls {call.name!r}, which no tool of the row is called{_near(call.name, names)}"
        return
    open_ended = known.parameters.get("additionalProperties") not in (None, False)
    for name, value in call.arguments.items():
        if name in known.properties:
            for why in unlike(value, known.properties[name]):
                yield f"{call.name}: argument {name!r}{why}"
        elif not open_ended:
            near = _near(name, list(known.properties))
            yield f"{call.name}: has no parameter {name!r}{near}"
    for name in known.required:
        if name not in call.arguments:
            yield f"{call.name}: lacks the required argument {name!r}"


def unlike(value: object, schema: object) -> Iterator[str]:
    """Why a value is not of a JSON Schema: types, choices, items, properties.

    What the check does not know (references, formats, bounds) it lets pass.
    """
    if not isinstance(schema, Mapping):
        return
    for word in ("anyOf", "oneOf"):
        choices = schema.get(word)
        if isinstance(choices, list) and not any(not [*unlike(value, c)] for c in choices):
            yield f" is {_short(value)}, which none of its schemas allows"
            return
    wanted = schema.get("type")
    types = wanted if isinstance(wanted, list) else [wanted] if isinstance(wanted, str) else []
    if types and not any(_is(value, t) for t in types):
        if not (value is None and schema.get("nullable") is True):
            yield f" is {kind(value)} ({_short(value)}), not {' or '.join(map(str, types))}"
        return
    allowed = schema.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        yield f" is {_short(value)}, not one of {_short(allowed)}"
    items, inner = schema.get("items"), schema.get("properties")
    if isinstance(value, list) and isinstance(items, Mapping):
        for number, one in enumerate(value):
            yield from (f"[{number}]{why}" for why in unlike(one, items))
    if isinstance(value, dict) and isinstance(inner, Mapping):
        needed = schema.get("required")
        for name in needed if isinstance(needed, list) else []:
            if name not in value:
                yield f" lacks {name!r}"
        for name, one in value.items():
            if name in inner:
                yield from (f".{name}{why}" for why in unlike(one, inner[name]))


def _is(value: object, name: object) -> bool:
    """Whether a value is of a type of JSON Schema; a type nobody knows allows all."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "string":
            return isinstance(value, str)
        case "integer":
            return number and (isinstance(value, int) or float(str(value)).is_integer())
        case "number":
            return number
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
        case _:
            return True


def _near(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."
