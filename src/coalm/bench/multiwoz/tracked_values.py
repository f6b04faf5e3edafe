"""Other ways to write a slot value that are the same to a person, one named rule each.

Work on MultiWOZ forgives different ones of these before it compares two values, and the
figures move with them (docs/protocols/multiwoz-dst-json.md says how far each one does). A rule
changes values of certain slots only: `5:15` is a time in `taxi-leaveat` and nothing else.
"""

import re
from collections.abc import Callable, Mapping

from coalm.agent.cambridge.slots import clock

Rule = Callable[[str], str]

_TYPES = {
    "guesthouse": "guest house",
    "guesthouses": "guest house",
    "guest houses": "guest house",
    "guest-house": "guest house",
    "hotels": "hotel",
    "concerthall": "concert hall",
    "concerthalls": "concert hall",
    "night club": "nightclub",
    "night clubs": "nightclub",
    "swimmingpool": "swimming pool",
    "swimming pools": "swimming pool",
    "pool": "swimming pool",
    "theater": "theatre",
    "theaters": "theatre",
    "multiple sport": "multiple sports",
    "mutliple sports": "multiple sports",
    "mutiple sports": "multiple sports",
}
_CENTRES = frozenset(
    f"{word}{centre}" for word in ("", "city ", "town ") for centre in ("center", "centre")
) | {"central", "centre of town", "center of town", "middle"}
_PRICES = {
    "inexpensive": "cheap",
    "moderately": "moderate",
    "moderately priced": "moderate",
    "moderate -ly": "moderate",
    "moderate -ly priced": "moderate",
    "mid-range": "moderate",
}
_TRUTHS = {"free": "yes", "true": "yes", "y": "yes", "false": "no", "n": "no"}
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def _centre(text: str) -> str:
    return "centre" if text in _CENTRES else text


def _time(text: str) -> str:
    """`HH:MM` from `5:15`, `17.15`, `after 17:15` or `5 pm`; else as it was."""
    try:
        return str(clock(text))
    except ValueError:
        return text


def _type(text: str) -> str:
    if text in _TYPES:
        return _TYPES[text]
    return text[:-1] if text in _PLURALS else text


_PLURALS = frozenset(
    f"{word}s" for word in ("boat", "cinema", "college", "museum", "park", "theatre", "nightclub")
)


def _number(text: str) -> str:
    """The digits of `two`, `2 people` or `4 stars`; else as it was."""
    first = text.replace("-", " ").split(" ", 1)[0]
    if first in _NUMBERS:
        return str(_NUMBERS.index(first))
    return first if first.isdecimal() else text


def _price(text: str) -> str:
    return _PRICES.get(text, text)


def _truth(text: str) -> str:
    return _TRUTHS.get(text, text)


def _breakfast(text: str) -> str:
    return re.sub(r"\bb (?:and|&) b\b|\bb&b\b|\bbnb\b", "bed and breakfast", text)


def _the(text: str) -> str:
    return text.removeprefix("the ") or text


def _and(text: str) -> str:
    return " ".join(text.replace("&", " and ").split())


def _punctuation(text: str) -> str:
    """Without apostrophes and full stops; hyphens, commas and strokes become blanks."""
    bare = re.sub(r"[^\w\s&-]", "", re.sub(r"\s*['’`.]\s*(?=s\b)", "", text))  # noqa: RUF001
    return " ".join(re.sub(r"[-_/,]", " ", bare).split()) or text


def _blanks(text: str) -> str:
    return "".join(text.split())


NAMED = frozenset({"name", "departure", "destination", "food"})
"""Slots with open values: venues, places, kinds of food."""

RULES: Mapping[str, tuple[frozenset[str], Rule]] = {
    "ampersand": (NAMED, _and),
    "breakfast": (NAMED, _breakfast),
    "punctuation": (NAMED, _punctuation),
    "the": (NAMED, _the),
    "centre": (frozenset({"area"}), _centre),
    "times": (frozenset({"leaveat", "arriveby", "book time"}), _time),
    "types": (frozenset({"type"}), _type),
    "numbers": (frozenset({"stars", "book people", "book stay"}), _number),
    "prices": (frozenset({"pricerange"}), _price),
    "truths": (frozenset({"internet", "parking"}), _truth),
    "blanks": (NAMED | {"type"}, _blanks),
}
"""By name: the slots (without their domain) whose values a rule changes, and the rule.

They are applied in this order, to values in lower case with single blanks.
"""
