"""The databases of MultiWOZ's Cambridge, in memory, as SQLite tables.

The files say `?` or nothing for what is unknown; here that is NULL, so an unknown
entrance fee is never told as one.

Agents ask thousands of times a second (benchmarks/multiwoz_database.py). Three things make
that cheap: columns that compare without case, so that an index serves them; only the rows
that are shown leave SQLite, beside a count of all; and what a misspelt name means is worked
out once, because the tables never change.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from coalm import store
from coalm.agent.cambridge.names import Meant, meant
from coalm.errors import DataError
from coalm.sources import Found

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "restaurant": {
        "name": "name",
        "food": "food",
        "area": "area",
        "pricerange": "pricerange",
        "address": "address",
        "phone": "phone",
        "postcode": "postcode",
        "takesbookings": "takesbookings",
    },
    "hotel": {
        "name": "name",
        "type": "type",
        "area": "area",
        "pricerange": "pricerange",
        "stars": "stars",
        "internet": "internet",
        "parking": "parking",
        "address": "address",
        "phone": "phone",
        "postcode": "postcode",
        "takesbookings": "takesbookings",
    },
    "attraction": {
        "name": "name",
        "type": "type",
        "area": "area",
        "entrance_fee": "entrance fee",
        "address": "address",
        "phone": "phone",
        "postcode": "postcode",
        "opening_hours": "openhours",
    },
    "train": {
        "train_id": "trainID",
        "day": "day",
        "departure": "departure",
        "destination": "destination",
        "leave_at": "leaveAt",
        "arrive_by": "arriveBy",
        "duration": "duration",
        "price": "price",
    },
}
"""Column and JSON key of each table, in the order in which a hit shows them."""

INDEXES: Mapping[str, Sequence[str]] = {
    "restaurant": ("name", "food, area, pricerange", "area, pricerange"),
    "hotel": ("name", "area, type, pricerange"),
    "attraction": ("name", "type, area", "area"),
    "train": (
        "departure, destination, day, leave_at, arrival",
        "departure, destination, day, arrival",
        "destination, day, leave_at, arrival",
        "day, leave_at, arrival",
        "leave_at, arrival",
        "arrival",
        "train_id",
    ),
}
"""What is asked for together, in the order in which an index serves it."""

MEANINGS = 8192
"""Names asked for whose meaning is remembered; the test dialogues hold about a thousand."""

Row = dict[str, str]
"""One hit: what is known of a venue or a train."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The rows that fit a question."""

    count: int
    """How many fit."""
    rows: list[Row]
    """As many of them as were asked for."""


@dataclass(frozen=True, slots=True)
class Town:
    """The tables, safe to ask from several threads."""

    connection: sqlite3.Connection
    taxis: Mapping[str, Sequence[str]]
    """`taxi_colors`, `taxi_types` and `taxi_phone`, as the file has them."""
    meant: Meant = meant
    """How a name that may be misspelt is understood."""
    lock: Lock = field(default_factory=Lock)
    meanings: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    """What was asked for, by table and column, and the names that it means there."""

    def __del__(self) -> None:
        self.connection.close()  # Python 3.13 warns of one that is left open

    def find(
        self,
        table: str,
        exact: Mapping[str, str],
        named: Mapping[str, str],
        *,
        bounds: Mapping[str, str] | None = None,
        order: str = "rowid",
        most: int = -1,
    ) -> Hits:
        """The rows that fit, where `any` fits everything; at most `most` of them are shown.

        `exact` compares values, `named` what somebody may have misspelt, and `bounds`
        maps an SQL condition with one `?` to its value.
        """
        clauses: list[str] = []
        values: list[str] = []
        for column, value in exact.items():
            if value != "any":
                clauses.append(f"{_known(table, column)} = ?")
                values.append(value)
        for column, value in named.items():
            if value != "any":
                names = self._meant(table, column, value)
                if not names:
                    return Hits(0, [])
                clauses.append(f"{column} IN ({', '.join('?' * len(names))})")
                values.extend(names)
        for condition, value in (bounds or {}).items():
            if value != "any":
                clauses.append(condition)
                values.append(value)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        columns = tuple(COLUMNS[table])
        sql = f"SELECT {', '.join(columns)} FROM {table}{where} ORDER BY {order} LIMIT {most}"
        found = self._rows(sql, values)
        count = len(found)
        if count == most:
            [(count,)] = self._rows(f"SELECT COUNT(*) FROM {table}{where}", values)
        return Hits(count, [_without_nulls(columns, row) for row in found])

    def _meant(self, table: str, column: str, value: str) -> list[str]:
        key = (table, column, value)
        known = self.meanings.get(key)
        if known is None:
            if len(self.meanings) >= MEANINGS:  # a model may make up as many as it likes
                self.meanings.clear()
            sql = f"SELECT DISTINCT {_known(table, column)} FROM {table} WHERE {column} IS NOT NULL"
            names = [row[0] for row in self._rows(f"{sql} ORDER BY rowid", [])]
            known = self.meanings[key] = self.meant(value, names)
        return known

    def _rows(self, sql: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        with self.lock:
            return self.connection.execute(sql, values).fetchall()


def load_town(found: Found, understood: Meant = meant) -> Town:
    """The databases of a source as tables; a `DataError` names the file that is broken."""
    taxis = _taxis(found.path("multiwoz/db/taxi_db.json"))
    connection = sqlite3.connect(":memory:", check_same_thread=False, cached_statements=512)
    town = Town(connection, taxis, understood)
    for table, keys in COLUMNS.items():
        path = found.path(f"multiwoz/db/{table}_db.json")
        rows = store.read_json(path)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path}: not a list of objects")
        _fill(town.connection, table, keys, rows)
    # Deviation D45: a train that leaves at 23:40 and arrives at 01:06 arrives late, not
    # early; the paper's code compares the two times as they are written.
    town.connection.execute("ALTER TABLE train ADD COLUMN arrival TEXT")
    town.connection.execute(
        "UPDATE train SET arrival = CASE WHEN arrive_by < leave_at THEN"
        " printf('%02d', substr(arrive_by, 1, 2) + 24) || substr(arrive_by, 3)"
        " ELSE arrive_by END"
    )
    for table, served in INDEXES.items():
        for number, columns in enumerate(served):
            town.connection.execute(f"CREATE INDEX {table}_{number} ON {table} ({columns})")
    town.connection.execute("ANALYZE")
    return town


def _fill(
    connection: sqlite3.Connection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Mapping[str, Any]],
) -> None:
    connection.execute(
        f"CREATE TABLE {table} ({', '.join(f'{c} TEXT COLLATE NOCASE' for c in columns)})"
    )
    places = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO {table} VALUES ({places})",
        [[_value(row.get(name)) for name in columns.values()] for row in rows],
    )


def _value(value: object) -> str | None:
    text = "" if value is None else " ".join(str(value).split())
    return None if text in ("", "?") else text


def _taxis(path: Path) -> Mapping[str, Sequence[str]]:
    found = store.read_json(path)
    needed = ("taxi_colors", "taxi_types", "taxi_phone")
    if not isinstance(found, dict) or not all(found.get(name) for name in needed):
        raise DataError(f"{path}: must hold {', '.join(needed)}")
    return {name: [str(value) for value in found[name]] for name in needed}


def _known(table: str, column: str) -> str:
    """The column, which is never text from outside: names of columns cannot be bound."""
    if column not in COLUMNS[table]:
        raise KeyError(f"{table} has no column {column!r}")
    return column


def _without_nulls(columns: Sequence[str], row: Sequence[Any]) -> Row:
    return {c: value for c, value in zip(columns, row, strict=True) if value is not None}
