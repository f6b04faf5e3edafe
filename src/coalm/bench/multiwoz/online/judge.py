"""What came of a conversation: what was offered, booked and told, against the goal.

Only what the tools gave back and what the agent said to the user counts; what it thought, or
meant, does not. In each domain of the goal

- the place (or train) that the agent named last must be as wanted and from a tool's answer;
  where it named several at once, all of them;
- a booking must be made with the right details of something that is as wanted, every booking
  of the domain, since nothing can be taken back;
- what was asked for must be said, with the value that the database has. What the database
  does not know of that place cannot be told and is not asked for.

A booking in a domain where none is wanted spoils the conversation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coalm.agent.cambridge.names import key, meant
from coalm.bench.multiwoz.online.atlas import Atlas, invented, tells
from coalm.bench.multiwoz.online.hearing import LONGEST
from coalm.bench.multiwoz.online.wishes import Task
from coalm.types import Assistant, Dialogue, Observation, System, User

BOOKINGS: Mapping[str, str] = {
    "book_restaurant": "restaurant",
    "book_hotel": "hotel",
    "buy_train_tickets": "train",
    "book_taxi": "taxi",
}
"""The tools that book, and the domains of what they book."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a conversation leaves behind."""

    texts: tuple[str, ...]
    """What the agent said to the user, in order; of each answer as much as anybody reads."""
    shown: str
    """All that the tools gave back, one text."""
    names: str
    """The same as `names.key` has it, between blanks, to look names up in."""
    heard: str
    """All that the user said."""
    bookings: Mapping[str, Sequence[Mapping[str, Any]]]
    """By domain, the answers of the tools that booked; each different one once."""
    calls: int
    """Calls that the agent made."""
    turns: int
    """Times that the user waited for an answer; goodbye is no such time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One task, judged. What is not wanted is None."""

    informed: bool | None
    booked: bool | None
    told: int
    asked: int
    named: tuple[str, ...]
    """What the agent named last."""
    missing: tuple[str, ...]
    """What it did not tell."""

    @property
    def right(self) -> bool:
        """Whether the task was done."""
        return self.informed is not False and self.booked is not False and self.told == self.asked


def evidence(dialogue: Dialogue) -> Evidence:
    """What a dialogue shows; nothing of it can make this raise."""
    texts, shown, heard, calls = list[str](), list[str](), list[str](), 0
    bookings: dict[str, list[Mapping[str, Any]]] = {}
    for turn in dialogue.turns:
        match turn:
            case Assistant() if turn.calls:
                calls += len(turn.calls)
            case Assistant():
                texts.append(turn.text[:LONGEST])
            case Observation():
                shown.append(turn.text)
                answer = _object(turn.text)
                domain = BOOKINGS.get(turn.tool, "")
                if domain and "booked" in answer and answer not in bookings.get(domain, []):
                    bookings.setdefault(domain, []).append(answer)
            case User():
                heard.append(turn.text)
            case System():
                pass
    given = "\n".join(shown)
    names = f" {key(given)} "
    turns = len(heard) - isinstance(dialogue.turns[-1], User)
    return Evidence(tuple(texts), given, names, "\n".join(heard), bookings, calls, turns)


def judged(tasks: Sequence[Task], seen: Evidence, atlas: Atlas) -> dict[str, Outcome]:
    """The outcome of each task, by domain."""
    found: dict[str, Outcome] = {}
    for task in tasks:
        found[task.domain] = (
            _taxi(task, seen, atlas, found) if task.domain == "taxi" else _place(task, seen, atlas)
        )
    return found


def hallucinated(seen: Evidence, atlas: Atlas) -> list[str]:
    """Places, codes and numbers that the agent said and nobody had given it."""
    known = [seen.shown, seen.heard]
    shown = f"{seen.names}{key(seen.heard)} "
    said = [
        name
        for text in seen.texts
        for domain in ("restaurant", "hotel", "attraction")
        for name in atlas.named(text, domain)
    ]
    return [
        *(name for name in dict.fromkeys(said) if not _in(name, shown)),
        *invented(seen.texts, known),
    ]


