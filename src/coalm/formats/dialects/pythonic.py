"""`[f(a=1), g(b='x')]`: ToolACE's and BFCL's way to write calls (Paper 4.1, Paper 5)."""

import re
from dataclasses import dataclass

from coalm.formats.dialects.base import take_thought, unfenced, write_thought
from coalm.formats.dialects.calls import NotCalls, read_calls, write_calls
from coalm.formats.dialects.catalogue import signatures
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_BEGUN = re.compile(r"\s*\[[^\[\](){}'\"=,]+\(")  # one run: two that share blanks try every cut


@dataclass(frozen=True, slots=True)
class Pythonic:
    """A bracketed list of calls on the last line; `[]` when there is nothing to say or call."""

    name: str = "pythonic"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as signatures."""
        return (
            "You may call the tools below. A call is written as a list: "
            "[tool(parameter=value, other='text')]. Several calls share one list. "
            "If no tool fits the request, answer [].\n\n"
            f"Tools:\n{signatures(tools)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, calls, in this order."""
        calls = f"[{write_calls(turn.calls)}]" if turn.calls or not turn.text else ""
        between = "\n" if turn.text and calls else ""
        return f"{write_thought(turn.thought)}{turn.text}{between}{calls}"

    def read(self, text: str) -> Assistant | Malformed:
        """Calls from the whole answer or its last line, else words."""
        thought, rest = take_thought(text)
        answer = unfenced(rest).strip()
        calls = _listed(answer)
        if calls is not None:
            return Assistant("", thought, calls)
        said, newline, last = rest.rstrip().rpartition("\n")
        calls = _listed(last) if newline else None
        if calls:
            return Assistant(said, thought, calls)
        if _BEGUN.match(answer):
            return Malformed(text, _why(answer))
        return Assistant(rest, thought)

    def observed(self, turn: Observation) -> str:
        """The tool's answer as it is."""
        return turn.text


def _listed(text: str) -> tuple[ToolCall, ...] | None:
    """The calls of `[...]`, or of one bare call, or None."""
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if inside is text and not text.endswith(")"):
        return None
    try:
        return read_calls(inside)
    except NotCalls:
        return None


def _why(text: str) -> str:
    try:
        read_calls(text.removeprefix("[").removesuffix("]"))
    except NotCalls as e:
        return str(e)
    return "the list of calls is not closed"
