"""What a user hears in the words of a service: questions, refusals, bookings, references.

Rules over plain text, because an agent's words are all that a user gets. How well they do
on the system's turns of MultiWOZ's test dialogues, whose acts are annotated, is measured by
tests/bench/multiwoz_online/test_hearing.py and told in docs/protocols/multiwoz-online.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coalm.bench.multiwoz.online import phrases

SLOTS: Mapping[str, frozenset[str]] = {
    "restaurant": frozenset(
        {"area", "pricerange", "food", "name", "people", "day", "time"},
    ),
    "hotel": frozenset(
        {"area", "pricerange", "type", "stars", "internet", "parking", "name"}
        | {"people", "day", "stay"},
    ),
    "attraction": frozenset({"area", "type", "name"}),
    "train": frozenset({"departure", "destination", "day", "leave_at", "arrive_by", "people"}),
    "taxi": frozenset({"departure", "destination", "leave_at", "arrive_by"}),
}
"""What can be asked of a user in each domain."""


LONGEST = 4000
"""Characters of an answer that anybody reads."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn of a service, as a user takes it."""

    asked: frozenset[str] = frozenset()
    """Slots that the user is asked for."""
    none: bool = False
    """Nothing fits what the user wants; said of a table or a room, it is a refusal as well."""
    refused: bool = False
    """A booking cannot be made."""
    booked: bool = False
    """A booking was made, or so it is said."""
    code: bool = False
    """Something that looks like a reference was said."""
    phone: bool = False
    """Something that looks like a phone number was said."""


def heard(text: str, domain: str) -> Heard:
    """What a user who is talking of that domain makes of a service's words."""
    text = text[:LONGEST]
    plain = _plain(text)
    code, phone = bool(phrases.CODE.search(text)), bool(phrases.PHONE.search(plain))
    proven = code or (domain == "taxi" and phone)
    refused = bool(phrases.REFUSED.search(plain)) and not proven
    booked = proven or (
        bool(phrases.BOOKED.search(plain)) and not refused and not phrases.FUTURE.search(plain)
    )
    none = any(
        phrases.NONE.search(one) and not phrases.DETAIL.search(one)
        for one in re.split(r"[.?!]", plain)
    )
    return Heard(
        asked=_asked(plain, domain),
        none=none and not booked,
        refused=refused,
        booked=booked,
        code=code,
        phone=phone,
    )


def _plain(text: str) -> str:
    """Lower case, contractions whole, one blank between words."""
    text = text.lower().replace("\u2019", "'").replace(" n't", "n't").replace(" '", "'")
    text = re.sub(r"(?<=\d)\.(?=\d)", ":", text)  # 17.45 ends no sentence
    return " ".join(text.split())


def _asked(plain: str, domain: str) -> frozenset[str]:
    found: set[str] = set()
    for sentence in re.split(r"(?<=[.?!])\s+|;\s|\s-\s", plain):
        if not phrases.QUESTION.search(sentence) or phrases.TELLING.search(sentence):
            continue
        found |= {slot for slot, pattern in phrases.PATTERNS.items() if pattern.search(sentence)}
        found |= _types(sentence, domain) | _times(sentence, domain)
    return frozenset(found & SLOTS.get(domain, frozenset()))


def _types(sentence: str, domain: str) -> set[str]:
    """An attraction's type, or whether a hotel or a guesthouse is wanted."""
    if domain == "attraction" and phrases.KIND.search(sentence):
        return {"type"}
    return {"type"} if domain == "hotel" and phrases.HOTEL_KIND.search(sentence) else set()


def _times(sentence: str, domain: str) -> set[str]:
    """When to eat; or when to leave, where the arrival is not what is asked for."""
    if not phrases.ANY_TIME.search(sentence):
        return set()
    if domain == "restaurant":
        return {"time"}
    arrival = re.search(r"\barriv|\bget (?:there|to)\b|\bbe there", sentence)
    return {"leave_at"} if not arrival or phrases.LEAVE.search(sentence) else set()
