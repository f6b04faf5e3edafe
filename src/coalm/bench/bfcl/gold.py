"""The right calls of a case, in one of their spellings."""

from collections.abc import Mapping, Sequence
from typing import Any

from coalm.bench.bfcl import java, javascript
from coalm.bench.bfcl.data import Case
from coalm.bench.bfcl.executable import right_calls
from coalm.types import Json, ToolCall


def gold_calls(case: Case) -> tuple[ToolCall, ...]:
    """Calls that are right; none where no call is due, any where any will do."""
    match case.category.wants:
        case "no call":
            return ()
        case "any call":
            return (ToolCall(case.functions[0]["name"], {}),)
        case "these results":
            return tuple(ToolCall(c.name, _json(c.arguments)) for c in right_calls(case))
        case _:
            return tuple(
                _spelled(case, ToolCall(name, _first(accepted, _needed(case, name))))
                for one in case.wanted
                for name, accepted in one.items()
            )


def _spelled(case: Case, call: ToolCall) -> ToolCall:
    """The call with its values as source text where the functions are Java or JavaScript."""
    language = case.category.language
    if language == "python":
        return call
    write = java.write if language == "java" else javascript.write
    function = next(f for f in case.functions if f["name"] == call.name)
    schemas = function["parameters"]["properties"]
    arguments: dict[str, Json] = {
        name: write(value, schemas[name]["type"], schemas[name].get("items", {}).get("type", ""))
        for name, value in call.arguments.items()
    }
    return ToolCall(call.name, arguments)


def _needed(case: Case, name: str) -> Sequence[str]:
    return next((tool.required for tool in case.tools if tool.name == name), ())


def _first(accepted: Mapping[str, Any], needed: Sequence[str] = ()) -> dict[str, Json]:
    """For each argument its first accepted value; left out where it may be and is not needed."""
    found = {}
    for name, values in accepted.items():
        given = [value for value in values if value != ""] or (values if name in needed else [])
        if given and (name in needed or "" not in values):
            found[name] = _value(given[0])
    return found


def _value(value: Any) -> Json:
    """An accepted value as a model would write it; each key of a dict lists its own."""
    match value:
        case dict() if all(isinstance(values, list) for values in value.values()):
            return _first(value)
        case dict() if any(isinstance(values, str) for values in value.values()):
            # Of a bare text the checker takes the letters for accepted values; one of
            # them is "", as it were, so that the key may be left out and not given.
            return {k: _value(v) for k, v in value.items() if not isinstance(v, str)}
        case list():
            return [_value(item) for item in value]
        case _:
            plain: Json = value
            return plain


def _json(value: Any) -> Any:
    """A value with lists for tuples, at every depth."""
    match value:
        case dict():
            return {k: _json(v) for k, v in value.items()}
        case list() | tuple():
            return [_json(v) for v in value]
        case _:
            return value
