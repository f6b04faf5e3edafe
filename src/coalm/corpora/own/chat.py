"""OpenAI's chat layout with tools: `messages` and `tools`, as its fine-tuning files have them."""

from collections.abc import Mapping
from typing import Any

from coalm.corpora.own.faults import Faults, kind, listed, mapping, parsed, text
from coalm.corpora.own.thoughts import apart
from coalm.corpora.own.tools import tools
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, Turn, User

_THOUGHTS = ("reasoning_content", "reasoning", "thought", "thinking")
"""How the field is called in which servers and data sets put a thought beside the answer."""


def dialogue(row: Mapping[str, Any], faults: Faults, key: str) -> tuple[Dialogue, list[str]]:
    """The conversation of a row whose messages are in `key`, and where each turn stands."""
    specs = tools(row.get("tools") or row.get("functions"), faults)
    turns: list[Turn] = []
    names: dict[str, str] = {}
    waiting: list[str] = []
    with faults.at(key):
        for number, message in enumerate(listed(parsed(row[key], "it"), "it")):
            place = f"{key}[{number}]"
            with faults.at(place):
                turn = _turn(mapping(message, "it"), names, waiting)
                turns.append(turn)
                if isinstance(turn, Assistant):
                    waiting[:] = [call.name for call in turn.calls]
    return Dialogue(tuple(turns), specs), [f"{key}[{n}]" for n in range(len(turns))]


def _turn(message: Mapping[str, Any], names: dict[str, str], waiting: list[str]) -> Turn:
    """One message; `names` grows by the ids of its calls, `waiting` loses what is answered."""
    role = message["role"]
    match role:
        case "system" | "developer":
            return System(_content(message.get("content")))
        case "user":
            return User(_content(message["content"]))
        case "assistant":
            return _assistant(message, names)
        case "tool" | "function":
            said = _content(message["content"])
            called = waiting.pop(0) if waiting else ""
            given = message.get("tool_call_id")
            if given is not None:
                if given not in names:
                    raise ValueError(f"answers the call {given!r}, which nobody made")
                called = names[given]
            return Observation(said, text(message.get("name"), "name") or called)
        case str():
            raise ValueError(
                f"the role {role!r} is none of system, developer, user, assistant, tool"
            )
        case _:
            raise TypeError(f"role is {kind(role)}, not a string")


def _assistant(message: Mapping[str, Any], names: dict[str, str]) -> Assistant:
    if message.get("weight") == 0:
        raise ValueError("weight 0 is not possible here: every assistant turn is learned")
    inner, said = apart(_content(message.get("content")))
    thought = next((text(message[t], t) for t in _THOUGHTS if message.get(t)), inner)
    given = message.get("tool_calls")
    calls: list[ToolCall] = []
    for number, one in enumerate(listed(given if given is not None else [], "tool_calls")):
        what = f"tool_calls[{number}]"
        row = mapping(one, what)
        calls.append(called(mapping(row.get("function", row), f"{what}.function"), what))
        if row.get("id") is not None:
            names[str(row["id"])] = calls[-1].name
    legacy = message.get("function_call")
    if legacy is not None:
        calls.append(called(mapping(legacy, "function_call"), "function_call"))
    return Assistant(said, thought, tuple(calls))


def called(row: Mapping[str, Any], what: str) -> ToolCall:
    """A call; its arguments may be an object or a string that holds one."""
    if "name" not in row:
        raise ValueError(f"{what} lacks 'name'")
    given = row.get("arguments", row.get("parameters"))
    if given is None or given == "":
        given = {}
    found = parsed(given, f"{what}: arguments")
    return ToolCall(text(row["name"], f"{what}: name"), mapping(found, f"{what}: arguments"))


def _content(given: object) -> str:
    """What is said: a string, or a list of parts of text."""
    if not isinstance(given, list):
        return text(given, "content")
    said = []
    for part in given:
        row = mapping(part, "a part of content")
        if row.get("type") not in {"text", "input_text", "output_text"}:
            raise ValueError(f"a part of content is {row.get('type')!r}; only text can be learned")
        said.append(text(row.get("text"), "text"))
    return "".join(said)
