"""A file of conversations, row by row, whatever state it is in."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from coalm import shards, store
from coalm.corpora.chunks import Fault, chunked
from coalm.corpora.own.rows import NAMELESS, make, style_named
from coalm.corpora.records import Record, parsed
from coalm.errors import DataError
from coalm.types import Sample

_FOREIGN = (
    (b"\xff\xfe\x00\x00", "is UTF-32; convert it to UTF-8"),
    (b"\xff\xfe", "is UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "is UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8"),
    (b"\x1f\x8b", "is gzipped; give it a name that ends in .gz"),
    (b"PK\x03\x04", "is a zip archive; unpack it"),
    (b"PAR1", "is a parquet file; give it a name that ends in .parquet"),
)


def read(path: Path, style: str = "") -> Iterator[Sample]:
    """The samples of a file; the first thing wrong is a `DataError` with its line.

    JSONL or a JSON array, gzipped or not, or parquet in our own schema. A repeated id is an
    error; a conversation without an id that is there twice gets `#2` at the end of its own.
    """
    seen: dict[str, str] = {}
    times: Counter[str] = Counter()
    for entry in entries(path, style):
        if isinstance(entry, Fault):
            raise DataError(str(entry))
        sample = make(entry.place, entry.value, style)
        if sample.id in seen and entry.value.get("id") not in (None, ""):
            raise DataError(f"{entry.place}: {repeated(sample.id, seen[sample.id])}")
        seen.setdefault(sample.id, entry.place)
        times[sample.id] += 1
        again = f"#{times[sample.id]}" if times[sample.id] > 1 else ""
        yield replace(sample, id=sample.id + again) if again else sample
    if not seen:
        raise DataError(f"{path}: holds no rows")


def repeated(name: str, first: str) -> str:
    """What is said of an id that came before; for a row without one, of its conversation."""
    where = f"line {first}" if first.isdigit() else first
    if name.startswith(NAMELESS):
        return f"the same conversation as in {where}"
    return f"the id {name!r} was in {where} already"


def entries(path: Path, style: str = "") -> Iterator[Record | Fault]:
    """Each row of a file, or why there is none in its place."""
    style_named(style)
    peek(path)
    if path.suffix == ".parquet":
        for number, row in shards.parquet_rows(path):
            yield Record(f"{path}:{number}", number, row)
        return
    for chunk in chunked(path):
        yield from [chunk] if isinstance(chunk, Fault) else parsed(chunk)


def peek(path: Path) -> None:
    """A `DataError` if a file is not what its name says, before anything of it is read."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise DataError(f"{path} {what}; own conversations are a JSONL, JSON or parquet file")
    if path.suffix == ".parquet":
        return
    try:
        with store.open_binary(path) as file:
            head = file.read(4096)
    except (OSError, EOFError) as e:
        raise DataError(f"{path}: not readable: {e}") from None
    if not head.strip():
        raise DataError(f"{path}: is empty; it holds no rows")
    for mark, why in _FOREIGN:
        if head.startswith(mark):
            raise DataError(f"{path} {why}")
    if head[:64].count(b"\0") > 8:
        raise DataError(f"{path} looks like UTF-16; convert it to UTF-8")
    lines, first = ".jsonl" in path.suffixes, head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if lines and first == b"[":
        raise DataError(f"{path} is a JSON array, not lines of objects; call it .json")
    if not lines and first == b"{":
        raise DataError(f"{path} begins with an object; if there is one a line, call it .jsonl")
