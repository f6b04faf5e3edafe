"""What the user of a MultiWOZ dialogue was told to get, as Inform and Success count it.

The data's `goal` object says per domain what to look for (`info`), what to ask for
(`reqt`) and what to book (`book`). Inform and Success need less: the constraints on the
venue, and which of five pieces of information must be said to the user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coalm.errors import DataError

Fact = Literal["ADDRESS", "PHONE", "POST", "REFERENCE", "TRAINID"]
"""Something a user can ask for and a delexicalised response can be seen to give."""

DOMAINS = ("attraction", "hospital", "hotel", "police", "restaurant", "taxi", "train")
"""The domains a goal can have."""

_FACTS: Mapping[str, Fact] = {
    "phone": "PHONE",
    "address": "ADDRESS",
    "postcode": "POST",
    "reference": "REFERENCE",
    "trainID": "TRAINID",
}
_SLOTS = {"arriveby": "arrive", "leaveat": "leave"}


@dataclass(frozen=True, slots=True)
class DomainGoal:
    """What is wanted in one domain."""

    informable: Mapping[str, str]
    """Slot to value, such as `area: centre`; times are called `arrive` and `leave`."""
    requestable: frozenset[Fact]
    """What must be told; `REFERENCE` wherever something is to be booked."""


Goal = Mapping[str, DomainGoal]
"""The domains of one dialogue that something is wanted in."""


def goal_of(raw: Mapping[str, Any], where: str = "goal") -> Goal:
    """The goal in the data's own `goal` object (any version's `data.json`).

    Of a train only its id can be asked for; what else `reqt` lists (price, area ...) is
    not counted. Anything that is no such object is a `DataError` that begins with `where`.
    """
    goal: dict[str, DomainGoal] = {}
    for domain in DOMAINS:
        wanted = raw.get(domain)
        if not wanted:
            continue
        try:
            asked = [str(slot) for slot in wanted.get("reqt") or ()]
            facts = {_FACTS[slot] for slot in asked if slot in _FACTS}
            facts = facts & {"TRAINID"} if domain == "train" else facts
            booked: set[Fact] = {"REFERENCE"} if wanted.get("book") else set()
            info = {_slot(name): str(value) for name, value in (wanted.get("info") or {}).items()}
        except (AttributeError, TypeError) as e:
            raise DataError(f"{where}: {domain}: not a MultiWOZ goal: {e}") from None
        goal[domain] = DomainGoal(info, frozenset(facts | booked))
    return goal


def _slot(name: str) -> str:
    return _SLOTS.get(name.lower(), name.lower())
