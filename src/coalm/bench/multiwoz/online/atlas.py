"""What is in the town: places named in a text, what fits a wish, and whether a text tells it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from coalm.agent.cambridge.database import Row, Town
from coalm.agent.cambridge.names import key
from coalm.bench.multiwoz.online.wishes import VENUES

_NAMED = {"restaurant": ("food", "name"), "hotel": ("name",), "attraction": ("type", "name")}
"""Wishes that may be spelt in several ways; the others are values of a closed list."""
_COMMON = "place"
"""The key of a name that is an ordinary word: a nightclub is called The Place."""
_AS_NAME = re.compile(
    r"\bThe Place\b|\b(?:called|named|found|recommend|suggest|try|about|at"
    r"|is) the place\b(?! (?:you|to))"
    r"|\bthe place\b(?=[,.;:!]|$)"
)
"""Where that word is a name."""


class Atlas:
    """The town as a judge knows it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._fitting: dict[tuple[str, tuple[tuple[str, str], ...]], list[Row]] = {}
        self._rows: dict[str, dict[str, Row]] = {
            domain: {row["name"]: row for row in town.find(domain, {}, {}).rows}
            for domain in VENUES
        }
        self._names = {
            domain: {key(name): name for name in rows} for domain, rows in self._rows.items()
        }
        known = {k for names in self._names.values() for k in names} - {_COMMON}
        longest_first = sorted(known, key=lambda k: (-len(k), k))
        self._pattern = re.compile(
            r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)"
        )

    def named(self, text: str, domain: str) -> list[str]:
        """The places of a domain that a text names, in its order; trains by their numbers."""
        if domain == "train":
            return list(dict.fromkeys(n.upper() for n in re.findall(r"\b[Tt][Rr]\d{4}\b", text)))
        names = self._names.get(domain, {})
        found = [names[k] for k in self._pattern.findall(key(text)) if k in names]
        if _COMMON in names and _AS_NAME.search(text):
            found.append(names[_COMMON])
        return list(dict.fromkeys(found))

    def row(self, domain: str, name: str) -> Row:
        """What is known of a place; empty for one that is not there."""
        return self._rows.get(domain, {}).get(name, {})

    def fitting(self, domain: str, wants: Mapping[str, str]) -> frozenset[str]:
        """The names of the places, or the numbers of the trains, that are as wanted."""
        return frozenset(row["name"] for row in self.rows(domain, tuple(sorted(wants.items()))))

    def rows(self, domain: str, wants: tuple[tuple[str, str], ...]) -> list[Row]:
        """The rows that are as wanted; a train's number is its `name`."""
        if (domain, wants) not in self._fitting:
            self._fitting[domain, wants] = _rows(self.town, domain, wants)
        return self._fitting[domain, wants]


def _rows(town: Town, domain: str, wants: tuple[tuple[str, str], ...]) -> list[Row]:
    asked = dict(wants)
    if domain == "train":
        times = {"leave_at >= ?": asked.pop("leave_at", "any")}
        times["arrival <= ?"] = asked.pop("arrive_by", "any")
        ends = {end: asked.pop(end, "any") for end in ("departure", "destination")}
        found = town.find("train", asked, ends, bounds=times).rows
        return [row | {"name": row["train_id"]} for row in found]
    if domain == "hotel" and "type" in asked:
        asked["type"] = asked["type"].replace(" ", "")
    named = {slot: asked.pop(slot) for slot in _NAMED[domain] if slot in asked}
    return town.find(domain, asked, named).rows


# --- is it told? --------------------------------------------------------------------------

_NUMBERS = ("zero", "one", "two", "three", "four", "five")


def tells(text: str, name: str, value: str) -> bool:
    """Whether a text says a value, in one of the ways in which services say such a thing."""
    plain = " ".join(text.lower().split())
    check = _CHECKS.get(name, _word)
    return bool(value) and check(plain, value.lower())


def _word(text: str, value: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(key(value))}(?!\w)", key(text)))


def _squeezed(text: str, value: str) -> bool:
    return re.sub(r"\W", "", value) in re.sub(r"\W", "", text)


