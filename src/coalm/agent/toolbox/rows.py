"""Tables of data out of JSON Lines and SQLite files, looked over once."""

import json
import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm.errors import DataError

CLOSED = 12
"""A text column with so few values is closed: the model is told them, and one must be given."""
CALLED = ("name", "id", "title")
"""What a row may be called by. Such a column is never closed."""

Kind = Literal["text", "number", "truth"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the tools see it."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """All of them, where they are few."""

    @property
    def argument(self) -> str:
        """What it is called in a call: without blanks and signs, which some dialects cannot say."""
        return re.sub(r"\W+", "_", self.name).strip("_") or "column"


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory; its rows are kept as they came."""

    name: str
    columns: tuple[Column, ...]
    """Those that can be searched."""
    rows: tuple[Mapping[str, Any], ...]
    key: str
    """What a row is called by: `name`, `id`, or the first column whose values all differ."""


def read(path: Path, *, without: Path | None = None) -> tuple[Table, ...]:
    """The tables of a SQLite file, of a JSONL file, or of a folder of JSONL files.

    The file `without` is left out. A `DataError` names what cannot be read, by line.
    """
    if path.is_dir():
        skip = without.resolve() if without else None
        found = [one for one in sorted(path.glob("*.jsonl")) if one.resolve() != skip]
        if not found:
            raise DataError(f"{path} holds no .jsonl files")
        tables = [_lines(one) for one in found]
    elif not path.is_file():
        raise DataError(f"{path} is not there")
    else:
        tables = [_lines(path)] if path.suffix == ".jsonl" else _sqlite(path)
    names = [table.name for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}: two tables would be called {name!r}")
    return tuple(tables)


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
        rows.append({name: _shown(value) for name, value in row.items()})
    if not any(rows):
        raise DataError(f"{path}: the table is empty")
    return _table(path.stem, rows)


def _sqlite(path: Path) -> list[Table]:
    """Tables and views; those without rows have nothing to be found."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            listed = database.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'sqlite_%'"
            )
            tables = []
            for name in [str(row["name"]) for row in listed]:
                quoted = '"' + name.replace('"', '""') + '"'
                rows = database.execute(f"SELECT * FROM {quoted}").fetchall()
                if rows:
                    plain = [{k: _shown(row[k]) for k in row.keys()} for row in rows]  # noqa: SIM118
                    tables.append(_table(name, plain))
    except sqlite3.Error as e:
        raise DataError(f"{path}: no SQLite database that can be read: {e}") from None
    if not tables:
        raise DataError(f"{path}: all tables are empty")
    return tables


def _shown(value: Any) -> Any:
    """A value as JSON can say it."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case bytes():
            return f"[{len(value)} bytes]"
        case list():
            return [_shown(one) for one in value]
        case dict():
            return {name: _shown(one) for name, one in value.items()}
        case _:
            return value


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = [made for one in _names(rows) if (made := _column(one, rows)) is not None]
    names = [column.name for column in columns]
    alone = (n for n in names if len({str(row.get(n)) for row in rows}) == len(rows))
    key = next((n for n in CALLED if n in names), "") or next(alone, names[0] if names else "")
    return Table(re.sub(r"\W+", "_", name), tuple(columns), tuple(rows), key)


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _column(name: str, rows: Sequence[Mapping[str, Any]]) -> Column | None:
    """The column; None for one of lists and objects, which is shown and not searched."""
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    if not all(isinstance(value, str | int | float) for value in values):
        return None
    if values and all(isinstance(value, bool) for value in values):
        return Column(name, "truth")
    if values and all(is_number(value) for value in values):
        return Column(name, "number")
    few = sorted({str(value) for value in values})
    closed = name not in CALLED and len(few) <= CLOSED and len(few) < len(rows)
    return Column(name, "text", tuple(few) if closed else ())


def is_number(value: object) -> bool:
    """Whether it can be bounded: a truth value cannot."""
    return isinstance(value, int | float) and not isinstance(value, bool)
