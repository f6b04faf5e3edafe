"""A user's agenda: what MultiWOZ's goal tells them to look for, ask, change and book.

The evaluator's view of the same goal is `bench.multiwoz.goals`; a user needs more of it: the
order in which things come up, what is asked for first and what is taken instead.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coalm.agent.cambridge.slots import clock
from coalm.errors import DataError

VENUES = ("restaurant", "hotel", "attraction")
"""Domains whose answer is a place with a name."""
DOMAINS = (*VENUES, "train", "taxi")
"""In the order in which they come up where a goal does not say."""

STATION = "cambridge railway station"
"""Where a taxi goes from or to that the goal does not say."""

_PARAMETERS = {"leaveAt": "leave_at", "arriveBy": "arrive_by", "trainID": "train_id"}
_REQUESTS = {**_PARAMETERS, "entrance fee": "entrance_fee", "car type": "car"}
_SPELT = {
    "mutliple sports": "multiple sports",
    "swimmingpool": "swimming pool",
    "concerthall": "concert hall",
    "guesthouse": "guest house",
}
"""The goals' words, as a person writes them."""
_TIMES = ("time", "leave_at", "arrive_by")
_BOOKED = ("people", "day", "time", "stay")
_MENTIONS = {
    "restaurant": r"\brestaurant",
    "hotel": r"\bplace to stay|\bhotel",
    "attraction": r"\bplaces to go|\battraction",
    "train": r"\btrain",
    "taxi": r"\btaxi",
}


@dataclass(frozen=True, slots=True)
class Task:
    """What a user wants in one domain. Slots are named as the tools' parameters are."""

    domain: str
    wants: Mapping[str, str]
    """What the place, train or taxi must be like in the end."""
    first: Mapping[str, str] = field(default_factory=dict)
    """What is asked for first, where nothing is like that; empty where there is no such thing."""
    book: Mapping[str, str] = field(default_factory=dict)
    """What is booked in the end; empty where nothing is."""
    full: Mapping[str, str] = field(default_factory=dict)
    """Details of a booking that are asked for first and are to be had nowhere."""
    requests: tuple[str, ...] = ()
    """What must be told, the reference included where something is booked."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Of a taxi: `departure` or `destination` -> the domain whose place it is."""


def tasks(goal: Mapping[str, Any], where: str = "goal") -> tuple[Task, ...]:
    """The tasks of a dialogue's goal, in the order in which the user is told of them.

    A taxi comes last, because it drives between places that must be found first. Hospital and
    police have no tools and do not occur in the test goals. What is no goal is a `DataError`
    that begins with `where`.
    """
    lines = [re.sub(r"<[^>]*>", "", str(line)) for line in goal.get("message") or ()]
    try:
        wanted = [domain for domain in DOMAINS if goal.get(domain)]
        wanted.sort(key=lambda domain: (domain == "taxi", _mentioned(domain, lines)))
        found = tuple(_task(domain, goal[domain], lines, wanted) for domain in wanted)
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise DataError(f"{where}: not a goal of MultiWOZ: {e!r}") from None
    if not found:
        raise DataError(f"{where}: wants nothing that the tools offer")
    return found


def _task(domain: str, raw: Mapping[str, Any], lines: Sequence[str], wanted: Sequence[str]) -> Task:
    wants, book = _slots(raw.get("info")), _slots(raw.get("book"))
    # Goals keep alternatives that the user was never told of, most of which do exist. Only
    # where the instructions say "If there is no such ..." is there nothing of the kind.
    told = not lines or any(f"no such {domain}" in line for line in lines)
    first = _slots(raw.get("fail_info")) if told else {}
    requests = [_REQUESTS.get(name, name) for name in raw.get("reqt") or ()]
    booked = {slot: value for slot, value in book.items() if slot in _BOOKED}
    full = {slot: value for slot, value in _slots(raw.get("fail_book")).items() if slot in booked}
    places = _places(wants, lines, wanted) if domain == "taxi" else {}
    if domain == "taxi":  # an end that nothing says; no test goal has one
        wants = dict.fromkeys({"departure", "destination"} - places.keys(), STATION) | wants
    return Task(
        domain,
        wants,
        first if first != wants else {},
        booked,
        {slot: value for slot, value in full.items() if booked[slot] != value},
        tuple(requests) + (("reference",) if booked else ()),
        places,
    )


def _slots(raw: object) -> dict[str, str]:
    if not raw:
        return {}
    if not isinstance(raw, Mapping):
        raise TypeError(f"{raw!r} is no object of slots")
    named = ((_PARAMETERS.get(str(slot), str(slot)), value) for slot, value in raw.items())
    return {
        slot: str(clock(value)) if slot in _TIMES else _SPELT.get(value, value)
        for slot, value in named
        if isinstance(value, str) and value
    }


def _places(
    wants: Mapping[str, str], lines: Sequence[str], wanted: Sequence[str]
) -> dict[str, str]:
    """Which found place a taxi comes from and which it goes to, where the goal has no name."""
    open_ends = [end for end in ("departure", "destination") if end not in wants]
    near = [domain for domain in wanted if domain in VENUES]
    said = " ".join(lines)
    leave = re.search(r"leave the (\w+) by", said)
    arrive = re.search(r"arrives the (\w+) by", said)
    found: dict[str, str] = {}
    for match, end in ((leave, "departure"), (arrive, "destination")):
        if match and match[1] in near and end in open_ends:
            found[end] = match[1]
    for end in open_ends:
        rest = [domain for domain in near if domain not in found.values()]
        if end not in found and rest:
            found[end] = rest[0]
    return found


def _mentioned(domain: str, lines: Sequence[str]) -> int:
    """The line that brings a domain up; behind all of them where none does."""
    for at, line in enumerate(lines):
        if re.match(r"You (?:are (?:also )?looking for|(?:also )?want to book|need)", line) and (
            re.search(_MENTIONS[domain], line)
        ):
            return at
    return len(lines) + DOMAINS.index(domain)
