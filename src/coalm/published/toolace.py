"""ToolACE -> multi-turn function calling rows (Paper 4.1: the LA part with history).

One row for each assistant turn that calls; what was said before stands in the instruction.
Both the restored first 100 dialogues and upstream's own layout are read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.toolace import ROWS
from coalm.formats import Row
from coalm.published.row import paragraphs, sample
from coalm.sources import Found
from coalm.types import Sample

SIDES = {"user": "User", "assistant": "System", "tool": "Tool"}
"""Who speaks, as the history names them."""

TASK = (
    "You are a specialist in putting function calls together. Below are a request and the "
    "functions that may serve it. Decide which functions to call and with which values; there "
    "may be one call or several. If no function fits, or a value that a function must have is "
    "missing, say so."
)
FORMAT = (
    "Write calls as one list and nothing else: "
    "[first_function(name=value, other=value), second_function(name=value)]"
)


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said."""

    side: str
    text: str
    calls: bool
    """Whether these are calls."""
    lost: bool
    """Whether the source lost what was said."""

    def __str__(self) -> str:
        """The line of a history."""
        return f"{SIDES[self.side]}: {self.text}"


def read(found: Found, *, skip: Skip = ignore) -> Iterator[Sample]:
    """The rows of every dialogue; of turns that make no row, `skip` is told the reason."""
    for record in records(found.path(ROWS)):
        yield from make(record, skip)


def make(record: Record, skip: Skip = ignore) -> Iterator[Sample]:
    """A row for each turn of a dialogue that calls."""
    with at(record.place):
        functions, names = _functions(field(record.value, "system", str))
        said = [_message(m, names) for m in field(record.value, "conversations", list)]
        if not said or said[0].side != "user":
            raise ValueError("a conversation that does not begin with the user")
    group = f"toolace/train/{record.value.get('index', record.number)}"
    for turn, message in enumerate(said):
        if message.side != "assistant" or not message.calls:
            continue
        # Deviation D60: a turn that cannot be what ToolACE had is no row, nor is a later one.
        if any(m.lost for m in said[: turn + 1]):
            skip("a call or an answer that the source lost")
            continue
        yield sample(f"{group}#{turn}", "toolace", group, _row(functions, said[:turn], message))


def _row(functions: str, before: Sequence[Message], message: Message) -> Row:
    now = max(i for i, m in enumerate(before) if m.side == "user")
    history, latest = ("\n".join(map(str, part)) for part in (before[:now], before[now:]))
    return Row(
        paragraphs(
            TASK,
            f"The functions, as JSON:\n{functions}",
            FORMAT,
            f"The conversation so far:\n{history}" if history else "",
        ),
        latest,
        message.text,
    )


def _functions(system: str) -> tuple[str, tuple[str, ...]]:
    """The JSON list inside the operator's words as it stands, and the functions' names."""
    start = system.find("[{")
    if start < 0:
        raise ValueError("no list of functions in the system prompt")
    listed, end = json.JSONDecoder().raw_decode(system, start)
    return system[start:end], tuple(field(one, "name", str) for one in listed)


def _message(given: Any, names: Sequence[str]) -> Message:
    side, text = field(given, "from", str), field(given, "value", str).strip()
    if side not in SIDES:
        raise ValueError(f"a message from an unknown side {side!r}")
    begun = text.startswith(tuple(f"[{name}(" for name in names)) and text.endswith(")]")
    calls = side == "assistant" and (begun or "restored" in given)
    return Message(side, text, calls, lost=not text or given.get("restored") is False)
