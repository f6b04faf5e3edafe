"""A fenced JSON list of calls: the way of the Hammer models (Hammer; API-Bank's Hammer rows).

The same list as in `json`, between two lines of three backticks.

Deviation D122: instructions in our own words, and a thought before words and calls.
"""

import json
from dataclasses import dataclass

from coalm.formats.dialects.base import take_thought, write_thought
from coalm.formats.dialects.json_calls import JsonCalls, read_json_calls, write_json_calls
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, ToolCall, ToolSpec

_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Hammer(JsonCalls):
    """Words first, then the list in a fence; an empty list if there is nothing to say or call."""

    name: str = "hammer"

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as one list in JSON, parameters flat as Hammer has them."""
        return (
            "Of the tools below, choose those that the request needs, and give their parameters "
            "the right values. Write the calls as a JSON list between two lines of three "
            f'backticks:\n{_FENCE}\n[{{"name": "tool", "arguments": {{"parameter": "value"}}}}]\n'
            f"{_FENCE}\nIf no tool can be used, or a required value is missing, say so, "
            "or give an empty list.\n\n"
            f"Available tools:\n{json.dumps([_flat(t) for t in tools], ensure_ascii=False)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, calls, in this order."""
        said = [turn.text] if turn.text else []
        if turn.calls or not turn.text:
            said.append(f"{_FENCE}\n{write_json_calls(turn.calls)}\n{_FENCE}")
        return write_thought(turn.thought) + "\n".join(said)

    def read(self, text: str) -> Assistant | Malformed:
        """Calls from a fence at the end, or as `json` reads them, else words."""
        thought, rest = take_thought(text)
        said, calls = _fenced(rest.rstrip())
        if calls or (calls is not None and not said.strip()):
            return Assistant(said, thought, calls)
        return JsonCalls.read(self, text)


def _fenced(text: str) -> tuple[str, tuple[ToolCall, ...] | None]:
    """The words before a fence that ends a text, and its calls; None if it holds none.

    JSON has no line break inside of a string, so a line of it never begins with a fence.
    """
    body = text.removesuffix(_FENCE)
    at = body.rfind(f"\n{_FENCE}")
    if len(body) == len(text) or (at < 0 and not body.startswith(_FENCE)):
        return text, None
    language, _, inside = body[at + 1 :].removeprefix(_FENCE).partition("\n")
    if language.strip() and not language.strip().isalnum():
        return text, None
    return body[: max(at, 0)], read_json_calls(inside.strip())


def _flat(tool: ToolSpec) -> dict[str, object]:
    found: dict[str, object] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.properties),
    }
    return found | ({"required": list(tool.required)} if tool.required else {})