def _place(task: Task, seen: Evidence, atlas: Atlas) -> Outcome:
    fitting, shown = atlas.fitting(task.domain, task.wants), seen.names
    named = next((n for t in reversed(seen.texts) if (n := _named(task, t, seen, atlas))), [])
    informed = bool(named) and all(n in fitting and _in(n, shown) for n in named)
    bookings = seen.bookings.get(task.domain, ())
    booked = None
    if task.book:
        booked = bool(bookings) and all(_as_wanted(task, one, fitting) for one in bookings)
    # What is told of a place that was never looked up is told of no place.
    about = [str(one["booked"]) for one in bookings] or [n for n in named if _in(n, shown)]
    asked = [name for name in task.requests if name != "reference"]
    missing = min(
        ([a for a in asked if not _told(task, a, name, seen, atlas)] for name in about),
        key=len,
        default=asked,
    )
    if task.book:
        asked = [*asked, "reference"]
        codes = [str(one.get("reference", "")) for one in bookings]
        if not any(tells(t, "reference", code) for t in seen.texts for code in codes):
            missing = [*missing, "reference"]
    told = len(asked) - len(missing)
    return Outcome(informed, booked, told, len(asked), tuple(named), tuple(missing))


def _in(name: str, shown: str) -> bool:
    return f" {key(name)} " in shown


def _named(task: Task, text: str, seen: Evidence, atlas: Atlas) -> list[str]:
    """What a text offers; a train that is not named by its number is known by when it leaves."""
    named = atlas.named(text, task.domain)
    if named or task.domain != "train":
        return named
    rows = atlas.rows("train", tuple(sorted(task.wants.items())))
    return [
        row["name"]
        for row in rows
        if tells(text, "leave_at", row["leave_at"]) and row["name"] in seen.shown
    ]


def _as_wanted(task: Task, booking: Mapping[str, Any], fitting: frozenset[str]) -> bool:
    details = all(str(booking.get(slot, "")) == value for slot, value in task.book.items())
    return details and str(booking["booked"]) in fitting


def _told(task: Task, name: str, about: str, seen: Evidence, atlas: Atlas) -> bool:
    """Whether a value was said, or is one that nobody knows."""
    if task.domain == "train":
        rows = atlas.rows("train", tuple(sorted(task.wants.items())))
        row = next((row for row in rows if row["name"] == about), {})
    else:
        row = atlas.row(task.domain, about)
    if not row:
        return False
    return name not in row or any(tells(text, name, row[name]) for text in seen.texts)


def _taxi(task: Task, seen: Evidence, atlas: Atlas, others: Mapping[str, Outcome]) -> Outcome:
    bookings = seen.bookings.get("taxi", ())
    right = bool(bookings)
    for one in bookings:
        for slot, value in task.wants.items():
            given = str(one.get(slot, ""))
            alike = bool(meant(given, [value])) if slot in ("departure", "destination") else False
            right = right and (given == value or alike)
        for end, domain in task.places.items():
            right = right and _is_place(str(one.get(end, "")), domain, seen, atlas, others)
    missing = [
        name
        for name in task.requests
        if not any(tells(t, name, str(one.get(name, ""))) for t in seen.texts for one in bookings)
    ]
    told = len(task.requests) - len(missing)
    return Outcome(None, right, told, len(task.requests), (), tuple(missing))


def _is_place(
    given: str, domain: str, seen: Evidence, atlas: Atlas, others: Mapping[str, Outcome]
) -> bool:
    """Whether a taxi's end is the place that was booked or talked of, by name or address."""
    booked = [str(one["booked"]) for one in seen.bookings.get(domain, ())]
    names = booked or (others[domain].named if domain in others else ())
    addresses = [atlas.row(domain, name).get("address", "") for name in names]
    return bool(meant(given, names)) or any(tells(given, "address", a) for a in addresses)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
