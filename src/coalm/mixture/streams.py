"""How a corpus is read for a mixture: records in chunks, and what each record becomes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from coalm.corpora import sgd
from coalm.corpora.chunks import Chunk, Fault, chunked
from coalm.corpora.records import Record, Skip
from coalm.mixture.settings import Part
from coalm.sources import Found
from coalm.types import Sample


@dataclass(frozen=True, slots=True)
class Making:
    """What a reader needs beside the record."""

    part: Part
    seed: int
    context: Any
    """What the stream's `context` gave."""
    skip: Skip
    """Where to tell why a sound record is left out."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Records of one kind, and how each becomes samples."""

    chunks: Callable[[Found, Part], Iterator[Chunk | Fault]]
    """Reads the source, once and in order."""
    make: Callable[[Record, Making], Iterable[Sample]]
    """Pure, and called in any process; a `DataError` where the record is broken."""
    context: Callable[[Found, Part], Any] = lambda _found, _part: None
    """What all records need to know of the whole source."""


def file(relative: str) -> Callable[[Found, Part], Iterator[Chunk | Fault]]:
    """One file of a source; nothing where it is an extra that is not there."""

    def read(found: Found, _part: Part) -> Iterator[Chunk | Fault]:
        path = found.path(relative)
        return chunked(path) if path.exists() else iter(())

    return read


def dialogues(found: Found, _part: Part) -> Iterator[Chunk | Fault]:
    """SGD's dialogues."""
    return sgd.chunks(found.path(sgd.ARCHIVE))


def services(found: Found, _part: Part) -> dict[str, sgd.Service]:
    """SGD's schema, as the context of its dialogues."""
    return sgd.schema(found.path(sgd.ARCHIVE))
