"""xLAM -> Hammer's masked function calling rows (Paper 4.1: 3 x (60,000 + 7,500) = 202,500).

The blocks are Hammer's: task, available tools, format, and the query as the input. Where the
xLAM files are missing, the ten rows that Hammer publishes stand in, masked as they come.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from coalm.corpora.hammer import PUBLISHED, XLAM
from coalm.corpora.records import Record, at, chance, field, records
from coalm.formats import Row
from coalm.published import masking
from coalm.published.masking import Object, Request
from coalm.published.row import paragraphs, sample
from coalm.sources import Found
from coalm.types import Sample

_BLOCK = r"\[BEGIN OF {0}\]\n(.*?)\n\[END OF {0}\]"
_TOOLS = re.compile(_BLOCK.format("AVAILABLE TOOLS"), re.DOTALL)
_QUERY = re.compile(_BLOCK.format("QUERY"), re.DOTALL)

TASK = (
    "You answer requests by calling tools. Pick one or several of the tools below and give their "
    "parameters the right values. To be exact:\n"
    "1. Make every call that the request asks for, one or more.\n"
    "2. Where no tool serves the request, say so by calling none.\n"
    "3. Where the request lacks a value that a tool must have, say that too."
)
FORMAT = (
    "Write nothing but a JSON list of calls in the form below, each value in the type that its "
    "parameter has. If there is nothing to call, the list is empty: []\n"
    "```\n"
    '[\n    {"name": "tool_1", "arguments": {"parameter_1": "value 1", "parameter_2": 2}},\n'
    "    ... (one entry for each further call)\n]\n"
    "```"
)


def read(
    found: Found,
    *,
    seed: int = 42,
    masked: float = 2 / 3,
    copies: int = 3,
    fence: bool = True,
) -> Iterator[Sample]:
    """The rows of the xLAM files that are there; if none is, Hammer's ten published rows."""
    for name, file in XLAM.items():
        if found.path(file).exists():
            for record in records(found.path(file)):
                yield from make(record, name, seed=seed, masked=masked, copies=copies, fence=fence)
    if lacks_xlam(found):
        for record in records(found.path(PUBLISHED)):
            yield from ready(record, fence=fence)


def lacks_xlam(found: Found) -> bool:
    """Whether no xLAM file is there, so that Hammer's ten rows stand in for them."""
    # Deviation D62: the paper's part is made of xLAM alone; the ten are examples of its rows.
    return not any(found.path(file).exists() for file in XLAM.values())


def make(
    record: Record,
    name: str,
    *,
    seed: int,
    masked: float = 2 / 3,
    copies: int = 3,
    fence: bool = True,
) -> Iterator[Sample]:
    """The copies of a record of `name` (xlam or irrelevance), each masked with that probability.

    A copy that is not masked is the record as it stands. No record is left out.
    """
    value = record.value
    with at(record.place):
        asked = Request(
            field(value, "query", str),
            _objects(value["tools"], "parameters"),
            _objects(value["answers"], "arguments"),
        )
        plain = _row(_text(value["tools"]), asked.query, _text(value["answers"]), fence=fence)
    group = f"hammer/{name}/{value.get('id', record.number)}"
    for copy in range(copies):
        row = plain
        # Deviation D59: chance hangs on the seed and the record alone, so that the rows are
        # the same in whatever order and process they are made.
        if chance(seed, group, copy, "masked") < masked:
            one = masking.masked(asked, random.Random(f"{seed}/{group}/{copy}"))
            row = _row(json.dumps(one.tools), one.query, json.dumps(one.answers), fence=fence)
        yield sample(f"{group}#{copy}", "hammer", group, row)


def ready(record: Record, *, fence: bool = True) -> Iterator[Sample]:
    """One of Hammer's published rows, its own words around the blocks replaced by ours."""
    with at(record.place):
        text = field(record.value, "instruction", str)
        tools, query = _TOOLS.search(text), _QUERY.search(text)
        if not tools or not query:
            raise ValueError("no block of tools or no block with the query")
        answers = field(record.value, "output", str).strip().removeprefix("```\n")
        answers = answers.removesuffix("\n```")
        _objects(tools.group(1), "parameters")
        _objects(answers, "arguments")
    name = f"hammer/published/{record.number}"
    yield sample(name, "hammer", name, _row(tools.group(1), query.group(1), answers, fence=fence))


def _row(tools: str, query: str, answers: str, *, fence: bool) -> Row:
    blocks = (
        ("TASK INSTRUCTION", TASK),
        ("AVAILABLE TOOLS", tools),
        ("FORMAT INSTRUCTION", FORMAT),
    )
    instruction = paragraphs(*(_block(name, text) for name, text in blocks))
    output = f"```\n{answers}\n```" if fence else answers
    return Row(instruction, _block("QUERY", query), output)


def _block(name: str, text: str) -> str:
    return f"[BEGIN OF {name}]\n{text}\n[END OF {name}]"


def _objects(value: Any, inner: str) -> tuple[Object, ...]:
    """The objects of a list, or of its JSON; each has a name and that inner object."""
    listed = json.loads(value) if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise TypeError(f"expected a list, found {type(listed).__name__}")
    for one in listed:
        field(one, "name", str)
        field(one, inner, dict)
    return tuple(listed)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
