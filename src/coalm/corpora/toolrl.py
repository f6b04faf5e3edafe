"""ToolRL's supervised rows: ToolACE, masked Hammer and xLAM records as short histories.

The tools stand in the instruction, the history in the input between `<user>`,
`<tool_call>`, `<obs>` and `<response>` tags, the next turn in the output. Its thoughts
are a placeholder in the history and another model's long monologue in the output; both
are left out.
"""

import json
import re
from collections.abc import Iterator

from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.schemas import misfit, relaxed, tool
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, Observation, Sample, ToolCall, ToolSpec, Turn, User

ROWS = "function_calling/toolrl/rlla_sft_400.json.gz"

_TOOL = re.compile(
    r"^\d+\. Name: (.*)\n(?:Description: (.*)\n)?Parameters: (\{.*\})$", re.MULTILINE
)
_PART = re.compile(r"<(user|think|tool_call|obs|response)>\s*(.*?)\s*</\1>", re.DOTALL)


def read(found: Found, *, skip: Skip = ignore) -> Iterator[Sample]:
    """A sample for each row whose calls fit its tools."""
    for record in records(found.path(ROWS)):
        yield from make(record, skip)


def make(record: Record, skip: Skip = ignore) -> Iterator[Sample]:
    """The sample of a row, if its calls fit its tools."""
    with at(record.place):
        row = record.value
        turns = _turns(f"{field(row, 'input', str)}\n{field(row, 'output', str)}")
        calls = [c for t in turns if isinstance(t, Assistant) for c in t.calls]
        tools = relaxed(_tools(field(row, "instruction", str)), calls)
        if not turns or not isinstance(turns[-1], Assistant):
            raise ValueError("no answer in the output")
    why = next((w for call in calls if (w := misfit(call, tools))), "") or _mixed(turns)
    if why:
        skip(why)
        return
    name = f"toolrl/sft/{record.number}"
    yield Sample(name, "toolrl", Dialogue(tuple(turns), tools), name)


def _tools(instruction: str) -> list[ToolSpec]:
    rows = [
        {
            "name": m.group(1).strip(),
            "description": m.group(2),
            "parameters": json.loads(m.group(3)),
        }
        for m in _TOOL.finditer(instruction)
    ]
    if not rows:
        raise ValueError("no tools in the instruction")
    return [tool(row) for row in rows]


def _turns(text: str) -> list[Turn]:
    """The tagged parts in order; a call and what is said beside it are one turn."""
    turns: list[Turn] = []
    for part in _PART.finditer(text):
        kind, body = part.groups()
        last = turns[-1] if turns else None
        match kind:
            case "user":
                turns.append(User(body))
            case "obs":
                called = last.calls[0].name if isinstance(last, Assistant) and last.calls else ""
                turns.append(Observation(body, called))
            case "tool_call":
                turns.append(Assistant(calls=tuple(map(_call, body.splitlines()))))
            case "response" if isinstance(last, Assistant):
                turns[-1] = Assistant(body, calls=last.calls)
            case "response":
                turns.append(Assistant(body))
    return turns


def _call(line: str) -> ToolCall:
    record = json.loads(line)
    return ToolCall(field(record, "name", str), field(record, "parameters", dict))


def _mixed(turns: list[Turn]) -> str:
    """A reply that was written beside a call, before the result was known, is no example."""
    mixed = any(isinstance(t, Assistant) and t.calls and t.text for t in turns)
    return "an answer beside a call that has no result yet" if mixed else ""
