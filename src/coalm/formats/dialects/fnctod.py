"""`<function_call>{"function": ..., "arguments": {...}}</function_call>`, then words.

The way of FnCTOD (Li and others 2024), a baseline of the paper (Paper 5): the call comes
first, as the state that the answer rests on. FnCTOD has one a turn; here there may be several.

Deviation D122: instructions in our own words, and a thought before the calls.
"""

import json
import re
from dataclasses import dataclass

from coalm.formats.dialects.base import take_thought, write_thought
from coalm.formats.dialects.json_calls import read_json_calls
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Json, Observation, ToolCall, ToolSpec

OPEN, CLOSE = "<function_call>", "</function_call>"
BLOCK = re.compile(r"\s*<function_call>(.*?)</function_call>", re.DOTALL)
"""A call with its tags."""


@dataclass(frozen=True, slots=True)
class FnCTOD:
    """A block for each call, and words after the last one."""

    name: str = "fnctod"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """The functions as JSON between tags, then how to call them."""
        shown = "\n".join(
            f"<FUNCTION>\n{json.dumps(_described(tool), ensure_ascii=False)}\n</FUNCTION>"
            for tool in tools
        )
        return (
            "The functions below can be called for the user.\n"
            f"<FUNCTIONS>\n{shown}\n</FUNCTIONS>\n\n"
            "Before you answer, call what the request needs, with all that the user has said so "
            "far as arguments, each call in its own tags:\n"
            f'{OPEN}{{"function": "name", "arguments": {{"argument": "value"}}}}{CLOSE}\n'
            "Without a fitting function, answer in words alone."
        )

    def write(self, turn: Assistant) -> str:
        """Thought, calls, words, in this order."""
        blocks = [
            OPEN
            + json.dumps({"function": c.name, "arguments": c.arguments}, ensure_ascii=False)
            + CLOSE
            for c in turn.calls
        ]
        said = [turn.text] if turn.text else []
        return write_thought(turn.thought) + "\n".join([*blocks, *said])

    def read(self, text: str) -> Assistant | Malformed:
        """Blocks first, then words that hold no further block."""
        thought, rest = take_thought(text)
        calls: list[ToolCall] = []
        place = 0
        while found := BLOCK.match(rest, place):
            one = _call(found.group(1).strip())
            if one is None:
                return Malformed(text, f"a {OPEN} that holds no call")
            calls.append(one)
            place = found.end()
        said = rest[place:]
        if OPEN in said:
            return Malformed(text, f"a {OPEN} that is not closed, or after words")
        if calls:
            said = said.removeprefix("\n") if said.strip() else ""
        return Assistant(said, thought, tuple(calls))

    def observed(self, turn: Observation) -> str:
        """The function's answer as it is."""
        return turn.text


def _call(text: str) -> ToolCall | None:
    """A call whose name stands under `function`, or, as elsewhere, under `name`."""
    found = read_json_calls(text, named="function") or read_json_calls(text)
    return found[0] if found and len(found) == 1 and text.startswith("{") else None


def _described(tool: ToolSpec) -> dict[str, object]:
    """A tool as FnCTOD lists it: its arguments one by one, their values if they are closed."""
    found: dict[str, object] = {
        "name": tool.name,
        "description": tool.description,
        "arguments": [_argument(name, schema) for name, schema in tool.properties.items()],
    }
    return found | ({"required": list(tool.required)} if tool.required else {})


def _argument(name: str, schema: Json) -> dict[str, Json]:
    known = dict(schema) if isinstance(schema, dict) else {}
    values = known.pop("enum", None)
    return {"name": name, **known} | ({} if values is None else {"possible_values": values})
