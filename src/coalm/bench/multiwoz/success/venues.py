"""The venues and trains that a state leaves open: the databases, asked as the evaluator does.

A set of venues is an integer with one bit per id, so that sets of 2,828 trains are
compared in no time; every answer is kept, because the same few states come again and again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from coalm import store
from coalm.bench.multiwoz.success.fuzzy import alike
from coalm.bench.multiwoz.success.values import DONTCARE, STANDARD, Rules, minutes, slot_name, spelt
from coalm.errors import DataError
from coalm.sources import Found

WITH_DATABASE = ("restaurant", "attraction", "hotel", "train")
"""The domains that have something to find."""

_IGNORED = {
    "attraction": {"location", "openhours"},
    "hotel": {"location", "price", "takesbookings"},
    "restaurant": {"location", "introduction", "signature"},
    "train": set[str](),
}
_FUZZY = {
    "attraction": {"name"},
    "hotel": {"name"},
    "restaurant": {"name", "food"},
    "train": {"departure", "destination"},
}


class Venues:
    """Four databases and which of their venues fit a state."""

    def __init__(self, rows: Mapping[str, Sequence[Mapping[str, Any]]], rules: Rules) -> None:
        self.rules = rules
        self._tables = {domain: _Table(domain, of, rules) for domain, of in rows.items()}

    def search(self, domain: str, constraints: Mapping[str, str | None]) -> int:
        """The set of what fits every constraint; 0 where there is nothing, or no database."""
        table = self._tables.get(domain)
        return table.search(constraints) if table else 0

    def ids(self, domain: str, found: int) -> frozenset[str]:
        """The ids in a set."""
        table = self._tables.get(domain)
        if table is None:
            return frozenset()
        return frozenset(table.ids[place] for place in _places(found))

    def knows(self, domain: str, slot: str) -> bool:
        """Whether a slot narrows the search in a domain."""
        return domain in self._tables and slot in self._tables[domain].columns


class _Table:
    def __init__(self, domain: str, rows: Sequence[Mapping[str, Any]], rules: Rules) -> None:
        kept = [
            {_column(k): v for k, v in row.items() if k not in _IGNORED[domain]} for row in rows
        ]
        self.rows, self.rules, self.fuzzy = kept, rules, _FUZZY[domain]
        # The evaluator takes the first row's columns for all; no other row has more.
        self.columns = frozenset(kept[0]) if kept else frozenset()
        key = "trainid" if domain == "train" else "id"
        self.ids = list(dict.fromkeys(str(row[key]) for row in kept))
        place = {id: i for i, id in enumerate(self.ids)}
        self.bits = [1 << place[str(row[key])] for row in kept]
        self.one_to_one = len(self.ids) == len(kept)
        self._by_slot: dict[tuple[str, str], int] = {}
        self._by_column: dict[str, list[tuple[Any, int]]] = {}
        self._by_state: dict[frozenset[tuple[str, str | None]], int] = {}

    def search(self, constraints: Mapping[str, str | None]) -> int:
        asked = frozenset(
            (slot, value)
            for slot, value in constraints.items()
            if slot in self.columns and value is not None and value not in DONTCARE
        )
        if asked not in self._by_state:
            rows = (1 << len(self.rows)) - 1
            for slot, value in asked:
                rows &= self._rows(slot, value or "")
            self._by_state[asked] = rows if self.one_to_one else self._of_ids(rows)
        return self._by_state[asked]

    def _of_ids(self, rows: int) -> int:
        """Some trains run under one id at several hours; the evaluator counts ids."""
        return reduce(int.__or__, (self.bits[place] for place in _places(rows)), 0)

    def _rows(self, slot: str, value: str) -> int:
        if (slot, value) not in self._by_slot:
            fits = self._test(slot, spelt(slot, value, self.rules))
            hit = (mask for of, mask in self._values(slot) if of == "?" or fits(of))
            self._by_slot[slot, value] = reduce(int.__or__, hit, 0)
        return self._by_slot[slot, value]

    def _values(self, slot: str) -> list[tuple[Any, int]]:
        """The values of a column, each with the rows that have it."""
        if slot not in self._by_column:
            values: dict[str, tuple[Any, int]] = {}
            for i, row in enumerate(self.rows):
                # Deviation D85: a row that lacks the column stops the evaluator with a
                # KeyError; here it is unknown, as `?` is.
                of = row.get(slot, "?")
                key = repr(of)
                values[key] = of, values.get(key, (of, 0))[1] | 1 << i
            self._by_column[slot] = list(values.values())
        return self._by_column[slot]

    def _test(self, slot: str, value: str) -> Callable[[Any], bool]:
        """What a row's value must be for this one."""
        if slot == "arrive":
            latest = minutes(value)
            return lambda of: minutes(str(of)) <= latest
        if slot == "leave":
            earliest = minutes(value)
            return lambda of: minutes(str(of)) >= earliest
        both, rules = self.rules.both_sides, self.rules
        if slot in self.fuzzy:
            return lambda of: alike(spelt(slot, str(of), rules) if both else str(of), value)
        return lambda of: (spelt(slot, of, rules) if both and isinstance(of, str) else of) == value


def open_venues(found: Found, rules: Rules = STANDARD) -> Venues:
    """The databases of a MultiWOZ source."""
    return Venues(
        {d: read_table(found.path(f"multiwoz/db/{d}_db.json")) for d in WITH_DATABASE}, rules
    )


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a database file; a `DataError` where it is not one."""
    rows = store.read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: not a list of objects")
    return rows


def _places(found: int) -> Iterator[int]:
    """Where a number has its ones."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest


def _column(name: str) -> str:
    return name if name == "id" else slot_name(name)
