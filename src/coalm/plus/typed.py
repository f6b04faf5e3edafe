"""SGD's values with their types: `True` is a boolean, `2` of a closed list a number.

SGD writes everything as text. BFCL checks types, so a model that learns only text fails.
"""

from collections.abc import Mapping
from dataclasses import replace

from coalm.types import Assistant, Dialogue, Json, ToolCall, ToolSpec, Turn

_TRUTH: Mapping[str, bool] = {"True": True, "False": False}


def typed(dialogue: Dialogue) -> Dialogue:
    """The dialogue whose tools and calls have booleans and integers where the lists allow it."""
    kinds = {tool.name: _kinds(tool) for tool in dialogue.tools}
    return Dialogue(
        tuple(_turn(turn, kinds) for turn in dialogue.turns),
        tuple(_tool(tool, kinds[tool.name]) for tool in dialogue.tools),
    )


def _kinds(tool: ToolSpec) -> dict[str, str]:
    found = {}
    for name, schema in tool.properties.items():
        values = schema.get("enum") if isinstance(schema, dict) else None
        if not isinstance(values, list) or not values:
            continue
        if {str(v) for v in values} <= set(_TRUTH):
            found[name] = "boolean"
        elif all(str(v).isdecimal() for v in values):
            found[name] = "integer"
    return found


def _tool(tool: ToolSpec, kinds: Mapping[str, str]) -> ToolSpec:
    properties: dict[str, Json] = {}
    for name, schema in tool.properties.items():
        kind = kinds.get(name)
        if kind is None or not isinstance(schema, dict):
            properties[name] = schema
            continue
        kept: dict[str, Json] = {k: v for k, v in schema.items() if k not in {"enum", "default"}}
        kept["type"] = kind
        values = schema.get("enum")
        if kind == "integer" and isinstance(values, list):
            kept["enum"] = [_value(v, kind) for v in values]
        if "default" in schema:
            kept["default"] = _value(schema["default"], kind)
        properties[name] = kept
    return replace(tool, parameters={**tool.parameters, "properties": properties})


def _turn(turn: Turn, kinds: Mapping[str, Mapping[str, str]]) -> Turn:
    if not isinstance(turn, Assistant):
        return turn
    calls = tuple(
        ToolCall(
            call.name,
            {k: _value(v, kinds.get(call.name, {}).get(k, "")) for k, v in call.arguments.items()},
        )
        for call in turn.calls
    )
    return replace(turn, calls=calls)


def _value(value: Json, kind: str) -> Json:
    """The value in its type; one that is none of it, such as `dontcare`, stays text."""
    text = str(value)
    if kind == "boolean":
        return _TRUTH.get(text, value)
    if kind == "integer" and text.isdecimal():
        return int(text)
    return value
