"""ToolACE's multi-turn function calling (Paper 4.1): the whole, or the restored first 100.

Calls are written `[Market Trends API(trend_type="MARKET_INDEXES")]`; see `bracketed`. Where
the whole `toolace/data.json` is there, `Found.path(ROWS)` leads to it.
"""

import json
from collections.abc import Iterator
from typing import Any

from coalm.corpora.bracketed import bracketed
from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.schemas import misfit, relaxed, tool
from coalm.sources import Found
from coalm.types import (
    Assistant,
    Dialogue,
    Observation,
    Sample,
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
            case "assistant":
                calls = bracketed(text, [t.name for t in tools])
                turns.append(Assistant("" if calls else text, calls=calls))
            case "tool":
                last = turns[-1] if turns else None
                name = last.calls[0].name if isinstance(last, Assistant) and last.calls else ""
                turns.append(Observation(text, name))
            case _:
                raise ValueError(f"a message from an unknown side {said!r}")
    return turns
