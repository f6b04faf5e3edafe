"""Which of SGD's domains a request names, and which could be taken for each other."""

import re

_SAME = (
    frozenset({"hotel", "home"}),
    frozenset({"movie", "media"}),
    *(frozenset({"event", other}) for other in ("movie", "media", "music", "travel")),
)
"""Domains that overlap: an apartment can be rented for some days, a film may be an event."""
_FAMILIES = (
    frozenset({"bus", "flight", "rentalcar", "ridesharing"}),
    frozenset({"event", "media", "movie", "music", "travel"}),
    frozenset({"calendar", "event", "service", "home", "restaurant"}),
    frozenset({"travel", "restaurant", "hotel"}),
)
"""Domains that a vague request could mean alike."""
_NAMED = {
    "bank": r"bank|account|balance|money|transfer",
    "bus": r"bus(?:es)?",
    "calendar": r"calendar|schedule|agenda",
    "event": r"events?|concerts?|games?|match(?:es)?|tickets?|dates?",
    "flight": r"flights?|fly|plane|airline",
    "home": r"apartments?|property|properties|bed(?:room)?s?",
    "hotel": r"hotels?|rooms?|houses?|stay|accommodation",
    "media": r"movies?|films?|watch|stream",
    "movie": r"movies?|films?|theat(?:er|re)s?|cinemas?|watch",
    "music": r"songs?|music|listen|album|track",
    "rentalcar": r"cars?|rent|rental|vehicle",
    "restaurant": r"restaurants?|eat|eatery|food|dine|dinner|lunch|table",
    "ridesharing": r"cabs?|taxis?|rides?",
    "service": r"dentists?|doctors?|salons?|hair|stylists?|gynecologists?|dermatologists?|"
    r"ophthalmologists?|practitioners?|specialists?|appointments?",
    "travel": r"attractions?|sights?|museums?|parks?|visit|tourist|places?|things to do",
    "weather": r"weather|rain|forecast|temperature|humid\w*|wind\w*",
}
"""What people call a domain."""


def named(domain: str, text: str) -> bool:
    """Whether a text calls a domain by a word for it."""
    pattern = _NAMED.get(domain) or rf"{re.escape(domain)}s?"
    return bool(re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE))


def confusable(one: str, other: str) -> bool:
    """Whether a vague request could mean either of two domains."""
    return same(one, other) or any({one, other} <= family for family in _FAMILIES)


def same(one: str, other: str) -> bool:
    """Whether two domains do much the same."""
    return one == other or any({one, other} <= pair for pair in _SAME)
