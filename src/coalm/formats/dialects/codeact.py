"""`<execute>` Python `</execute>`: the way of CodeAct (Wang and others 2024; Paper 5).

The code is calls of the tools, one a line. It is read and never run: what is no call with
plain values (loops, variables, arithmetic) is malformed.

Deviation D122: nothing is executed, and a thought stands between `<think>` tags.
"""

import re
from dataclasses import dataclass

from coalm.formats.dialects.base import take_thought, write_thought
from coalm.formats.dialects.calls import LONGEST, NotCalls, read_call_at, write_calls
from coalm.formats.dialects.catalogue import signatures
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

OPEN, CLOSE = "<execute>", "</execute>"
_BLOCK = re.compile(r"\s*<execute>(.*?)</execute>", re.DOTALL)
_BETWEEN = re.compile(r"(?:[\s;,]|#[^\n]*(?:\n|$))*")
"""What may stand between two calls."""
_ENDED = re.compile(r"[ \t\r]*(?:[\n;,#]|\Z)")
_KEPT = re.compile(r"[A-Za-z_]\w*[ \t]*=[ \t]*(?!=)")
"""A name that a result is kept under; nothing refers to it."""
_PRINTED, _CLOSED = re.compile(r"print\(\s*"), re.compile(r"\s*\)")


@dataclass(frozen=True, slots=True)
class CodeAct:
    """Words first, then one block of code with all calls."""

    name: str = "codeact"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as signatures."""
        return (
            "You act by Python code that calls the functions below, between tags, one call a "
            f"line and every value written out:\n{OPEN}\nfunction(parameter='value')\n{CLOSE}\n"
            "What the calls return is shown to you next. "
            "Without a fitting function, answer in words alone.\n\n"
            f"Functions:\n{signatures(tools)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, code, in this order."""
        said = [turn.text] if turn.text else []
        if turn.calls:
            said += [OPEN, *(write_calls((call,)) for call in turn.calls), CLOSE]
        return write_thought(turn.thought) + "\n".join(said)

    def read(self, text: str) -> Assistant | Malformed:
        """Words up to the first block, then nothing but blocks."""
        thought, rest = take_thought(text)
        said, opened, _ = rest.partition(OPEN)
        if not opened:
            return Assistant(rest, thought)
        calls: list[ToolCall] = []
        place = len(said)
        try:
            while found := _BLOCK.match(rest, place):
                calls += _statements(found.group(1))
                place = found.end()
        except NotCalls as e:
            return Malformed(text, f"code that is not a call with plain values: {e}")
        if rest[place:].strip():
            return Malformed(text, f"an {OPEN} that is not closed, or words after one")
        if not calls:
            return Malformed(text, f"an {OPEN} that holds no call")
        return Assistant(said.removesuffix("\n"), thought, tuple(calls))

    def observed(self, turn: Observation) -> str:
        """`Observation:` on a line of its own, then the answer."""
        return f"Observation:\n{turn.text}"


def _statements(code: str) -> list[ToolCall]:
    """The calls of some code, each alone, kept under a name, or printed."""
    if len(code) > LONGEST:
        raise NotCalls(f"longer than {LONGEST} characters")
    calls: list[ToolCall] = []
    place = _past(code, 0)
    while place < len(code):
        kept = _KEPT.match(code, place)
        call, place = _statement(code, kept.end() if kept else place)
        if ";" in call.name or not _ENDED.match(code, place):
            raise NotCalls(f"something beside the call of {call.name[:40]!r}")
        calls.append(call)
        place = _past(code, place)
    return calls


def _statement(code: str, place: int) -> tuple[ToolCall, int]:
    printed = _PRINTED.match(code, place)
    if printed:
        try:
            call, end = read_call_at(code, printed.end())
            closed = _CLOSED.match(code, end)
            if closed:
                return call, closed.end()
        except NotCalls:
            pass  # a tool may itself be called `print`
    return read_call_at(code, place)


def _past(code: str, place: int) -> int:
    found = _BETWEEN.match(code, place)
    return found.end() if found else place
