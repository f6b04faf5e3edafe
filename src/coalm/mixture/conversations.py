"""Corpora as conversations: for each, its records and what each becomes. One function a corpus."""

import json
from collections.abc import Iterator
from pathlib import Path

from coalm import shards
from coalm.corpora import (
    glaive,
    own,
    snips,
    toolace,
)
from coalm.corpora.chunks import SIZE, Chunk, Fault, chunked
from coalm.corpora.records import Record
from coalm.mixture.settings import Part
from coalm.mixture.streams import Making, Stream, file
from coalm.sources import Found
from coalm.types import Sample, System


def _own(_found: Found, part: Part) -> Iterator[Chunk | Fault]:
    path = Path(part.path)
    return _from_parquet(path) if path.suffix == ".parquet" else chunked(path)


def _own_row(record: Record, making: Making) -> Iterator[Sample]:
    yield own.make(record.place, record.value, making.part.style)


def _from_parquet(path: Path) -> Iterator[Chunk]:
    """The rows of a parquet file as lines of JSON."""
    held, first, size = list[str](), 1, 0
    for number, row in shards.parquet_rows(path):
        held.append(json.dumps(row))
        size += len(held[-1])
        if size > SIZE:
            yield Chunk(str(path), first, len(held), "\n".join(held).encode(), lines=True)
            held, first, size = [], number + 1, 0
    if held:
        yield Chunk(str(path), first, len(held), "\n".join(held).encode(), lines=True)


SNIPS = (
    Stream(
        lambda found, _part: snips.chunks(found),
        lambda record, making: snips.make(record, making.context),
        lambda found, _: System(snips.instruction(snips.pairs(snips.utterances(found)))),
    ),
)
GLAIVE = (Stream(file(glaive.ROWS), lambda record, making: glaive.make(record, making.skip)),)
TOOLACE = (Stream(file(toolace.ROWS), lambda record, making: toolace.make(record, making.skip)),)
OWN = (Stream(_own, _own_row),)
