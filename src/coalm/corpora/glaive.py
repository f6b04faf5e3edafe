"""Glaive's function-calling dialogues: short, multi-turn, about half of them without a call.

Those without one ask back for what is missing or say that no tool fits, so they teach
when not to call.
"""

import json
from collections.abc import Iterator
from typing import Any

from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.schemas import misfit, relaxed, tool
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, Observation, Sample, ToolCall, Turn, User

ROWS = "function_calling/glaive/glaive_ms_swift_1000.jsonl.gz"


def read(found: Found, *, skip: Skip = ignore) -> Iterator[Sample]:
    """A sample for each dialogue that has tools and is whole."""
    for record in records(found.path(ROWS)):
        yield from make(record, skip)


def make(record: Record, skip: Skip = ignore) -> Iterator[Sample]:
    """The sample of a dialogue, if it has tools and is whole."""
    given = record.value.get("tools")
    if not given:
        skip("a conversation without tools")
        return
    with at(record.place):
        turns = _turns(field(record.value, "messages", list))
        calls = [c for t in turns if isinstance(t, Assistant) for c in t.calls]
        listed = json.loads(given) if isinstance(given, str) else given
        tools = relaxed([tool(row) for row in listed], calls)
    why = _broken(turns) or next((w for call in calls if (w := misfit(call, tools))), "")
    if why:
        skip(why)
        return
    name = f"glaive/train/{record.number}"
    yield Sample(name, "glaive", Dialogue(tuple(turns), tools), name)


def _turns(messages: list[Any]) -> list[Turn]:
    """The messages as turns; words and the call that follows them are one turn."""
    turns: list[Turn] = []
    for message in messages:
        role, text = field(message, "role", str), field(message, "content", str).strip()
        last = turns[-1] if turns else None
        match role:
            case "user":
                turns.append(User(text))
            case "assistant":
                turns.append(Assistant(text))
            case "tool_call":
                record = json.loads(text)
                call = ToolCall(field(record, "name", str), field(record, "arguments", dict))
                if isinstance(last, Assistant):
                    turns[-1] = Assistant(last.text, calls=(*last.calls, call))
                else:
                    turns.append(Assistant(calls=(call,)))
            case "tool_response":
                name = last.calls[-1].name if isinstance(last, Assistant) and last.calls else ""
                turns.append(Observation(text, name))
            case _:
                raise ValueError(f"a message of an unknown role {role!r}")
    return turns


def _broken(turns: list[Turn]) -> str:
    """Why a dialogue is not whole: its conversion tore some calls and replies apart."""
    if not turns or not isinstance(turns[-1], Assistant):
        return "a dialogue without an answer at its end"
    for before, turn in zip([None, *turns], turns, strict=False):
        if isinstance(turn, Observation) and not (isinstance(before, Assistant) and before.calls):
            return "a result of no call"
        if isinstance(before, Assistant) and (
            isinstance(turn, Assistant) or (before.calls and not isinstance(turn, Observation))
        ):
            return "a call that is torn apart"
        if isinstance(turn, Assistant) and not turn.calls and not turn.text.strip("{} \n"):
            return "an empty answer"
    return ""
