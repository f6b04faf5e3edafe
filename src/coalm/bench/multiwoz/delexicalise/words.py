"""Text as a row of words that can be spelt in several ways, each with its place in the text.

`Saint John's`, `st. johns` and `saint john s` give the same words; so do `guesthouse` and
`guest house`, `&` and `and`, `two` and `2`, `Regent Street` and `regent st`.
"""

import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(r"\[[\w\s]+\]|[^\W_]+(?:['\u2019`][^\W_]+)?|&")
_SPELT = {
    "saint": "st",
    "street": "st",
    "road": "rd",
    "avenue": "ave",
    "center": "centre",
    "theater": "theatre",
    "gray": "grey",
    "&": "and",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "twelve": "12",
}
_SPLIT = {"guesthouse": ("guest", "house"), "guesthouses": ("guest", "houses")}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text."""

    key: str
    """As it is compared; empty for a placeholder, which matches nothing."""
    start: int
    end: int
    capital: bool
    """Whether it is written with a capital first letter."""


def words(text: str) -> list[Word]:
    """The words of a text, in order."""
    found: list[Word] = []
    for match in _TOKEN.finditer(text):
        token, start, end = match[0], match.start(), match.end()
        if token.startswith("["):
            found.append(Word("", start, end, False))
            continue
        key = plain(token)
        if key == "s" and found and found[-1].key and not found[-1].key.endswith("s"):
            # The data's own tokenised text has "john s" and "john 's".
            last = found[-1]
            if re.fullmatch(r"\s*['\u2019`]?", text[last.end : start]):
                found[-1] = Word(f"{last.key}s", last.start, end, last.capital)
                continue
        parts = _SPLIT.get(key, (_SPELT.get(key, key),))
        # Both halves of a split word stand where the whole does.
        found.extend(Word(part, start, end, token[0].isupper()) for part in parts if part)
    return found


def plain(token: str) -> str:
    """Lower case, no accents, no apostrophes."""
    if token.isascii():
        return token.lower().replace("'", "").replace("`", "")
    letters = unicodedata.normalize("NFKD", token.lower())
    return "".join(c for c in letters if not unicodedata.combining(c) and c not in "'`\u2019")


def keys(text: str) -> tuple[str, ...]:
    """The words of a name or an address, as they are compared."""
    return tuple(word.key for word in words(text))


def together(text: str, one: Word, other: Word) -> bool:
    """Whether nothing stands between two neighbours that would part a name."""
    if other.start <= one.end:
        return True
    between = text[one.end : other.start]
    # A full stop ends a sentence, unless it abbreviates (`st.`, `no.`).
    stops = "." in between and len(one.key) > 2
    return not stops and re.fullmatch(r"[\s\-,./'\u2019`]*", between) is not None
