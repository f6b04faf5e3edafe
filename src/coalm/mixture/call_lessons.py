"""Single requests with tools as rows: the call itself, or another lesson of the same request."""

from collections.abc import Iterator

from coalm.corpora import hammer, lessons, masking, sealtools, toolrl
from coalm.corpora.chunks import Chunk, Fault, chunked
from coalm.corpora.lessons import Surroundings, surroundings
from coalm.corpora.masking import Row
from coalm.corpora.records import Record, parsed
from coalm.errors import DataError
from coalm.mixture.settings import Part
from coalm.mixture.streams import Making, Stream, file
from coalm.sources import Found
from coalm.types import Sample

NEEDY = frozenset({"irrelevant", "joined"})
"""Lessons that need other rows and tools of the corpus."""


def _taught(row: Row, corpus: str, around: Surroundings, making: Making) -> Iterator[Sample]:
    part = making.part
    return lessons.make(
        row,
        part.lesson,
        corpus,
        around,
        seed=making.seed,
        masked=part.masked,
        copies=part.copies,
        answered=part.answered,
    )


def _sound(chunks: Iterator[Chunk | Fault]) -> Iterator[Record]:
    """The records that can be read; what cannot is told of where the rows are made."""
    for chunk in chunks:
        if isinstance(chunk, Chunk):
            yield from (one for one in parsed(chunk) if isinstance(one, Record))


# --- Hammer's xLAM ------------------------------------------------------------------------


def _xlam_rows(found: Found, name: str) -> Iterator[Row]:
    path = found.path(hammer.XLAM[name])
    for record in _sound(chunked(path)) if path.exists() else ():
        try:
            yield from hammer.row_of(record, f"hammer/{name}")
        except DataError:
            continue


def _around_xlam(found: Found, part: Part) -> Surroundings:
    needs = part.lesson in NEEDY
    return surroundings(row for name in hammer.XLAM if needs for row in _xlam_rows(found, name))


def _xlam(name: str) -> Stream:
    def make(record: Record, making: Making) -> Iterator[Sample]:
        for row in hammer.row_of(record, f"hammer/{name}", making.skip):
            yield from _taught(row, "hammer", making.context, making)

    return Stream(file(hammer.XLAM[name]), make, _around_xlam)


def _masked_already(record: Record, making: Making) -> Iterator[Sample]:
    if making.part.lesson != "calls":
        return
    for row in hammer.published_row(record, making.skip):
        # They come masked, so they are never masked again.
        yield from masking.samples(row, "hammer", seed=making.seed, masked=0.0)


# --- Seal-Tools ---------------------------------------------------------------------------


def _around_sealtools(found: Found, part: Part) -> tuple[sealtools.Toolbox, Surroundings]:
    known = sealtools.toolbox(found.path(sealtools.TOOLS))
    rows: list[Row] = []
    for record in _sound(chunked(found.path(sealtools.DEV))) if part.lesson in NEEDY else ():
        try:
            rows += sealtools.rows(record, known, 42)
        except DataError:
            continue
    return known, surroundings(rows, ((one.spec, one.field) for one in known.values()))


def _sealtools(record: Record, making: Making) -> Iterator[Sample]:
    known, around = making.context
    part = making.part
    for row in sealtools.rows(record, known, making.seed, making.skip):
        if part.lesson == "calls":
            yield from sealtools.asked(
                row,
                known,
                seed=making.seed,
                masked=part.masked,
                copies=part.copies,
                irrelevant=part.irrelevant,
            )
        else:
            yield from _taught(row, "sealtools", around, making)


# --- ToolRL -------------------------------------------------------------------------------


def _around_toolrl(found: Found, part: Part) -> Surroundings:
    rows: list[Row] = []
    for record in _sound(chunked(found.path(toolrl.ROWS))) if part.lesson in NEEDY else ():
        try:
            rows += filter(None, map(lessons.row_from, toolrl.make(record)))
        except DataError:
            continue
    return surroundings(rows)


def _toolrl(record: Record, making: Making) -> Iterator[Sample]:
    for sample in toolrl.make(record, making.skip):
        if making.part.lesson == "calls":
            yield sample
            continue
        row = lessons.row_from(sample)
        if row is None:
            making.skip("not a single request")
        else:
            yield from _taught(row, "toolrl", making.context, making)


HAMMER = (_xlam("xlam"), _xlam("irrelevance"), Stream(file(hammer.PUBLISHED), _masked_already))
SEALTOOLS = (Stream(file(sealtools.DEV), _sealtools, _around_sealtools),)
TOOLRL = (Stream(file(toolrl.ROWS), _toolrl, _around_toolrl),)
