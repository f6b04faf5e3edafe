"""ShareGPT's layout: `conversations` of `from` and `value`, with tools in the ways in use.

Glaive and LLaMA-Factory give a call a message of its own (`function_call`) and the tools as a
JSON string in `tools`; ms-swift does so too, under `role` and `content`; ToolACE writes
calls as `[f(a=1), g(b="x")]` in the assistant's words and lists the tools inside the
system text.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from coalm.corpora.bracketed import bracketed
from coalm.corpora.own.chat import called
from coalm.corpora.own.faults import Faults, kind, listed, mapping, parsed, text
from coalm.corpora.own.thoughts import apart
from coalm.corpora.own.tools import tools
from coalm.store import compact
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, ToolSpec, Turn, User

SIDES: Mapping[str, str] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "function_call": "call",
    "function-call": "call",
    "tool_call": "call",
    "observation": "result",
    "tool": "result",
    "tool_response": "result",
    "function_response": "result",
    "function-response": "result",
    "ipython": "result",
}
"""Who speaks, by the names that are in use."""

_LIST = re.compile(r"\[\s*\{")


def dialogue(row: Mapping[str, Any], faults: Faults, key: str) -> tuple[Dialogue, list[str]]:
    """The conversation of a row whose messages are in `key`, and where each turn stands."""
    messages: list[Any] = []
    with faults.at(key):
        messages = listed(parsed(row[key], "it"), "it")
    system, first = "", 0
    with faults.at("system"):
        system = text(row.get("system"), "it")
    if messages and isinstance(messages[0], dict) and _said(messages[0])[0] == "system":
        with faults.at(f"{key}[0]"):
            own = text(_said(messages[0])[1], "value")
            system, first = f"{system}\n{own}" if system else own, 1
    specs = tools(row.get("tools"), faults)
    if not specs and (inside := _inside(system)) is not None:
        # ToolACE's system text also says how calls are written, which the format decides here.
        specs, system = tools(inside, faults, "tools in the system text"), ""
    turns: list[Turn] = [System(system)] if system else []
    places = ["system" if row.get("system") else f"{key}[0]"] * len(turns)
    for number, message in enumerate(messages[first:], first):
        with faults.at(f"{key}[{number}]"):
            _say(turns, mapping(message, "it"), specs)
            places += [f"{key}[{number}]"] * (len(turns) - len(places))
    return Dialogue(tuple(turns), specs), places


def _said(message: Mapping[str, Any]) -> tuple[object, object]:
    """Who speaks and what; `role` and `content` are the same by other names."""
    if "from" in message or "role" not in message:
        return message.get("from"), message.get("value")
    return message["role"], message.get("content")


def _say(turns: list[Turn], message: Mapping[str, Any], specs: tuple[ToolSpec, ...]) -> None:
    """Add what one message says; a call belongs to the words right before it."""
    side, value = _said(message)
    if side is None or value is None:
        names = ("role", "content") if "role" in message else ("from", "value")
        raise KeyError(names[0] if side is None else names[1])
    if not isinstance(side, str):
        raise TypeError(f"from is {kind(side)}, not a string")
    last = turns[-1] if turns else None
    match SIDES.get(side):
        case "system":
            turns.append(System(text(value, "value")))
        case "user":
            turns.append(User(text(value, "value")))
        case "assistant":
            thought, said = apart(text(value, "value"))
            calls = bracketed(said.strip(), [spec.name for spec in specs])
            turns.append(Assistant("" if calls else said, thought, calls))
        case "call":
            thought, rest = apart(value) if isinstance(value, str) else ("", value)
            calls = _calls(rest)
            if isinstance(last, Assistant) and not last.calls:
                turns[-1] = Assistant(last.text, last.thought or thought, calls)
            elif isinstance(last, Assistant):
                turns[-1] = Assistant(last.text, last.thought, (*last.calls, *calls))
            else:
                turns.append(Assistant("", thought, calls))
        case "result":
            said = value if isinstance(value, str) else compact(value)
            turns.append(Observation(said, _answered(turns)))
        case _:
            sides = ", ".join(sorted(set(SIDES)))
            raise ValueError(f"from {side!r} is nobody that is known ({sides})")


def _calls(value: object) -> tuple[ToolCall, ...]:
    """One call or a list of them, as an object or a string that holds one."""
    found = parsed(value, "the call")
    rows = found if isinstance(found, list) else [found]
    return tuple(called(mapping(row, "the call"), "the call") for row in rows)


def _answered(turns: list[Turn]) -> str:
    """The tool that the next result is of: results come in the order of the calls."""
    results = 0
    for turn in reversed(turns):
        if isinstance(turn, Observation):
            results += 1
            continue
        if isinstance(turn, Assistant) and results < len(turn.calls):
            return turn.calls[results].name
        break
    return ""


def _inside(system: str) -> list[Any] | None:
    """The first JSON list of objects with a name inside a system text, if there is one."""
    decoder = json.JSONDecoder()
    for place in _LIST.finditer(system):
        try:
            found, _ = decoder.raw_decode(system, place.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list) and all(isinstance(t, dict) and "name" in t for t in found):
            return found
    return None