def _address(text: str, value: str) -> bool:
    """The address up to its street, or its first part; what follows is often left out."""
    street = re.match(
        r".*?\b(?:street|road|lane|way|place|square|avenue|passage|parade|hill|row|drive|park|"
        r"causeway|yard|gardens|terrace)\b",
        value,
    )
    return key(street[0] if street else value.split(",")[0]) in key(text)


def _money(text: str, value: str) -> bool:
    if "free" in value and re.search(
        r"\bfree\b|\bno (?:entrance |entry |admission )?(?:fee|charge)", text
    ):
        return True
    return any(
        re.search(rf"(?<![\d.]){re.escape(form)}(?![\d]|\.\d)", text)
        for amount in re.findall(r"\d+(?:\.\d+)?", value)
        for form in {amount, f"{float(amount):g}", f"{float(amount):.2f}"}
    )


def _stars(text: str, value: str) -> bool:
    either = [value, _NUMBERS[int(value)]] if value.isdigit() and int(value) < 6 else [value]
    joined = "|".join(either)
    behind = r"\b(?:stars?(?: rating)?|rated|rating)(?: is| of|:| at)?"
    return bool(re.search(rf"\b(?:{joined})[- ]?stars?\b|{behind} (?:{joined})\b", text))


def _has(*words: str) -> Callable[[str, str], bool]:
    """Whether something is said to be there, or not to be there."""
    named = "|".join(words)
    lacking = re.compile(
        rf"\b(?:no|not|without|n't|lacks?)\b[^.,;]*\b(?:{named})|\b(?:{named})\b[^.,;]*\b(?:no"
        rf"|not|n't|unavailable)\b"
        rf"|n't[^.,;]*\b(?:{named})"
    )

    def check(text: str, value: str) -> bool:
        there = bool(re.search(rf"\b(?:{named})", text))
        return there and bool(lacking.search(text)) == (value == "no")

    return check


def _clock(text: str, value: str) -> bool:
    hours, minutes = int(value[:2]), value[3:5]
    forms = {f"{hours:02}:{minutes}", f"{hours}:{minutes}", f"{hours % 24:02}:{minutes}"}
    forms.add(f"{(hours - 1) % 12 + 1}:{minutes} ?{'p' if 12 <= hours < 24 else 'a'}\\.?m")
    return bool(re.search(rf"(?<!\d)(?:{'|'.join(forms)})(?!\d)", text))


def _duration(text: str, value: str) -> bool:
    minutes = int(re.sub(r"\D", "", value) or 0)
    hours, rest = divmod(minutes, 60)
    spoken = rf"\b{hours} ?h(?:ours?|rs?)?\b(?:,? and)? ?{rest or ''}" if hours else r"(?!)"
    return bool(re.search(rf"\b{minutes}\b ?-?min|\b{minutes} min|{spoken}", text))


def _all_words(text: str, value: str) -> bool:
    return all(_word(text, word) for word in value.split())


_CHECKS: Mapping[str, Callable[[str, str], bool]] = {
    "phone": _squeezed,
    "postcode": _squeezed,
    "type": _squeezed,
    "reference": _squeezed,
    "address": _address,
    "entrance_fee": _money,
    "price": _money,
    "stars": _stars,
    "internet": _has("internet", "wi-?fi"),
    "parking": _has("parking"),
    "leave_at": _clock,
    "arrive_by": _clock,
    "duration": _duration,
    "car": _all_words,
}


def invented(texts: Sequence[str], known: Iterable[str]) -> list[str]:
    """References, train numbers, phones and postcodes that are said and stand in nothing known."""
    seen = re.sub(r"\W", "", " ".join(known)).lower()
    shapes = r"\bTR\d{4}\b|\b(?=\w*\d)(?=\w*[A-Z])[A-Z0-9]{8}\b|\b0\d{4} ?\d{5,6}\b|\b\d{10,11}\b"
    shapes += r"|\b[Cc][Bb]\d{1,2} ?\d[A-Za-z]{2}\b"
    said = [code for text in texts for code in re.findall(shapes, text)]
    return [c for c in dict.fromkeys(said) if re.sub(r"\W", "", c).lower() not in seen]
