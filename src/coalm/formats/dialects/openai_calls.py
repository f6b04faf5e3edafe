"""`{"tool_calls": [...]}`: the tool calls of OpenAI's chat messages, written as text.

For models that are reached as plain text but were tuned on such messages. An endpoint that
has tool calls of its own is spoken to by `coalm.engines`, without any dialect.

Deviation D122: words stand before the object, not in it, and a thought before them.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from coalm.formats.dialects.base import take_thought, unfenced, write_thought
from coalm.formats.dialects.calls import LONGEST
from coalm.formats.dialects.catalogue import schemas
from coalm.formats.dialects.json_calls import called, refuse
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_BEGUN = re.compile(r"\s*\{\s*\"(?:tool_calls|role|content)\"\s*:")


@dataclass(frozen=True, slots=True)
class OpenAICalls:
    """Words first, then one object with all calls on the last line."""

    name: str = "openai"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as OpenAI's API takes them."""
        return (
            "You may call the functions below. Calls are the last line of an answer, one object, "
            "with each call's arguments as JSON in a string:\n"
            f"{_written((ToolCall('name', {'parameter': 'value'}),))}\n"
            "Answer in words when no function fits.\n\n"
            f"Functions:\n{schemas(tools)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, calls, in this order."""
        said = [turn.text] if turn.text else []
        said += [_written(turn.calls)] if turn.calls else []
        return write_thought(turn.thought) + "\n".join(said)

    def read(self, text: str) -> Assistant | Malformed:
        """A whole message, or calls on the last line, else words."""
        thought, rest = take_thought(text)
        answer = unfenced(rest).strip()
        found = _message(answer)
        if found is not None:
            return Assistant(found[0], thought, found[1])
        said, newline, last = rest.rstrip().rpartition("\n")
        found = _message(last) if newline else None
        if found is not None and not found[0]:
            return Assistant(said, thought, found[1])
        if _BEGUN.match(answer):
            return Malformed(text, "the object with tool calls is not readable")
        return Assistant(rest, thought)

    def observed(self, turn: Observation) -> str:
        """The tool's answer as it is."""
        return turn.text


def _written(calls: tuple[ToolCall, ...]) -> str:
    rows = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": json.dumps(call.arguments, ensure_ascii=False),
            },
        }
        for number, call in enumerate(calls, 1)
    ]
    return json.dumps({"tool_calls": rows}, ensure_ascii=False)


def _message(text: str) -> tuple[str, tuple[ToolCall, ...]] | None:
    """The words and the calls of a message; None if it is none or calls nothing."""
    if len(text) > LONGEST or not text.startswith("{"):
        return None
    try:
        value = json.loads(text, parse_constant=refuse)
        said = value.get("content") or ""
        if set(value) - {"role", "content", "tool_calls"} or not isinstance(said, str):
            return None
        said.encode()  # half a character cannot be said again
        calls = tuple(_call(row) for row in value["tool_calls"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return (said, calls) if calls else None


def _call(row: Any) -> ToolCall:
    given = row["function"]["arguments"]
    arguments = json.loads(given, parse_constant=refuse) if isinstance(given, str) else given
    return called({"name": row["function"]["name"], "arguments": arguments}, "name")
