"""ToolACE's multi-turn function calling (Paper 4.1), from the restored first 100 dialogues.

Calls are written `[Market Trends API(trend_type="MARKET_INDEXES")]`, with the values as
JSON. Names may hold spaces, brackets and slashes, so they are recognised by the list of
tools rather than by their form.
"""

import json
from collections.abc import Iterator
from typing import Any

from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.schemas import misfit, relaxed, tool
from coalm.sources import Found
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    Sample,
    ToolCall,
    ToolSpec,
    Turn,
    User,
)

ROWS = "toolace/toolace_100_restored.jsonl.gz"


def read(found: Found, *, skip: Skip = ignore) -> Iterator[Sample]:
    """A sample for each dialogue whose calls were all restored.

    One dialogue is one sample, whose assistant turns are all learned.
    """
    for record in records(found.path(ROWS)):
        yield from make(record, skip)


def make(record: Record, skip: Skip = ignore) -> Iterator[Sample]:
    """The sample of a dialogue, if its calls were all restored."""
    # Paper 4.1. Deviation D15: the published mixture most likely has one row for each
    # turn that calls; one row for the dialogue teaches the same with far fewer tokens.
    row = record.value
    if not row.get("all_calls_restored", True):
        skip("a call whose name could not be restored")
        return
    with at(record.place):
        tools = [tool(given) for given in _listed(field(row, "system", str))]
        turns = _turns(field(row, "conversations", list), tools)
        if not turns or not isinstance(turns[-1], Assistant):
            raise ValueError("no answer at the end of the dialogue")
    calls = [c for t in turns if isinstance(t, Assistant) for c in t.calls]
    shown = relaxed(tools, calls)
    why = next((w for call in calls if (w := misfit(call, shown))), "")
    if any(turn == Assistant() for turn in turns):
        why = "an answer that the source lost"
    if why:
        skip(why)
        return
    name = f"toolace/train/{row.get('index', record.number)}"
    yield Sample(name, "toolace", Dialogue(tuple(turns), shown), name)


def _listed(system: str) -> list[Any]:
    """The JSON list of tools inside the operator's words."""
    start = system.find("[{")
    if start < 0:
        raise ValueError("no list of functions in the system prompt")
    listed, _ = json.JSONDecoder().raw_decode(system, start)
    return list(listed)


def _turns(messages: list[Any], tools: list[ToolSpec]) -> list[Turn]:
    turns: list[Turn] = []
    for message in messages:
        said, text = field(message, "from", str), field(message, "value", str).strip()
        match said:
            case "user":
                turns.append(User(text))
            case "assistant" if "restored" in message:
                turns.append(Assistant(calls=read_calls(text, [t.name for t in tools])))
            case "assistant":
                turns.append(Assistant(text))
            case "tool":
                last = turns[-1] if turns else None
                name = last.calls[0].name if isinstance(last, Assistant) and last.calls else ""
                turns.append(Observation(text, name))
            case _:
                raise ValueError(f"a message from an unknown side {said!r}")
    return turns


def read_calls(text: str, names: list[str]) -> tuple[ToolCall, ...]:
    """The calls of `[name(a=1, b="x"), ...]`; a `ValueError` where it is none."""
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(f"not a list of calls: {text[:60]!r}")
    calls: list[ToolCall] = []
    place = 1
    while place < len(text) - 1:
        # The longest first: one name may begin with another.
        name = next(
            (n for n in sorted(names, key=len, reverse=True) if text.startswith(f"{n}(", place)), ""
        )
        if not name:
            raise ValueError(f"a call of a tool that is not listed: {text[place : place + 60]!r}")
        arguments, place = _arguments(text, place + len(name) + 1)
        calls.append(ToolCall(name, arguments))
        place += len(text[place:]) - len(text[place:].lstrip(", "))
    return tuple(calls)


def _arguments(text: str, place: int) -> tuple[dict[str, Json], int]:
    """The arguments from `place` on, and the place after their closing bracket."""
    found: dict[str, Json] = {}
    decoder = json.JSONDecoder()
    while not text.startswith(")", place):
        name, equals, _ = text[place:].partition("=")
        if not equals:
            raise ValueError(f"arguments that do not end: {text[place : place + 60]!r}")
        found[name.strip()], place = decoder.raw_decode(text, place + len(name) + 1)
        if text.startswith(", ", place):
            place += 2
    return found, place + 1
