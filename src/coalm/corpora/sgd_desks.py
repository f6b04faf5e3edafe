"""SGD's services as MultiWOZ's tools are: one that looks up, one that books."""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.corpora.sgd import Intent, Service
from coalm.corpora.sgd_values import told, worded
from coalm.corpora.wording import one_of, spaced
from coalm.types import Json, ToolSpec

ANY = "any"
"""The argument for a slot where the user takes anything; what is open is left out."""
_LOOK = ("find", "query", "search", "look_up")
_BOOK = ("book", "reserve", "make_booking")
_BOOKING = frozenset(
    [*("book", "reserve", "buy", "get", "schedule"), *("purchase", "order", "request", "arrange")]
)
"""Verbs of intents that make a booking."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The two tools that a service becomes; `None` where it has nothing to look up or book."""

    look: ToolSpec | None
    book: ToolSpec | None

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """Those that there are."""
        return tuple(tool for tool in (self.look, self.book) if tool)


def desk(service: Service, noun: str, key: str, seed: int) -> Desk:
    """The tools of a service; the verbs of their names vary by dialogue."""
    searches = [i for i in service.intents.values() if not i.transactional]
    bookings = [i for i in service.intents.values() if i.transactional]
    narrowing = [s for i in searches for s in (*i.required, *i.optional)]
    # A name that was chosen among the results can be looked up again, as in MultiWOZ.
    narrowing += [s for i in bookings for s in i.required if searches and _names(service, s)]
    wanted = [s for i in bookings for s in (*i.required, *i.optional)]
    needed = [s for s in dict.fromkeys(wanted) if all(s in i.required for i in bookings)]
    look = one_of(_LOOK, seed, key, noun, "look")
    return Desk(
        _tool(f"{look}_{noun}", searches, service, narrowing, []) if searches else None,
        _tool(f"{_verb(bookings, seed, key)}_{noun}", bookings, service, wanted, needed)
        if bookings
        else None,
    )


def _verb(bookings: Sequence[Intent], seed: int, key: str) -> str:
    """`book` or the like, except where that is not what happens: music is played."""
    own = spaced(bookings[0].name).split()[0]
    return one_of(_BOOK, seed, key, "book") if own in _BOOKING else own


def _names(service: Service, slot: str) -> bool:
    """Whether a slot holds what an entry of the service is called."""
    said = service.slots[slot].description.lower()
    entry = "name" in said or "called" in said or "title" in said
    return entry and not service.slots[slot].values and "account" not in said


def _tool(
    name: str,
    intents: Sequence[Intent],
    service: Service,
    slots: Sequence[str],
    needed: Sequence[str],
) -> ToolSpec:
    books = intents[0].transactional
    about = "; ".join(intent.description.strip().rstrip(".") for intent in intents)
    properties: dict[str, Json] = {
        s: _parameter(service, s, free=not books) for s in dict.fromkeys(slots)
    }
    required: list[Json] = [*needed]
    return ToolSpec(name, about, {"type": "object", "properties": properties, "required": required})


def _parameter(service: Service, slot: str, *, free: bool) -> dict[str, Json]:
    known = service.slots[slot]
    values: list[Json] = [worded(value) for value in known.values]
    schema: dict[str, Json] = {"type": "string", "description": told(known)}
    return {**schema, "enum": [*values, *([ANY] if free else [])]} if values else schema
