"""Source files in chunks: read once and in order, parsed elsewhere, never held whole.

A chunk is about a megabyte of JSON that can be sent to another process. What cannot be
read is a `Fault` with its place, a value like any other, so that whoever reads decides
how many are too many.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from coalm import store

SIZE = 1 << 19
"""Bytes of JSON in a chunk, about; small enough that several processes share a small corpus."""
LONGEST = 8 << 20
"""Bytes of a record; a longer one is no record but a broken file."""

_BETWEEN = re.compile(r"\s*,?\s*")
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a source that cannot be used."""

    place: str
    why: str

    def __str__(self) -> str:
        """The line that a person is shown."""
        return f"{self.place}: {self.why}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records of one file, as bytes."""

    file: str
    """How the file is named to a person."""
    first: int
    """The number of the first record in its file, from 1."""
    count: int
    """How many records; for an archive's member, how many it seems to be."""
    text: bytes
    lines: bool
    """One record a line, else the entries of a JSON array between commas."""
    noun: str = "record"
    """What an entry of an array is called."""

    @property
    def name(self) -> str:
        """The file's name without the folders or the archive that it lies in."""
        return re.split(r"/|: ", self.file)[-1]

    def place(self, number: int) -> str:
        """Where a record stands."""
        return f"{self.file}:{number}" if self.lines else f"{self.file}: {self.noun} {number}"

    def values(self) -> Iterator[tuple[int, Any]]:
        """Number and value of each record; a string says why there is none."""
        if self.lines:
            for number, line in enumerate(self.text.split(b"\n"), self.first):
                if len(line) > LONGEST:
                    yield number, _too_long(len(line))
                elif b"\0" in line or _ESCAPED_NUL.search(line):
                    yield number, _NUL
                elif line.strip():
                    yield number, _value(line)
            return
        if self.count == 1 and len(self.text) > LONGEST:
            yield self.first, _too_long(len(self.text))
            return
        whole = _value(b"[" + self.text + b"]")
        if isinstance(whole, str):
            yield self.first, whole
            return
        suspect = _ESCAPED_NUL.search(self.text) is not None
        for number, value in enumerate(whole, self.first):
            nul = suspect and _ESCAPED_NUL.search(json.dumps(value).encode())
            yield number, _NUL if nul else value


_NUL = "holds a NUL character; mend the file"


def _too_long(size: int) -> str:
    return f"{size / 1e6:.1f} MB in one record, more than {LONGEST / 1e6:.1f}; is it torn?"


def _value(text: bytes) -> Any:
    """The JSON value; a string is an error, since no record is one."""
    try:
        value = json.loads(text)
    except UnicodeDecodeError as e:
        return f"not UTF-8 at byte {e.start}; convert the file"
    except (ValueError, RecursionError) as e:
        return f"not readable as JSON: {e}"
    return "a bare string, not an object" if isinstance(value, str) else value


def chunked(path: Path, *, name: str = "") -> Iterator[Chunk | Fault]:
    """A JSON array or a JSON-lines file in chunks, gzipped or not."""
    cut = _lines if ".jsonl" in path.suffixes else _entries
    try:
        with store.open_binary(path) as file:
            yield from cut(file, name or str(path))
    except (OSError, EOFError) as e:
        yield Fault(name or str(path), f"not readable: {e}; fetch the file anew")


def _lines(file: IO[bytes], name: str) -> Iterator[Chunk | Fault]:
    first, rest = 1, b""
    while block := file.read(SIZE):
        rest += block
        end = rest.rfind(b"\n") + 1
        if end:
            lines = rest.count(b"\n", 0, end)
            yield Chunk(name, first, lines, rest[:end], lines=True)
            first, rest = first + lines, rest[end:]
        elif len(rest) > 8 * LONGEST:
            yield Fault(f"{name}:{first}", f"more than {8 * LONGEST >> 20} MB in one line")
            return
    if rest.strip():
        yield Chunk(name, first, 1, rest, lines=True)


def _entries(file: IO[bytes], name: str) -> Iterator[Chunk | Fault]:
    """The entries of an array, cut where one ends; what follows a broken one is not read."""
    source = io.TextIOWrapper(file, "utf-8-sig", newline="")
    first, line, text = 1, 1, ""
    try:
        text = source.read(SIZE)
        place = _gap(text, 0)
        if text[place : place + 1] != "[":
            yield Fault(name, "not a JSON array; is it the file?")
            return
        line, text = 1 + text.count("\n", 0, place), text[place + 1 :]
        while True:
            found = _whole(text)
            if found.count:
                yield Chunk(name, first, found.count, text[found.start : found.end].encode(), False)
            first, line = first + found.count, line + text.count("\n", 0, found.end)
            text = text[found.end :]
            if found.closed:
                return
            if found.full:
                continue
            torn = len(text) > LONGEST and not found.count
            block = "" if torn else source.read(max(SIZE, len(text)))
            if not block:
                line += text.count("\n", 0, _gap(text, 0))
                why = found.why or "the array does not end; is the file cut off?"
                yield Fault(f"{name}: record {first}, line {line}", why)
                return
            text += block
    except UnicodeDecodeError:
        yield Fault(f"{name}: after line {line}", "not UTF-8; convert the file")
    finally:
        source.detach()  # the file is closed by whoever opened it


@dataclass(frozen=True, slots=True)
class _Whole:
    """The entries of an array that are whole in a window of it."""

    start: int
    end: int
    count: int
    closed: bool = False
    full: bool = False
    """There may be more; this is enough for a chunk."""
    why: str = ""
    """Why the next one cannot be read, if it is there."""


def _whole(text: str) -> _Whole:
    start = end = _gap(text, 0)
    count = 0
    while end < SIZE:
        place = _gap(text, end)
        if place == len(text):
            return _Whole(start, end, count)
        if text[place] == "]":
            return _Whole(start, end, count, closed=True)
        try:
            _, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as e:
            return _Whole(start, end, count, why=f"not readable as JSON: {e}")
        count += 1
    return _Whole(start, end, count, full=True)


def _gap(text: str, place: int) -> int:
    """Where the blanks and the comma between two entries end."""
    found = _BETWEEN.match(text, place)
    return found.end() if found else place
