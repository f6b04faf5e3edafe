"""Seal-Tools (development set) as single-turn function calling, and as irrelevance.

A row names its gold calls only; their tools are looked up, and a few others are put
beside them. Some requests are asked once more with nothing but unrelated tools, which
the model is to leave alone.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from coalm.corpora.hammer import fits
from coalm.corpora.masking import Row, samples
from coalm.corpora.records import Record, Skip, at, chance, field, ignore, records
from coalm.corpora.schemas import tool
from coalm.sources import Found
from coalm.types import Sample, ToolCall, ToolSpec

DEV = "function_calling/sealtools/dev.jsonl.gz"
TOOLS = "function_calling/sealtools/tool.jsonl.gz"
DISTRACTORS = 3
"""At most so many tools beside the gold ones."""


@dataclass(frozen=True, slots=True)
class Known:
    """A tool of the corpus."""

    spec: ToolSpec
    field: str
    """The subject, such as `Agriculture`; tools of another are unrelated."""


Toolbox: TypeAlias = Mapping[str, Known]


def read(
    found: Found,
    *,
    seed: int = 42,
    masked: float = 0.0,
    copies: int = 1,
    irrelevant: float = 0.15,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """A sample for each request, and for a share `irrelevant` of them one with no fitting tool."""
    known = toolbox(found.path(TOOLS))
    for record in records(found.path(DEV)):
        for row in rows(record, known, seed, skip):
            yield from asked(
                row, known, seed=seed, masked=masked, copies=copies, irrelevant=irrelevant
            )


def asked(
    row: Row, known: Toolbox, *, seed: int, masked: float, copies: int, irrelevant: float
) -> Iterator[Sample]:
    """The samples of a row, and now and then those of its request among unrelated tools."""
    yield from samples(row, "sealtools", seed=seed, masked=masked, copies=copies)
    if chance(seed, row.id, "irrelevant") < irrelevant:
        other = _unrelated(row, known, seed)
        yield from samples(other, "sealtools", seed=seed, masked=masked, copies=copies)


def toolbox(path: Path) -> Toolbox:
    """Every tool of the corpus, by name in alphabetical order."""
    known = {}
    for record in records(path):
        with at(record.place):
            row = record.value
            spec = tool(
                {
                    "name": field(row, "api_name", str),
                    "description": row["api_description"],
                    "parameters": field(row, "parameters", dict),
                    "required": field(row, "required", list),
                }
            )
            known[spec.name] = Known(spec, field(row, "field", str).partition("/")[0])
    return dict(sorted(known.items()))


def rows(record: Record, known: Toolbox, seed: int, skip: Skip = ignore) -> Iterator[Row]:
    """The row of a record, with a few tools beside those that it calls, if it is sound."""
    with at(record.place):
        name = f"sealtools/dev/{field(record.value, 'id', str)}"
        query = field(record.value, "query", str).strip()
        calls = [_call(c) for c in field(record.value, "calling", list)]
        missing = [c.name for c in calls if c.name not in known]
        if missing:
            raise ValueError(f"calls {missing[0]!r}, which {TOOLS} does not list")
    why = _unfit(query, calls)
    if why:
        skip(why)
        return
    dice = random.Random(f"{seed}/{name}/tools")
    names = list(known)
    others = dice.sample(names, min(len(names), dice.randint(0, DISTRACTORS)))
    tools = [known[n].spec for n in dict.fromkeys([*(c.name for c in calls), *others])]
    row = Row(name, query, tuple(tools), tuple(calls))
    if fits(row, skip):
        yield row


def _call(record: dict[str, Any]) -> ToolCall:
    return ToolCall(field(record, "api", str), field(record, "parameters", dict))


def _unfit(query: str, calls: Sequence[ToolCall]) -> str:
    """Why a row teaches nothing good, if so."""
    values = [v for c in calls for v in c.arguments.values()]
    if any("API_call_" in str(v) for v in values):
        # Deviation D14: a call whose argument is another's result needs a second turn,
        # and the corpus has no results to show.
        return "an argument that is another call's result"
    if any(isinstance(v, str) and not _said(v, query) for v in values):
        return "an argument that the request does not contain"
    return ""


def _said(value: str, query: str) -> bool:
    """Whether the request holds the words of a value, in any order and spelling of case."""
    heard = query.lower()
    return bool(value.strip()) and all(
        word.strip(".,;:!?'\"").lower() in heard for word in value.split()
    )


def _unrelated(row: Row, known: Toolbox, seed: int) -> Row:
    fields = {known[c.name].field for c in row.answers}
    others = [name for name in known if known[name].field not in fields]
    dice = random.Random(f"{seed}/{row.id}/irrelevant")
    chosen = dice.sample(others, min(len(others), dice.randint(1, DISTRACTORS)))
    name = row.id.replace("/dev/", "/irrelevance/")
    return Row(name, row.query, tuple(known[n].spec for n in chosen), ())
