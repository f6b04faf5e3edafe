"""Corpora as conversations: for each, its records and what each becomes. One function a corpus."""

import json
from collections.abc import Iterator
from pathlib import Path

from coalm import shards
from coalm.corpora import (
    glaive,
    hammer,
    masking,
    own,
    sealtools,
    sgd,
    sgd_states,
    snips,
    toolace,
    toolrl,
)
from coalm.corpora.chunks import SIZE, Chunk, Fault, chunked
from coalm.corpora.records import Record
from coalm.cra import annotated
from coalm.cra.check import check
from coalm.mixture.settings import Part
from coalm.mixture.streams import Making, Stream, dialogues, file, services
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


def _xlam(name: str) -> Stream:
    def make(record: Record, making: Making) -> Iterator[Sample]:
        part = making.part
        for row in hammer.row_of(record, f"hammer/{name}", making.skip):
            yield from masking.samples(
                row, "hammer", seed=making.seed, masked=part.masked, copies=part.copies
            )

    return Stream(file(hammer.XLAM[name]), make)


def _published_hammer(record: Record, making: Making) -> Iterator[Sample]:
    for row in hammer.published_row(record, making.skip):
        # They come masked, so they are never masked again.
        yield from masking.samples(row, "hammer", seed=making.seed, masked=0.0)


def _sealtools(record: Record, making: Making) -> Iterator[Sample]:
    part = making.part
    for row in sealtools.rows(record, making.context, making.seed, making.skip):
        yield from sealtools.asked(
            row,
            making.context,
            seed=making.seed,
            masked=part.masked,
            copies=part.copies,
            irrelevant=part.irrelevant,
        )


def _sgd_states(record: Record, making: Making) -> Iterator[Sample]:
    part = making.part
    return sgd_states.make(
        sgd.fitting(record, making.context),
        making.context,
        sgd_states.Asking(seed=making.seed, slots=part.slots),
        copies=part.copies,
        domains=part.domains,
        skip=making.skip,
    )


def sgd_cra(record: Record, making: Making) -> Iterator[Sample]:
    """The conversation of a dialogue, if it passes every check."""
    dialogue = sgd.fitting(record, making.context)
    sample = annotated.annotated(dialogue, making.context, making.part.turns)
    wrong = check(sample, dialogue, making.context)
    if wrong:
        making.skip(str(wrong[0]))
        return
    yield sample


SNIPS = (
    Stream(
        lambda found, _part: snips.chunks(found),
        lambda record, making: snips.make(record, making.context),
        lambda found, _: System(snips.instruction(snips.pairs(snips.utterances(found)))),
    ),
)
HAMMER = (
    _xlam("xlam"),
    _xlam("irrelevance"),
    Stream(file(hammer.PUBLISHED), _published_hammer),
)
SEALTOOLS = (
    Stream(
        file(sealtools.DEV),
        _sealtools,
        lambda found, _part: sealtools.toolbox(found.path(sealtools.TOOLS)),
    ),
)
TOOLRL = (Stream(file(toolrl.ROWS), lambda record, making: toolrl.make(record, making.skip)),)
GLAIVE = (Stream(file(glaive.ROWS), lambda record, making: glaive.make(record, making.skip)),)
TOOLACE = (Stream(file(toolace.ROWS), lambda record, making: toolace.make(record, making.skip)),)
SGD_STATES = (Stream(dialogues, _sgd_states, services),)
SGD_CRA = (Stream(dialogues, sgd_cra, services),)
OWN = (Stream(_own, _own_row),)
