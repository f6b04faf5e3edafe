"""Values compared fuzzily, as the paper's lab does (Paper 5.1).

A prediction counts where its partial ratio to the gold value is above 95: where the
shorter text stands, nearly letter for letter, somewhere in the longer one. That forgives
`the old mill` for `old mill`, and it also takes `1` for `10` and any text that holds the right
value among others. So it flatters, and stands beside the strict figure, never in its place.
"""

from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from coalm.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

ABOVE = 95.0
"""Two values are alike above this partial ratio, of 100."""

PACKAGE = "rapidfuzz"


@lru_cache(maxsize=65_536)
def alike(gold: str, said: str) -> bool:
    """Whether two values are the same to the paper's lab; `MissingExtra` without rapidfuzz.

    Deviation D90: the lab's public code takes fuzzywuzzy's ratio, which is rounded to a whole
    number (so it begins at 95.5) and misses some alignments that rapidfuzz finds.
    """
    return gold == said or _ratio()(gold, said) > ABOVE


def versions() -> dict[str, str]:
    """The version of the library; a `MissingExtra` where there is none."""
    _ratio()
    try:
        return {PACKAGE: version(PACKAGE)}
    except PackageNotFoundError:
        return {}


@cache
def _ratio() -> "Callable[[str, str], float]":
    try:
        from rapidfuzz.fuzz import partial_ratio
    except ImportError:
        raise MissingExtra("eval", "MultiWOZ's fuzzy joint goal accuracy") from None
    return partial_ratio
