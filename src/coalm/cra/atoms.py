"""What a text states that can be true or false: times, dates, numbers, telephones, names.

Each becomes an atom that does not depend on its spelling, so that "7:15 pm" in an answer
and "19:15" in a result are one thing. Words are atoms in lower case. Nothing here knows
SGD; the day on which it plays is only needed for dates without a month.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_TIME = re.compile(
    r"\b(\d{1,2})(?:[:.](\d\d))?(?::\d\d)?\s?([ap])\.?\s?m\b\.?|\b(\d{1,2}):(\d\d)\b", re.I
)
_DIGIT = re.compile(r"\d")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_PHONE = re.compile(r"\+?\(?\d{2,}[\d().\s\u2010-\u2015-]{5,}\d")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_NAME = re.compile(r"(?<![\w'])(?:[A-Z][^\W_]+)(?:['\u2019][^\W_]+)*")
_START = re.compile(r"(?:^|[.!?:;\u2026]['\")]*\s*|[\"(]|\n)\s*$")

_PLAIN = """
    i i'm i'll i'd i've ok okay am pm mr mrs ms dr st monday tuesday wednesday thursday friday
    saturday sunday january february march april may june july august september october november
    december usd true false yes no sir madam mon tue wed thu fri sat sun jan feb mar apr jun jul
    aug sep sept oct nov dec am/pm id fahrenheit celsius us uk usa english a an the this that
    these those there here it its they them he she you your we our my me his her what which when
    where who how why do does did don't can could would will shall should might must is are was
    were be been have has had not and or but if so then also please thanks thank sorry sure great
    good nice hi hello bye goodbye well just now today tomorrow tonight all any some one two three
    four five for from in on at to of with by as into about over until till after before than none
    nothing more anything something else enjoy let let's city date time name next
"""
PLAIN = frozenset(_PLAIN.split())
"""Words that may have a capital without being names, since people write as they like."""


def words(text: str) -> Iterator[str]:
    """Every word and number of a text in lower case, the parts of `Joe's` too."""
    for found in _WORD.findall(text.lower()):
        yield found
        if "'" in found or "\u2019" in found:
            yield from re.split("['\u2019]", found)


@lru_cache(maxsize=1 << 15)
def heard(text: str) -> frozenset[str]:
    """The atoms that a text makes known: its words, and each value in all its shapes."""
    return frozenset(_heard(text))


def _heard(text: str) -> Iterator[str]:
    yield from words(text)
    if not _DIGIT.search(text):
        return
    for hour, minute in _times(text):
        yield f"{hour:02}:{minute:02}"
        yield from (str(hour), str(hour % 12 or 12), f"{minute:02}")
    for date in _ISO.findall(text):
        yield date
        yield str(int(date[-2:]))
    for phone in _PHONE.findall(text):
        yield _digits(phone)
    for number in _NUMBER.findall(text):
        yield _number(number)
        yield str(round(float(_number(number))))


def stated(text: str, *, names: bool = True) -> Iterator[tuple[str, str]]:
    """Kind and atom of each value that a text states; without `names` numbers and such only."""
    if _DIGIT.search(text):
        spans = list[tuple[int, int]]()
        for match in _ISO.finditer(text):
            spans.append(match.span())
            yield "date", match[0]
        for match in _PHONE.finditer(text):
            if len(_digits(match[0])) >= 9 and not _ISO.search(match[0]):
                spans.append(match.span())
                yield "phone", _digits(match[0])
        for match in _TIME.finditer(text):
            if not _inside(match.start(), spans) and (time := _time(match)):
                spans.append(match.span())
                yield "time", f"{time[0]:02}:{time[1]:02}"
        for match in _NUMBER.finditer(text):
            if not _inside(match.start(), spans):
                yield "number", _number(match[0])
    for match in _NAME.finditer(text) if names else ():
        word = match[0].lower()
        if word not in PLAIN and not _START.search(text, max(0, match.start() - 6), match.start()):
            yield "name", word


def known(kind: str, atom: str, among: set[str]) -> bool:
    """Whether a stated atom is among those heard."""
    if atom in among:
        return True
    if kind == "name":
        parts = re.split("['\u2019]", atom)
        return parts[0] in among or atom.rstrip("s") in among or f"{atom}s" in among
    if kind == "time":  # "1:45" may be said in the afternoon
        hour, _, minute = atom.partition(":")
        return int(hour) <= 12 and f"{int(hour) % 12 + 12:02}:{minute}" in among
    if kind == "number":
        return bool(atom) and str(round(float(atom))) in among
    return False


def _times(text: str) -> Iterator[tuple[int, int]]:
    for match in _TIME.finditer(text):
        if time := _time(match):
            yield time


def _time(match: re.Match[str]) -> tuple[int, int] | None:
    if match[4]:
        hour, minute = int(match[4]), int(match[5])
    else:
        hour, minute = int(match[1]), int(match[2] or 0)
        hour = hour % 12 + (12 if match[3] in "pP" else 0) if hour <= 12 else hour
    return (hour, minute) if hour <= 24 and minute < 60 else None


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _number(text: str) -> str:
    """`1,200.00` as `1200`."""
    whole, _, part = text.replace(",", "").partition(".")
    part = part.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{part}" if part else whole


def _inside(place: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)
