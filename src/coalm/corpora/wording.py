"""Small things that sentences written by rule share: lists, names in plain words, a choice."""

import re
from collections.abc import Sequence
from typing import TypeVar

from coalm.corpora.records import chance

T = TypeVar("T")


def one_of(options: Sequence[T], *key: object) -> T:
    """One of the options, which the key decides: the same on every machine."""
    return options[int(chance(*key) * len(options))]


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def spaced(name: str) -> str:
    """A name in plain words: `show date` for `show_date`, `showDate` and `ShowDate`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_.\-]+", " ", name)
    return " ".join(apart.split()).lower()
