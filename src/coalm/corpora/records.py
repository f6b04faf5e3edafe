"""Records of a source file, each with its place, so that a broken one is named.

A reader builds each sample inside `at(place)`: whatever is missing or of the wrong
kind becomes a `DataError` that says where, and never half a sample. A sound record
that is of no use is reported to a `Skip`, which counts reasons.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from coalm import store
from coalm.errors import DataError

Skip: TypeAlias = Callable[[str], object]
"""Told the reason each time a sound record is left out."""

T = TypeVar("T")


def ignore(reason: str) -> None:
    """A `Skip` that keeps no count."""


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object of each record of a JSON array or a JSON-lines file, gzipped or not."""
    if ".jsonl" in path.suffixes:
        for number, row in store.read_jsonl(path):
            yield f"{path}:{number}", row
        return
    for number, row in enumerate(array(path), 1):
        place = f"{path}: record {number}"
        if not isinstance(row, dict):
            raise DataError(f"{place}: not a JSON object but {type(row).__name__}; mend the file")
        yield place, row


def array(path: Path) -> list[Any]:
    """The JSON array that a file holds."""
    whole = store.read_json(path)
    if not isinstance(whole, list):
        raise DataError(f"{path}: not a JSON array but {type(whole).__name__}; is it the file?")
    return whole


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
