"""`[{"name": ..., "arguments": {...}}]`: Hammer's way to write calls (Paper 4.1)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from coalm.formats.dialects.base import take_thought, unfenced, write_thought
from coalm.formats.dialects.calls import LONGEST, sound
from coalm.formats.dialects.catalogue import signatures
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_BEGUN = re.compile(r"\s*\[?\s*\{\s*\"name\"\s*:")


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """A JSON list of calls on the last line; `[]` when there is nothing to say or call."""

    name: str = "json"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as signatures."""
        return (
            "You may call the tools below. A call is written as a JSON list: "
            '[{"name": "tool", "arguments": {"parameter": "value"}}]. '
            "Several calls share one list. If no tool fits the request, answer [].\n\n"
            f"Tools:\n{signatures(tools)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, calls, in this order."""
        calls = write_json_calls(turn.calls) if turn.calls or not turn.text else ""
        between = "\n" if turn.text and calls else ""
        return f"{write_thought(turn.thought)}{turn.text}{between}{calls}"

    def read(self, text: str) -> Assistant | Malformed:
        """Calls from the whole answer or its last line, else words."""
        thought, rest = take_thought(text)
        answer = unfenced(rest).strip()
        calls = read_json_calls(answer)
        if calls is not None:
            return Assistant("", thought, calls)
        said, newline, last = rest.rstrip().rpartition("\n")
        calls = read_json_calls(last) if newline else None
        if calls:
            return Assistant(said, thought, calls)
        if _BEGUN.match(answer):
            return Malformed(text, "the list of calls is not readable as JSON")
        return Assistant(rest, thought)

    def observed(self, turn: Observation) -> str:
        """The tool's answer as it is."""
        return turn.text


def write_json_calls(calls: tuple[ToolCall, ...]) -> str:
    """`[{"name": ..., "arguments": {...}}, ...]` on one line, unicode as it is."""
    rows = [{"name": call.name, "arguments": call.arguments} for call in calls]
    return json.dumps(rows, ensure_ascii=False)


def read_json_calls(text: str, named: str = "name") -> tuple[ToolCall, ...] | None:
    """The calls of a JSON list of them, or of one call object; None if it is anything else.

    `named` is the key under which a call's name stands.
    """
    if len(text) > LONGEST or not text.startswith(("[", "{")):
        return None
    try:
        value = json.loads(text, parse_constant=refuse)
        rows = [value] if isinstance(value, dict) else value
        return tuple(called(row, named) for row in rows)
    except (ValueError, TypeError, RecursionError):
        return None


def called(row: Any, named: str) -> ToolCall:
    """The call that an object is; a `ValueError` if it is none, or cannot be written again."""
    if not isinstance(row, dict) or set(row) != {named, "arguments"}:
        raise ValueError("not a call")
    if not isinstance(row[named], str) or not isinstance(row["arguments"], dict):
        raise ValueError("not a call")  # noqa: TRY004  one kind of error, caught by who reads
    sound([row[named], row["arguments"]])
    return ToolCall(row[named], row["arguments"])


def refuse(constant: str) -> None:
    """`NaN` and `Infinity`, which Python reads, are a `ValueError`."""
    raise ValueError(f"{constant} is not JSON")
