"""API-Bank as ToolRL's authors convert it: one call is due, all tools are at hand.

Their rows are texts in tags; here they are read back into lines and tools. On level 2 they keep
the calls that follow no search, on level 3 they take the searches out.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.bench.apibank.damo_rows import Line
from coalm.bench.apibank.rows import tools_of
from coalm.errors import DataError
from coalm.sources import Found
from coalm.types import ToolCall, ToolSpec

FILES: Mapping[str, tuple[str, int]] = {
    "L-1": ("apibank/toolrl/level-1-api_processed.json.gz", 399),
    "L-2": ("apibank/toolrl/level-2-api_processed.json.gz", 67),
    "L-3": ("apibank/toolrl/level-3-api_processed.json.gz", 131),
}
"""The file of each level, and how many rows the real one has."""

_TAGGED = re.compile(r"<(user|response|tool_call|obs)>(.*?)</\1>", re.DOTALL)
_CUE = "Based on our conversation above"
"""How the last line begins, which asks for one call."""
_TOOL = re.compile(
    r"^\d+\. (?:Name: (?P<name>\S+)\nDescription: (?P<said>.*)|(?P<short>\w+): (?P<brief>.*))\n"
    r"Parameters: (?P<parameters>\{.*\})$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ToolRLCase:
    """A point of a conversation at which one call is due."""

    level: str
    number: int
    """The row's place in its file, from 0."""
    lines: tuple[Line, ...]
    tools: tuple[ToolSpec, ...]
    call: ToolCall
    system: str
    """ToolRL's own prompt, for who wants to ask in it."""
    user: str

    @property
    def id(self) -> str:
        """`L-1/017`."""
        return f"{self.level}/{self.number:03}"


def read_cases(found: Found, levels: Sequence[str]) -> Iterator[ToolRLCase]:
    """Every row of the levels; a broken one, or another number of them, is a `DataError`."""
    for level in levels:
        file, count = FILES[level]
        rows = read_file(found.path(file), level)
        if found.real and len(rows) != count:
            raise DataError(f"{found.path(file)}: {len(rows)} rows in place of {count}")
        yield from rows


def read_file(path: Path, level: str) -> list[ToolRLCase]:
    """Every row of one file, in order; a broken one is a `DataError` with its number."""
    rows = store.read_json(path)
    if not isinstance(rows, list):
        raise DataError(f"{path}: not a list of ToolRL's rows")
    cases = []
    for number, row in enumerate(rows):
        try:
            cases.append(_case(row, level, number))
        except (KeyError, TypeError, AttributeError, ValueError, SyntaxError, IndexError) as e:
            raise DataError(f"{path}: row {number} is not one of ToolRL's: {e!r}") from None
    return cases


def _case(row: Mapping[str, Any], level: str, number: int) -> ToolRLCase:
    answer = row["answer"]  # a list on levels 1 and 3, the call itself on level 2
    gold = answer[0] if isinstance(answer, list) else answer
    system, user = str(row["system"]), str(row["user"])
    call = ToolCall(str(gold["name"]), dict(gold["parameters"]))
    tools = tools_of(_described(system))
    if not tools:
        raise ValueError("no tool is described")
    return ToolRLCase(level, number, tuple(_lines(user)), tools, call, system, user)


def _described(system: str) -> Iterator[dict[str, Any]]:
    for found in _TOOL.finditer(system):
        given = ast.literal_eval(found["parameters"])
        yield {
            "name": found["name"] or found["short"],
            "description": found["said"] or found["brief"] or "",
            "parameters": {name: {"description": "", **one} for name, one in given.items()},
        }


def _lines(user: str) -> Iterator[Line]:
    calls: list[ToolCall] = []
    for tag, text in _TAGGED.findall(user):
        text = text.strip()
        if tag == "tool_call":
            rows = [json.loads(line) for line in text.split("\n") if line.strip()]
            calls += [ToolCall(row["name"], dict(row["parameters"])) for row in rows]
        elif tag == "obs":
            yield from (Line("API", "", call) for call in calls[:-1])
            yield Line("API", "", calls[-1], text)
            calls = []
        elif not text.startswith(_CUE):
            yield Line("User" if tag == "user" else "AI", text)
