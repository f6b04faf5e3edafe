"""The databases of MultiWOZ's Cambridge, in memory, as SQLite tables.

The files say `?` or nothing for what is unknown; here that is NULL, so an unknown
entrance fee is never told as one.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from coalm import store
from coalm.agent.cambridge.names import meant
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

Row = dict[str, str]
"""One hit: what is known of a venue or a train."""


@dataclass(frozen=True, slots=True)
class Town:
    """The tables, safe to ask from several threads."""

    connection: sqlite3.Connection
    taxis: Mapping[str, Sequence[str]]
    """`taxi_colors`, `taxi_types` and `taxi_phone`, as the file has them."""
    lock: Lock = field(default_factory=Lock)

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
    ) -> list[Row]:
        """The rows that fit, where `any` fits everything.

        `exact` compares values, `named` what somebody may have misspelt, and `bounds`
        maps an SQL condition with one `?` to its value.
        """
        clauses: list[str] = []
        values: list[str] = []
        for column, value in exact.items():
            if value != "any":
                clauses.append(f"lower({_known(table, column)}) = lower(?)")
                values.append(value)
        for column, value in named.items():
            if value != "any":
                names = self._meant(table, column, value)
                clauses.append(f"{column} IN ({', '.join('?' * len(names))})")
                values.extend(names)
        for condition, value in (bounds or {}).items():
            if value != "any":
                clauses.append(condition)
                values.append(value)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        columns = list(COLUMNS[table])
        sql = f"SELECT {', '.join(columns)} FROM {table}{where} ORDER BY {order}"
        return [_without_nulls(columns, row) for row in self._rows(sql, values)]

    def _meant(self, table: str, column: str, value: str) -> list[str]:
        sql = f"SELECT DISTINCT {_known(table, column)} FROM {table} WHERE {column} IS NOT NULL"
        return meant(value, (row[0] for row in self._rows(sql, [])))

    def _rows(self, sql: str, values: Sequence[str]) -> list[tuple[str, ...]]:
        with self.lock:
            return self.connection.execute(sql, values).fetchall()


def load_town(found: Found) -> Town:
    """The databases of a source as tables; a `DataError` names the file that is broken."""
    taxis = _taxis(found.path("multiwoz/db/taxi_db.json"))
    town = Town(sqlite3.connect(":memory:", check_same_thread=False), taxis)
    for table, columns in COLUMNS.items():
        path = found.path(f"multiwoz/db/{table}_db.json")
        rows = store.read_json(path)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path}: not a list of objects")
        _fill(town.connection, table, columns, rows)
    # Deviation D45: a train that leaves at 23:40 and arrives at 01:06 arrives late, not
    # early; the paper's code compares the two times as they are written.
    town.connection.execute("ALTER TABLE train ADD COLUMN arrival TEXT")
    town.connection.execute(
        "UPDATE train SET arrival = CASE WHEN arrive_by < leave_at THEN"
        " printf('%02d', substr(arrive_by, 1, 2) + 24) || substr(arrive_by, 3)"
        " ELSE arrive_by END"
    )
    return town


def _fill(
    connection: sqlite3.Connection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Mapping[str, Any]],
) -> None:
    connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
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


def _without_nulls(columns: Sequence[str], row: Sequence[str | None]) -> Row:
    return {c: value for c, value in zip(columns, row, strict=True) if value is not None}
