"""After which turn a booking has been made: before it, no reference can have been known.

The corpus evaluator brings this along as a file; where there is none, it is read off the
dialogues' own metadata, where `booked` lists what was booked. On the 14,737 turns of the
test and validation sets the two agree everywhere but for taxis, which need no reference
(docs/protocols/multiwoz-success.md has the count).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from coalm import store
from coalm.errors import DataError
from coalm.sources import Found

FILE = "multiwoz/eval/booked_domains.json.gz"
"""Where `COALM_DATA` has the evaluator's file."""

Bookings = tuple[frozenset[str], ...]
"""For each turn of one dialogue, the domains booked by then."""

_NO_REFERENCE = {"taxi"}


def read_booked(found: Found, wanted: Collection[str]) -> dict[str, Bookings] | None:
    """The evaluator's file, of the dialogues that are wanted; None where it is not there."""
    path = found.path(FILE)
    if not path.is_file():
        return None
    rows = store.read_json(path)
    try:
        return {
            id: tuple(frozenset(map(str, domains)) for domains in rows[id])
            for id in wanted
            if id in rows
        }
    except (AttributeError, TypeError) as e:
        raise DataError(f"{path}: not a file of booked domains: {e!r}") from None


def booked_in(log: Sequence[Mapping[str, Any]], where: str = "log") -> Bookings:
    """The same from a dialogue's turns, of which every second one has the metadata."""
    try:
        return tuple(
            frozenset(
                domain
                for domain, parts in entry["metadata"].items()
                if parts["book"].get("booked") and domain not in _NO_REFERENCE
            )
            for entry in log[1::2]
        )
    except (AttributeError, KeyError, TypeError) as e:
        raise DataError(f"{where}: no metadata of MultiWOZ: {e!r}") from None
