"""Hammer's function calling (Paper 4.1): xLAM rows and Hammer's published masked examples.

The layout is xLAM's: `query`, `tools` and `answers`, the latter two often JSON inside a
string. xlam-function-calling-60k and xlam-irrelevance-7.5k are read where the mirror
has them; their place is in `XLAM`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coalm.corpora.masking import Row, samples
from coalm.corpora.records import Record, Skip, at, field, ignore, records
from coalm.corpora.schemas import misfit, relaxed, tool
from coalm.sources import Found
from coalm.types import Sample, ToolCall

PUBLISHED = "function_calling/hammer/masking_sft_data_example.json"
XLAM = {
    "xlam": "function_calling/xlam/xlam_function_calling_60k.json",
    "irrelevance": "function_calling/xlam/xlam-7.5k-irrelevance.json",
}

_BLOCK = r"\[BEGIN OF {0}\]\s*(.*?)\s*\[END OF {0}\]"
_TOOLS = re.compile(_BLOCK.format("AVAILABLE TOOLS"), re.DOTALL)
_QUERY = re.compile(_BLOCK.format("QUERY"), re.DOTALL)


def read(
    found: Found,
    *,
    seed: int = 42,
    masked: float = 2 / 3,
    copies: int = 1,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """Masked samples of the xLAM rows that are there, then the published ones as they are."""
    for name, relative in XLAM.items():
        path = found.path(relative)
        if path.exists():
            for row in rows(path, f"hammer/{name}", skip):
                yield from samples(row, "hammer", seed=seed, masked=masked, copies=copies)
    for row in published(found.path(PUBLISHED), skip):
        # They come masked, so they are never masked again.
        yield from samples(row, "hammer", seed=seed, masked=0.0)


def rows(path: Path, name: str, skip: Skip = ignore) -> Iterator[Row]:
    """The rows of a file in xLAM's layout; those whose calls do not fit their tools are skipped."""
    for record in records(path):
        yield from row_of(record, name, skip)


def row_of(record: Record, name: str, skip: Skip = ignore) -> Iterator[Row]:
    """The row of a record in xLAM's layout, if its calls fit its tools."""
    with at(record.place):
        row = _row(
            f"{name}/{record.value.get('id', record.number)}",
            field(record.value, "query", str),
            _listed(record.value["tools"]),
            _listed(record.value["answers"]),
        )
    if fits(row, skip):
        yield row


def published(path: Path, skip: Skip = ignore) -> Iterator[Row]:
    """Hammer's own examples, taken out of their blocks of instructions."""
    for record in records(path):
        yield from published_row(record, skip)


def published_row(record: Record, skip: Skip = ignore) -> Iterator[Row]:
    """The row of one of Hammer's own examples, if its calls fit its tools."""
    with at(record.place):
        text = field(record.value, "instruction", str)
        tools, query = _TOOLS.search(text), _QUERY.search(text)
        if not tools or not query:
            raise ValueError("no block of tools or no block with the query")
        answers = field(record.value, "output", str).strip().strip("`")
        row = _row(
            f"hammer/published/{record.number}",
            query.group(1),
            _listed(tools.group(1)),
            _listed(answers),
        )
    if fits(row, skip):
        yield row


def fits(row: Row, skip: Skip) -> bool:
    """Whether each call fits the tools; if not, the reason is told to `skip`."""
    for call in row.answers:
        why = misfit(call, row.tools)
        if why:
            skip(why)
            return False
    return True


def _row(name: str, query: str, tools: list[Any], answers: list[Any]) -> Row:
    calls = tuple(ToolCall(field(a, "name", str), field(a, "arguments", dict)) for a in answers)
    return Row(name, query.strip(), relaxed([tool(t) for t in tools], calls), calls)


def _listed(value: Any) -> list[Any]:
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise TypeError(f"expected a list, found {type(found).__name__}")
    return found
