"""Tools as the corpora write them, three ways, turned into one.

xLAM and Hammer map names to `{"description", "type", "default"}` with Python's type
names; Glaive wraps a JSON Schema as OpenAI does; ToolACE has a JSON Schema whose object
type is called `dict`. All become a `ToolSpec` with a JSON Schema.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from coalm.corpora.records import field
from coalm.types import Json, ToolCall, ToolSpec

_KINDS = {
    "str": "string",
    "string": "string",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "double": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "list": "array",
    "array": "array",
    "tuple": "array",
    "set": "array",
    "dict": "object",
    "object": "object",
}
_GENERIC = re.compile(r"(\w+)\[(.*)\]$", re.DOTALL)
_OBJECTS = frozenset({"object", "dict"})


def tool(row: Mapping[str, Any]) -> ToolSpec:
    """A tool in any of the three layouts; a `KeyError` or `TypeError` where it is none."""
    inner = row.get("function")
    if isinstance(inner, Mapping):
        row = inner
    given = row.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise TypeError(f"the parameters of {row.get('name')!r} are no object")
    if isinstance(given.get("properties"), Mapping) and given.get("type", "object") in _OBJECTS:
        flat, required = given["properties"], given.get("required")
    else:
        flat, required = given, row.get("required")
    properties: dict[str, Json] = {str(name): _parameter(p) for name, p in flat.items()}
    if not isinstance(required, list):
        required = [name for name, p in flat.items() if _needed(p)]
    needed: list[Json] = [str(name) for name in required if name in properties]
    return ToolSpec(
        field(row, "name", str),
        str(row.get("description") or ""),
        {"type": "object", "properties": properties, "required": needed},
    )


def _needed(parameter: object) -> bool:
    """Whether a flat parameter must be given: no default, and no `optional` in its type."""
    if not isinstance(parameter, Mapping):
        return False
    # ToolRL writes an empty default for every parameter that has none.
    return (
        parameter.get("default") in (None, "")
        and "optional" not in str(parameter.get("type")).lower()
    )


def _parameter(given: object) -> Json:
    """One parameter as JSON Schema; only what a model is shown of it is kept."""
    if not isinstance(given, Mapping):
        return {}
    schema = _kind(given.get("type"))
    items, properties = given.get("items"), given.get("properties")
    if isinstance(items, Mapping):
        schema["items"] = _parameter(items)
    if isinstance(properties, Mapping):
        schema["properties"] = {str(name): _parameter(p) for name, p in properties.items()}
    said = given.get("description")
    if said:
        schema["description"] = str(said)
    if isinstance(given.get("enum"), list):
        schema["enum"] = given["enum"]
    if given.get("default") not in (None, ""):
        schema["default"] = given["default"]
    return schema


def _kind(written: object) -> dict[str, Json]:
    """`List[int]`, `str, optional`, `['string', 'null']` ... as JSON Schema; {} if unknown."""
    if isinstance(written, list):
        written = next((kind for kind in written if kind != "null"), "")
    text = re.sub(r",?\s*optional$", "", str(written or "").strip(), flags=re.IGNORECASE)
    generic = _GENERIC.match(text)
    outer, inner = (generic.group(1), generic.group(2)) if generic else (text, "")
    if outer.lower() == "optional" and inner:
        return _kind(inner)
    kind = _KINDS.get(outer.lower())
    if kind is None:
        return {}
    schema: dict[str, Json] = {"type": kind}
    if kind == "array" and (items := _kind(inner.split(",")[0] if "[" not in inner else inner)):
        schema["items"] = items
    return schema


def misfit(call: ToolCall, tools: Iterable[ToolSpec]) -> str:
    """Why a call does not fit the tools, or nothing where it does."""
    known = next((t for t in tools if t.name == call.name), None)
    if known is None:
        return "a call of a tool that is not listed"
    if set(call.arguments) - set(known.properties):
        return "an argument that the tool does not have"
    if set(known.required) - set(call.arguments):
        return "a call without a required argument"
    return ""


def unique(tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools without those whose name came before."""
    return tuple({t.name: t for t in reversed(tuple(tools))}.values())[::-1]


def relaxed(tools: Sequence[ToolSpec], calls: Sequence[ToolCall]) -> tuple[ToolSpec, ...]:
    """The tools, requiring only what every gold call of them gives.

    A flat layout does not say what is required; a default is the one hint it has.
    """
    return tuple(_relaxed(t, [c for c in calls if c.name == t.name]) for t in tools)


def _relaxed(spec: ToolSpec, calls: Sequence[ToolCall]) -> ToolSpec:
    needed: list[Json] = [n for n in spec.required if all(n in c.arguments for c in calls)]
    return replace(spec, parameters={**spec.parameters, "required": needed})
