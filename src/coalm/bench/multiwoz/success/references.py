"""What predictions are held against: goals, bookings and, where asked for, gold states."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.bench.multiwoz.booked import Bookings, booked_in, read_booked
from coalm.bench.multiwoz.goals import Goal, goal_of
from coalm.bench.multiwoz.predictions import plain_id, read_states
from coalm.bench.multiwoz.success.values import DONTCARE, State
from coalm.bench.multiwoz.turns import TEST, read_turns
from coalm.bench.multiwoz.upstream import Split, Upstream, dialogues, release
from coalm.errors import DataError, RecipeError
from coalm.sources import Found

GOLD = ("gold21", "gold24")
"""The gold states there are; any other name is that of a file."""

_ABSENT = frozenset({"", "none", "not mentioned"})
_AS_IN_DATABASE = {("attraction", "type", "concert hall"): "concerthall"}
"""2.4's spellings that the evaluator does not know, as the databases write them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One dialogue of the test or the validation set."""

    name: str
    """The id as the data spells it."""
    goal: Goal
    booked: Bookings
    """Domains booked, turn by turn; there are as many as the system has turns."""


@dataclass(frozen=True, slots=True)
class References:
    """A split."""

    dialogues: Mapping[str, Reference]
    """By lower-case id."""
    booked_from: str
    """Where the bookings are from, in words."""


def read_references(found: Found, split: Split) -> References:
    """Goals and bookings of a split of a MultiWOZ source."""
    rows = list(dialogues(found, split))
    return references_of(rows, read_booked(found, [row.id for row in rows]))


def references_of(rows: Iterable[Upstream], booked: Mapping[str, Bookings] | None) -> References:
    """The same of dialogues that are at hand; bookings from the metadata where `booked` is None."""
    found: dict[str, Reference] = {}
    for row in rows:
        done = None if booked is None else booked.get(row.id)
        if booked is not None and done is None:
            raise DataError(f"{row.name}: not in the file of booked domains")
        made = booked_in(row.log, row.name) if done is None else done
        found[row.id] = Reference(row.name, goal_of(row.goal, row.name), made)
    return References(found, "the metadata" if booked is None else "the evaluator's file")


def gold_states(found: Found, split: Split, which: str) -> dict[str, tuple[State, ...]]:
    """Gold states after each user turn, by lower-case id.

    Deviation D88: where predictions have no states, the evaluator takes those of MultiWOZ
    2.2 without being asked; here 2.1's or 2.4's are taken, and only if they are asked for.

    Slots that do not matter (`dontcare`) are left out and of alternatives the first is
    taken, as the evaluator does with the 2.2 states that it falls back on.
    """
    if which not in GOLD:
        if not Path(which).is_file():
            raise RecipeError(f"--states is {' or '.join(GOLD)} or a file of states, not {which!r}")
        return read_states(Path(which))
    place = release(found)
    version = "gold21" if place is None or "2.1" in place.name else "gold24"
    if which == version:
        return {row.id: states_of(row) for row in dialogues(found, split)}
    if which == "gold21":
        raise DataError(f"{place} is no release of 2.1; gold21 needs COALM_DATA's multiwoz/mwz21")
    if split != "test":
        raise DataError("gold24 has the test set only; a release of 2.4 would have more")
    states: dict[str, list[State]] = {}
    for case in read_turns(found.path(TEST)):
        flat = {tuple(slot.split("-", 1)): value for slot, value in case.state.items()}
        states.setdefault(plain_id(case.dialogue), []).append(_state(flat))
    return {id: tuple(turns) for id, turns in states.items()}


def states_of(row: Upstream) -> tuple[State, ...]:
    """The states in a dialogue's own metadata."""
    try:
        return tuple(_state(_flat(entry["metadata"])) for entry in row.log[1::2])
    except (AttributeError, KeyError, TypeError) as e:
        raise DataError(f"{row.name}: no metadata of MultiWOZ: {e!r}") from None


def _flat(metadata: Mapping[str, Any]) -> dict[tuple[str, ...], object]:
    return {
        (domain, slot if part == "semi" else f"book {slot}"): value
        for domain, parts in metadata.items()
        for part in ("semi", "book")
        for slot, value in parts[part].items()
        if slot != "booked"
    }


def _state(flat: Mapping[tuple[str, ...], object]) -> State:
    state: dict[str, dict[str, str | None]] = {}
    for (domain, slot), raw in flat.items():
        one = raw[0] if isinstance(raw, list) and raw else "" if isinstance(raw, list) else raw
        value = re.split(r"[|<>]", str(one))[0].strip()
        if value.lower() in _ABSENT or value.lower() in DONTCARE:
            continue
        state.setdefault(domain, {})[slot] = _AS_IN_DATABASE.get((domain, slot, value), value)
    return state
