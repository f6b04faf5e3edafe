"""Tools as people write them: OpenAI's wrapper, a bare JSON Schema, or the flat layouts."""

from collections.abc import Mapping
from typing import Any

from coalm.corpora import schemas
from coalm.corpora.own.faults import Faults, listed, mapping, parsed, text
from coalm.types import ToolSpec


def tools(given: object, faults: Faults, what: str = "tools") -> tuple[ToolSpec, ...]:
    """The tools of a row, from a list or from a string that holds one."""
    found: list[ToolSpec] = []
    with faults.at(what):
        for number, one in enumerate(listed(parsed(given or [], "the list"), "it")):
            with faults.at(f"{what}[{number}]"):
                found.append(_tool(mapping(parsed(one, "it"), "it")))
    names = [spec.name for spec in found]
    for name in sorted({n for n in names if names.count(n) > 1}):
        faults.add(what, f"{name!r} is listed {names.count(name)} times")
    return tuple(found)


def _tool(row: Mapping[str, Any]) -> ToolSpec:
    """A JSON Schema is kept word for word; other layouts become one."""
    inner = mapping(row["function"], "function") if "function" in row else row
    name = text(inner["name"], "name")
    if not name.strip():
        raise ValueError("its name is empty")
    given = inner.get("parameters")
    if not given:
        given = {"type": "object", "properties": {}, "required": []}
    given = mapping(parsed(given, "parameters"), "parameters")
    properties = given.get("properties")
    if given.get("type") == "object" and isinstance(properties, dict):
        for parameter, schema in properties.items():
            mapping(schema, f"the schema of parameter {parameter!r}")
        needed = listed(given.get("required") or [], "required")
        for parameter in needed:
            if parameter not in properties:
                raise ValueError(f"requires {parameter!r}, which it does not have")
        return ToolSpec(name, text(inner.get("description"), "description"), given)
    return schemas.tool(dict(inner) | {"parameters": given})
