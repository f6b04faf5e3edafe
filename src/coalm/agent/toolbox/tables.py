"""A folder of JSON Lines, or a SQLite file, as tools that find and book (as MultiWOZ's and SGD's).

Every table gets a `find_TABLE`: closed columns must match, names may be spelt a little wrong,
numbers can be bounded. A table that is named as bookable gets a `book_TABLE` as well, which
writes into `bookings` and gives back a reference. The data itself is never changed.
"""

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from coalm import store
from coalm.agent.functions import Refused
from coalm.agent.toolbox import Kit
from coalm.agent.toolbox.arguments import checked
from coalm.errors import DataError, RecipeError, unknown
from coalm.types import Json, ToolSpec

CLOSED = 12
"""A text column with so few values is closed: the model is told them, and one must be given."""
HITS = 10
"""Rows that a search gives back."""
ALIKE = 80.0
"""How alike a name must be, of 100, as in the lab's database (facts on MultiWOZ's protocol)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the tools see it."""

    name: str
    number: bool
    values: tuple[str, ...] = ()
    """All of them, where they are few."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory; its rows are kept as they came."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def key(self) -> str:
        """What a row is called by: `name`, `id`, or the first column whose values all differ."""
        names = [column.name for column in self.columns]
        for name in ("name", "id", "title"):
            if name in names:
                return name
        alone = (n for n in names if len({str(row.get(n)) for row in self.rows}) == len(self.rows))
        return next(alone, names[0])


@dataclass(frozen=True, slots=True)
class Find:
    """Searches a table: itself a `Tool`."""

    table: Table

    @property
    def spec(self) -> ToolSpec:
        """`find_TABLE`: every column may be given, none must."""
        properties: dict[str, Any] = {}
        for column in self.table.columns:
            if column.number:
                for bound, word in (("min", "at least"), ("max", "at most")):
                    about = f"{word} this {column.name}"
                    properties[f"{bound}_{column.name}"] = {"type": "number", "description": about}
            properties[column.name] = _schema(column)
        parameters = {"type": "object", "properties": properties, "required": []}
        name = self.table.name
        words = f"Look up {name.replace('_', ' ')}; leave out what does not matter."
        return ToolSpec(f"find_{name}", words, cast("dict[str, Json]", parameters))

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """`{"count": ..., "hits": [...]}`, the first hits."""
        given = checked(self.spec, {k: v for k, v in arguments.items() if v not in (None, "")})
        hits = [row for row in self.table.rows if all(_fits(row, n, v) for n, v in given.items())]
        return store.compact({"count": len(hits), "hits": hits[:HITS]})


@dataclass(frozen=True, slots=True)
class Book:
    """Books a row of a table: itself a `Tool`."""

    table: Table
    details: tuple[str, ...]
    """What must be given beside the row's name, such as `day` and `people`."""
    bookings: Path | None
    made: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def spec(self) -> ToolSpec:
        """`book_TABLE`: the row, and the details."""
        name, key = self.table.name, self.table.key
        properties = {one: {"type": "string"} for one in (key, *self.details)}
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        words = f"Book one of {name.replace('_', ' ')}, by its {key}."
        return ToolSpec(f"book_{name}", words, cast("dict[str, Json]", parameters))

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """`{"booked": ..., "reference": ...}`; `Refused` if there is no such row, or several."""
        given = checked(self.spec, arguments)
        key = self.table.key
        hits = [row for row in self.table.rows if _fits(row, key, given[key])]
        exact = [row for row in hits if str(row[key]).lower() == str(given[key]).lower()]
        hits = exact or hits
        if len(hits) != 1:
            names = ", ".join(str(row[key]) for row in hits[:5])
            raise Refused(
                f"{len(hits)} are called {given[key]!r}" + (f": {names}" if names else "")
            )
        with self.lock:
            reference = _reference([self.table.name, given, len(self.made)])
            row = {"booked": hits[0][key], **given, key: hits[0][key], "reference": reference}
            self.made.append(row)
            if self.bookings is not None:
                store.append(self.bookings, [{"table": self.table.name} | row])
        return store.compact(row)


