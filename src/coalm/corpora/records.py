"""Records of a source file, each with its place, so that a broken one is named.

A reader builds each sample inside `at(place)`: whatever is missing or of the wrong
kind becomes a `DataError` that says where, and never half a sample. A sound record
that is of no use is reported to a `Skip`, which counts reasons.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from coalm.corpora import chunks
from coalm.corpora.chunks import Chunk, Fault
from coalm.errors import DataError

Skip: TypeAlias = Callable[[str], object]
"""Told the reason each time a sound record is left out."""

T = TypeVar("T")


def ignore(reason: str) -> None:
    """A `Skip` that keeps no count."""


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a source, and where it stands."""

    place: str
    """`FILE:12` for a line, `FILE: record 12` for an entry of an array."""
    number: int
    """From 1, in its file."""
    value: dict[str, Any]


def records(path: Path) -> Iterator[Record]:
    """Each record of a JSON array or a JSON-lines file, gzipped or not; the first fault raises."""
    for chunk in chunks.chunked(path):
        for one in [chunk] if isinstance(chunk, Fault) else parsed(chunk):
            if isinstance(one, Fault):
                raise DataError(str(one))
            yield one


def parsed(chunk: Chunk) -> Iterator[Record | Fault]:
    """The records of a chunk; a broken one is a `Fault` in its place."""
    for number, value in chunk.values():
        place = chunk.place(number)
        if isinstance(value, str):
            yield Fault(place, value)
        elif not isinstance(value, dict):
            yield Fault(place, f"not a JSON object but {type(value).__name__}; mend the file")
        else:
            yield Record(place, number, value)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Whatever cannot be read inside the block becomes a `DataError` that names the place."""
    try:
        yield
    except KeyError as e:
        raise DataError(f"{place}: lacks {e.args[0]!r}; fetch the file anew or mend it") from None
    except (TypeError, ValueError, AttributeError, IndexError, RecursionError) as e:
        raise DataError(f"{place}: {e}; fetch the file anew or mend it") from None


def field(row: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """A field of that kind; `KeyError` or `TypeError` where it is not there or another."""
    value = row[name]
    if not isinstance(value, kind):
        raise TypeError(f"{name!r} is {type(value).__name__}, not {kind.__name__}")
    return value


def chance(*key: object) -> float:
    """A number from 0 to 1 that only depends on the key: the same on every machine."""
    text = "\x1f".join(map(str, key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
