"""API-Bank as its authors publish it: calls that are due, and replies, on three levels.

A row holds a conversation as text, the descriptions of the APIs at hand, and what comes next:
a call (`level-N-api.json`, `level-3-batch-inf.json`) or a reply to the user
(`level-N-response.json`, `level-3-batch-inf-response.json`). On level 2 only the tool searcher
is at hand, on level 3 too, where a requirement needs several calls and each of them is a row
with the right calls before it. What an earlier call gave back stands behind `->` in the rows
that follow it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.bench.apibank.calltext import MARK, read_call
from coalm.bench.apibank.rows import tools_of
from coalm.errors import DataError
from coalm.sources import Found
from coalm.types import ToolCall, ToolSpec

Due = Literal["call", "reply"]

FILES: Mapping[tuple[str, Due], tuple[str, int]] = {
    ("L-1", "call"): ("apibank/test-data/level-1-api.json", 399),
    ("L-1", "reply"): ("apibank/test-data/level-1-response.json", 375),
    ("L-2", "call"): ("apibank/test-data/level-2-api.json", 135),
    ("L-2", "reply"): ("apibank/test-data/level-2-response.json", 103),
    ("L-3", "call"): ("apibank/test-data/level-3-batch-inf.json", 245),
    ("L-3", "reply"): ("apibank/test-data/level-3-batch-inf-response.json", 50),
}
"""The file of each level and kind, and how many rows the real one has."""

_LINE = re.compile(rf"(User|AI|{MARK[:-1]}):[ ]?")
_CUES = ("Generate API Request:", "Generate AI Response:", "Generate AI Res")
"""The last is one row's cue, cut off in the data."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation: something said, or a call and what it gave."""

    speaker: Literal["User", "AI", "API"]
    text: str = ""
    call: ToolCall | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class DamoCase:
    """A point of a conversation at which a call or a reply is due."""

    level: str
    due: Due
    id: str
    """`L-1/DIALOGUE#ROW`, so that rows of one dialogue are known to be one's."""
    lines: tuple[Line, ...]
    tools: tuple[ToolSpec, ...]
    call: ToolCall | None
    """The call that is due."""
    text: str
    """The reply that is due; for a call, its text as the data writes it."""
    instruction: str
    """The data's own prompt, for who wants to ask in it."""
    asked: str
    """What stands below it."""

    @property
    def dialogue(self) -> str:
        """The dialogue or requirement that the row comes from."""
        return self.id.partition("#")[0]

    @property
    def part(self) -> str:
        """`L-1 calls`, `L-3 replies`."""
        return f"{self.level} {'calls' if self.due == 'call' else 'replies'}"


def read_cases(found: Found, levels: Sequence[str]) -> Iterator[DamoCase]:
    """Every row of the levels, calls before replies; a broken one is a `DataError`."""
    for (level, due), (file, count) in FILES.items():
        if level in levels:
            rows = read_file(found.path(file), level, due)
            if found.real and len(rows) != count:
                raise DataError(f"{found.path(file)}: {len(rows)} rows in place of {count}")
            yield from rows


def read_file(path: Path, level: str, due: Due) -> list[DamoCase]:
    """Every row of one file, in order; a broken one is a `DataError` with its number."""
    rows = store.read_json(path)
    if not isinstance(rows, list):
        raise DataError(f"{path}: not a list of API-Bank rows")
    cases = []
    for number, row in enumerate(rows):
        try:
            cases.append(_case(row, level, due))
        except (KeyError, TypeError, AttributeError, ValueError) as e:
            raise DataError(f"{path}: row {number} is not an API-Bank row: {e!r}") from None
    return cases


def _case(row: Mapping[str, Any], level: str, due: Due) -> DamoCase:
    gold = str(row["expected_output" if "expected_output" in row else "output"])
    instruction, asked = str(row["instruction"]), str(row["input"])
    if level == "L-3":
        described, _, talk = asked.partition("\n")
        name = f"L-3/{int(row['sample_id']):03}#{'reply' if due == 'reply' else row['api_id']}"
    else:
        described, talk = instruction.partition("API descriptions:")[2], asked
        name = f"{level}/{row['file'].removesuffix('.jsonl')}#{int(row['id'])}"
    lines = tuple(_lines(talk))
    call = read_call(gold) if due == "call" else None
    return DamoCase(level, due, name, lines, _tools(described), call, gold, instruction, asked)


def _tools(described: str) -> tuple[ToolSpec, ...]:
    rows = [json.loads(line) for line in described.split("\n") if line.strip()]
    return tools_of(
        {
            "name": row["name"] if "name" in row else row["apiCode"],
            "description": row["description"],
            "parameters": row["input_parameters"] if "name" in row else row["parameters"],
        }
        for row in rows
    )


def _lines(talk: str) -> Iterator[Line]:
    """The conversation without the cue at its end; a line without a speaker goes on."""
    said: list[tuple[str, str]] = []
    for text in talk.split("\n"):
        if text.strip() in ("", *_CUES):
            continue
        begun = _LINE.match(text)
        if begun:
            said.append((begun.group(1), text[begun.end() :]))
        elif said:
            said[-1] = (said[-1][0], f"{said[-1][1]}\n{text}")
        else:
            raise ValueError(f"a line by nobody: {text[:40]!r}")
    for speaker, text in said:
        if speaker == "User":
            yield Line("User", text.strip())
        elif speaker == "AI":
            yield Line("AI", text.strip())
        else:
            request, arrow, result = text.partition(")]->")
            if arrow:  # one row of the data breaks off within a call
                yield Line("API", "", read_call(f"{request})]"), result)
