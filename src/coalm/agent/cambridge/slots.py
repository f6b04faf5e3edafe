"""The slots of MultiWOZ as types: what a model may write for each, made uniform.

A model writes `Center`, `4 stars`, `free wifi: true`, `5pm` or `don't care`; what comes
out is a value that the databases know, `any` for whatever is left open, or an error.
The tools and the dialogue state read values through the same types.

Deviation D44: a value outside a closed list is an error that names the list, so that the
model can mend it; the paper's code searches as if nothing had been said.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

ANY = "any"
"""What stands for a slot that is left open (Paper 5.1's API inputs say it so)."""

_OPEN = frozenset(
    [
        *("", "?", "all", "any", "anything", "anywhere", "anytime", "n/a", "none", "null"),
        *("dontcare", "dont care", "don t care", "do n t care", "do not care", "no preference"),
        *("doesnt matter", "doesn t matter", "does not matter", "not mentioned"),
        *("not specified", "unspecified", "unknown"),
    ]
)
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def words(value: object) -> object:
    """Lower-case text with single spaces; `any` where nothing is asked for."""
    match value:
        case None:
            return ANY
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            text = " ".join(str(value).lower().split())
            return ANY if text.replace("'", " ").replace("  ", " ") in _OPEN else text
        case _:
            return value  # a list or an object; the type's own check refuses it


def _named(other_names: Mapping[str, str]) -> Callable[[object], object]:
    def read(value: object) -> object:
        text = words(value)
        return other_names.get(text, text) if isinstance(text, str) else text

    return read


def _digits(value: object) -> object:
    """The first number in `4`, `4 stars`, `four people`."""
    text = words(value)
    if not isinstance(text, str):
        return text
    for word in re.findall(r"-?\w+", text.replace("-star", " star")):
        if re.fullmatch(r"-?\d+", word):
            return word
        if word in _UNITS:
            return str(_UNITS.index(word))
    return text


def clock(value: object) -> object:
    """`HH:MM` from `9:15`, `after 17.30`, `5 pm` or `noon`; a `ValueError` from anything else.

    Hours go to 24, because trains that arrive after midnight are written so.
    """
    text = words(value)
    if text == ANY or not isinstance(text, str):
        return text
    text = {"noon": "12:00", "midday": "12:00", "midnight": "24:00"}.get(text, text)
    found = re.search(r"(?<!\d)(\d{1,2})(?:[:.h]?(\d{2}))?(?!\d)\s*(?:([ap])\.?m\b)?", text)
    if found is None or not (found[2] or found[3]):
        raise ValueError("must be a time such as 17:45")
    hours, minutes = int(found[1]), int(found[2] or 0)
    if found[3] and hours <= 12:
        hours = hours % 12 + (12 if found[3] == "p" else 0)
    if hours > 24 or minutes > 59:
        raise ValueError("must be a time such as 17:45")
    return f"{hours:02}:{minutes:02}"


_OTHER_DAYS = {other: day for day in _DAYS for other in (day[:3], day[:4], f"{day}s", f"on {day}")}

Words = Annotated[str, BeforeValidator(words)]
"""An open slot: a name, a kind of food, a place."""
Time = Annotated[str, BeforeValidator(clock)]
"""`HH:MM`, or `any`."""
Area = Annotated[
    Literal["centre", "east", "north", "south", "west", "any"],
    BeforeValidator(
        _named(
            {
                "center": "centre",
                "central": "centre",
                "city centre": "centre",
                "city center": "centre",
                "town centre": "centre",
                "town center": "centre",
                "middle": "centre",
            }
        )
    ),
]
"""A part of town."""
Price = Annotated[
    Literal["cheap", "moderate", "expensive", "any"],
    BeforeValidator(
        _named({"inexpensive": "cheap", "moderately priced": "moderate", "mid-range": "moderate"})
    ),
]
"""A price range."""
HotelType = Annotated[
    Literal["hotel", "guesthouse", "any"],
    BeforeValidator(
        _named(
            {
                "guest house": "guesthouse",
                "guest-house": "guesthouse",
                "guesthouses": "guesthouse",
                "bed and breakfast": "guesthouse",
                "b&b": "guesthouse",
                "hotels": "hotel",
            }
        )
    ),
]
"""The databases write `guesthouse`, MultiWOZ 2.4's states `guest house`."""
Stars = Annotated[Literal["0", "1", "2", "3", "4", "5", "any"], BeforeValidator(_digits)]
"""How many stars, as the databases write it."""
YesNo = Annotated[
    Literal["yes", "no", "any"],
    BeforeValidator(_named({"true": "yes", "free": "yes", "false": "no"})),
]
"""Whether there is internet or parking."""
Day = Annotated[
    Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "any"],
    BeforeValidator(_named(_OTHER_DAYS)),
]
"""A day of the week, or `any`."""
BookingDay = Annotated[
    Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    BeforeValidator(_named(_OTHER_DAYS)),
]
"""A day of the week; a booking needs one."""
Count = Annotated[int, Field(ge=1, le=20), BeforeValidator(_digits)]
"""How many people or nights."""
