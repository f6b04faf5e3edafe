"""A folder of JSON Lines, or a SQLite file, as tools that find and book (as MultiWOZ's and SGD's).

Every table gets a `find_TABLE`: closed columns must match, names may be spelt a little wrong,
numbers can be bounded. A table that is named as bookable gets a `book_TABLE` as well, which
writes into `bookings` and gives back a reference. The data itself is never changed.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from coalm import store
from coalm.agent.functions import Refused
from coalm.agent.toolbox import Kit
from coalm.agent.toolbox.arguments import checked, folded
from coalm.agent.toolbox.rows import Column, Table, is_number, read
from coalm.errors import DataError, MissingExtra, RecipeError, unknown
from coalm.types import Json, ToolSpec

try:
    from rapidfuzz import fuzz
except ImportError:
    raise MissingExtra("serve", "tables as tools") from None

__all__ = ["Book", "Column", "Find", "Table", "opened", "read"]

HITS = 10
"""Rows that a search gives back."""
ALIKE = 80.0
"""How alike a name must be, of 100, as in the lab's database (facts on MultiWOZ's protocol)."""

Row = Mapping[str, Any]
Fits = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Find:
    """Searches a table: itself a `Tool`."""

    table: Table

    @property
    def spec(self) -> ToolSpec:
        """`find_TABLE`: every column may be given, none must."""
        schemas = {argument: schema for argument, (_, _, schema) in _arguments(self.table).items()}
        parameters = {"type": "object", "properties": schemas, "required": []}
        name = self.table.name
        words = f"Look up {name.replace('_', ' ')}; leave out what does not matter."
        return ToolSpec(f"find_{name}", words, cast("dict[str, Json]", parameters))

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """`{"count": ..., "hits": [...]}`, the first hits; near spellings where no exact one is."""
        given = checked(self.spec, {k: v for k, v in arguments.items() if v not in (None, "")})
        known = _arguments(self.table)
        hits: Sequence[Row] = self.table.rows
        for name, value in given.items():
            column, bound, _ = known[name]
            fits = _test(column.name, value, bound, exact=bool(column.values))
            found = [row for row in hits if fits(row)]
            same = _test(column.name, value, bound, exact=True)
            hits = [row for row in found if same(row)] or found
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
    earlier: int = 0
    """Bookings that were in the file before: a reference is never given twice."""

    @property
    def spec(self) -> ToolSpec:
        """`book_TABLE`: the row, and the details."""
        name, key = self.table.name, self.table.key
        properties = {one: {"type": "string"} for one in (key, *self.details)}
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        words = f"Book one of {name.replace('_', ' ')}, by its {key}."
        return ToolSpec(f"book_{name}", words, cast("dict[str, Json]", parameters))

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """`{"booked": ..., "reference": ...}`; `Refused` if there is no such row, or several.

        The name must be the row's own: what a human has agreed to is what is booked.
        """
        stripped = {k: v for k, v in arguments.items() if str(v).strip() or v is None}
        given = checked(self.spec, stripped)
        key = self.table.key
        rows, wanted = self.table.rows, folded(str(given[key]))
        hits = [row for row in rows if row.get(key) is not None and folded(str(row[key])) == wanted]
        if len(hits) != 1:
            near = [str(row[key]) for row in rows if _test(key, given[key])(row)][:5]
            many = f"{len(hits)} are" if hits else "none is"
            hint = f"; there are {', '.join(near)}" if near and not hits else ""
            raise Refused(f"{many} called {given[key]!r}{hint}")
        with self.lock:
            count = self.earlier + len(self.made)
            reference = _reference([self.table.name, given, count])
            row = {"booked": hits[0][key], **given, key: hits[0][key], "reference": reference}
            if self.bookings is not None:
                store.append(self.bookings, [{"table": self.table.name} | row])
            self.made.append(row)
        return store.compact(row)


@contextmanager
def opened(
    path: Path,
    *,
    only: Sequence[str] = (),
    book: Mapping[str, Sequence[str]] | None = None,
    bookings: Path | None = None,
    domain: str = "",
) -> Iterator[Kit]:
    """The tables of a folder or file as tools; `book` says which can be booked, with what.

    `only` names some of the tables. Bookings are appended to the JSONL file `bookings`, or
    forgotten at the end without one.
    """
    found = {table.name: table for table in read(path, without=bookings)}
    for name in (*only, *(book or {})):
        if name not in found:
            raise RecipeError(f"tables: {unknown('table', name, found)}")
    tables = {name: one for name, one in found.items() if not only or name in only}
    earlier = _earlier(bookings) if book and bookings is not None else 0
    tools: dict[str, Find | Book] = {f"find_{name}": Find(one) for name, one in tables.items()}
    for name, details in (book or {}).items():
        if not found[name].key:
            raise RecipeError(f"tables: the rows of {name!r} have nothing to be called by")
        tools[f"book_{name}"] = Book(found[name], tuple(details), bookings, earlier=earlier)
    writes = frozenset(name for name, tool in tools.items() if isinstance(tool, Book))
    yield Kit(tools, writes, domain)


def _earlier(bookings: Path) -> int:
    try:
        return len(bookings.read_bytes().splitlines()) if bookings.exists() else 0
    except OSError as e:
        raise DataError(f"{bookings}: {e.strerror}") from None


def _arguments(table: Table) -> dict[str, tuple[Column, str, dict[str, Any]]]:
    """Argument -> the column, `min` or `max` for a bound of it, and the schema."""
    made: dict[str, tuple[Column, str, dict[str, Any]]] = {}
    for column in table.columns:
        name = column.argument if column.argument not in made else column.name
        made[name] = (column, "", _schema(column))
    bounded: dict[str, tuple[Column, str, dict[str, Any]]] = {}
    for name, (column, _, schema) in made.items():
        for bound, word in (("min", "at least"), ("max", "at most")):
            if column.kind == "number" and f"{bound}_{name}" not in made:
                about = {"type": "number", "description": f"{word} this {column.name}"}
                bounded[f"{bound}_{name}"] = (column, bound, about)
        bounded[name] = (column, "", schema)
    return bounded


def _schema(column: Column) -> dict[str, Any]:
    match column.kind:
        case "number":
            return {"type": "number"}
        case "truth":
            return {"type": "boolean"}
        case _:
            return {"type": "string"} | ({"enum": list(column.values)} if column.values else {})


def _test(name: str, wanted: Any, bound: str = "", *, exact: bool = False) -> Fits:
    """Whether a row has what an argument asks for."""
    text = folded(str(wanted))
    number = float(wanted) if is_number(wanted) else _number(str(wanted))

    def fits(row: Row) -> bool:
        value = row.get(name)
        if value is None:
            return False
        if bound:
            return is_number(value) and bool(value >= number if bound == "min" else value <= number)
        if isinstance(value, bool):
            return value == wanted or str(value).lower() == text
        if is_number(value):
            return value == number or str(value) == text
        mine = folded(value)
        near = len(text) > 3 and not exact  # of a closed column, one value is not another
        return mine == text or (near and fuzz.ratio(mine, text) >= ALIKE)

    return fits


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _reference(request: object) -> str:
    """Eight letters and digits that only depend on the request, so that a run can be repeated."""
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    return digest[:8].upper()