@contextmanager
def opened(
    path: Path,
    *,
    book: Mapping[str, Sequence[str]] | None = None,
    bookings: Path | None = None,
    domain: str = "",
) -> Iterator[Kit]:
    """The tables of a folder or file as tools; `book` says which can be booked, with what.

    Bookings are appended to the JSONL file `bookings`, or forgotten at the end without one.
    """
    tables = {table.name: table for table in read(path)}
    tools: dict[str, Find | Book] = {f"find_{name}": Find(one) for name, one in tables.items()}
    for name, details in (book or {}).items():
        if name not in tables:
            raise RecipeError(f"tables: {unknown('table', name, tables)}")
        tools[f"book_{name}"] = Book(tables[name], tuple(details), bookings)
    writes = frozenset(name for name, tool in tools.items() if isinstance(tool, Book))
    yield Kit(tools, writes, domain)


def read(path: Path) -> tuple[Table, ...]:
    """The tables of a SQLite file, of a JSONL file, or of a folder of JSONL files.

    A `DataError` names what cannot be read, by line.
    """
    if path.is_dir():
        found = sorted(path.glob("*.jsonl"))
        if not found:
            raise DataError(f"{path} holds no .jsonl files")
        return tuple(_lines(one) for one in found)
    if not path.is_file():
        raise DataError(f"{path} is not there")
    return (_lines(path),) if path.suffix == ".jsonl" else _sqlite(path)


def _lines(path: Path) -> Table:
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as e:
            raise DataError(f"{path}:{number}: not JSON: {e}") from None
        if not isinstance(row, dict):
            raise DataError(f"{path}:{number}: not an object")
        rows.append(row)
    return _table(path.stem, rows, str(path))


def _sqlite(path: Path) -> tuple[Table, ...]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            listed = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            names = [str(row["name"]) for row in listed]
            quoted = {name: '"' + name.replace('"', '""') + '"' for name in names}
            return tuple(
                _table(
                    name,
                    [dict(row) for row in database.execute(f"SELECT * FROM {quoted[name]}")],
                    f"{path}: {name}",
                )
                for name in names
            )
    except sqlite3.Error as e:
        raise DataError(f"{path}: no SQLite database that can be read: {e}") from None


def _table(name: str, rows: Sequence[Mapping[str, Any]], place: str) -> Table:
    names = list(dict.fromkeys(column for row in rows for column in row))
    if not names:
        raise DataError(f"{place}: the table is empty")
    columns = []
    for column in names:
        values = [row[column] for row in rows if row.get(column) not in (None, "")]
        if not all(isinstance(value, str | int | float) for value in values):
            continue  # lists and objects are shown, and not searched
        number = bool(values) and all(_is_number(value) for value in values)
        few = sorted({str(value) for value in values})
        closed = not number and len(few) <= CLOSED and len(few) < len(rows)
        columns.append(Column(column, number, tuple(few) if closed else ()))
    return Table(re.sub(r"\W+", "_", name), tuple(columns), tuple(rows))


def _schema(column: Column) -> dict[str, Any]:
    if column.number:
        return {"type": "number"}
    return {"type": "string"} | ({"enum": list(column.values)} if column.values else {})


def _fits(row: Mapping[str, Any], name: str, wanted: Any) -> bool:
    """Whether a row has what an argument asks for."""
    bound, _, column = name.partition("_")
    if bound in ("min", "max") and name not in row:
        value = row.get(column)
        if not isinstance(value, int | float):
            return False
        return bool(value >= wanted if bound == "min" else value <= wanted)
    value = row.get(name)
    if value is None:
        return False
    if _is_number(value):
        return bool(value == wanted) or str(value) == str(wanted)
    return _alike(str(value).lower(), str(wanted).lower())


def _alike(one: str, other: str) -> bool:
    from rapidfuzz import fuzz

    return one == other or (len(other) > 3 and fuzz.ratio(one, other) >= ALIKE)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reference(request: object) -> str:
    """Eight letters and digits that only depend on the request, so that a run can be repeated."""
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    return digest[:8].upper()
