"""Which of the names in a database somebody meant.

Deviation D40: names, foods, types and stations are matched in three rungs, of which the
first that finds anything counts: equal but for spelling, one inside the other by whole
words, alike by difflib's ratio above 0.8. The paper's code takes everything whose fuzzy
ratio is 80 or more; with it an exact "worth house" would also bring "warkworth house".
That rule is `within_80`, for whoever wants the paper's.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from coalm.errors import MissingExtra

Meant = Callable[[str, Iterable[str]], list[str]]
"""Of some names, those that one which may be misspelt can mean."""

ALIKE = 0.8
"""Names are alike above this ratio; at 0.8 itself `african` would be `american`."""

_SPELT = {"st": "saint", "center": "centre", "theater": "theatre", "guesthouse": "guest house"}


def key(name: str) -> str:
    """The name without case, accents, punctuation, a leading `the` and spelling variants."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’`")  # noqa: RUF001
    tokens = [_SPELT.get(t, t) for t in re.findall(r"\w+", plain)]
    tokens = tokens[1:] if tokens[:1] == ["the"] and len(tokens) > 1 else tokens
    return " ".join(tokens).replace("b and b", "bed and breakfast")


_key = lru_cache(maxsize=8192)(key)


def meant(asked: str, names: Iterable[str]) -> list[str]:
    """The names that `asked` can mean, in their own order; empty if none is near."""
    wanted = key(asked)
    keys = {name: _key(name) for name in names}
    if not wanted:
        return []
    squeezed = wanted.replace(" ", "")
    rungs = (
        lambda k: k.replace(" ", "") == squeezed,
        lambda k: _inside(wanted, k) or _inside(k, wanted),
        lambda k: _alike(wanted, k),
    )
    for rung in rungs:
        found = [name for name, k in keys.items() if rung(k)]
        if found:
            return found
    return []


def within_80(asked: str, names: Iterable[str]) -> list[str]:
    """Every name whose ratio of equal characters to `asked` is at least 80 of 100, as the paper's
    code takes them; case counts for nothing."""
    try:
        from rapidfuzz.fuzz import ratio
    except ImportError:
        raise MissingExtra("eval", "matching names by their fuzzy ratio") from None
    return [name for name in names if ratio(asked.lower(), name.lower()) >= 80]


def _inside(part: str, whole: str) -> bool:
    return len(part) >= 3 and f" {part} " in f" {whole} "


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE
