"""Dialogue states out of a release's metadata, as they are used for state tracking.

A release writes values as the annotators left them (`guesthouse`, `alpha-milton`, `NOT(x)`,
`monday>saturday`); work on state tracking compares them after a fixed clean-up. Its rules
are here: from the metadata of the 2.1 test dialogues they give the published 2.1 states
on all 7,368 turns (docs/protocols/multiwoz-data.md).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coalm.bench.multiwoz.turns import TurnCase
from coalm.bench.multiwoz.upstream import released
from coalm.errors import DataError

LEFT_OUT = frozenset({"pmul1455"})
"""Test dialogues that state tracking leaves out, so that 999 remain (Paper 5.1)."""

_ABSENT = frozenset({"", "not mentioned", "none"})
_DONTCARE = frozenset({"dont care", "dontcare", "don't care", "do not care", "do n't care"})
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(number) for number, word in enumerate((*_WORDS, "eleven", "twelve"))}
_SPELT = {
    "night club": "nightclub",
    "concerthall": "concert hall",
    "guesthouse": "guest house",
    "pool": "swimming pool",
    "swimmingpool": "swimming pool",
    "center": "centre",
    "moderately": "moderate",
}
"""Whole values that are written in one way only."""
_SLOTS = {"leaveAt": "leaveat", "arriveBy": "arriveby"}


def turns(folder: Path) -> Iterator[TurnCase]:
    """The test turns of a release with the states of its metadata, as `read_turns` has them.

    Words are in lower case with one blank between them and otherwise as published; the
    states' own file tokenises them further (`moderate -ly priced`). The folder of another
    version is refused by its name, since nothing in its files says which it is.
    """
    other = re.search(r"2\.[0-35-9]", folder.name)
    if other:
        raise DataError(
            f"{folder}: is MultiWOZ {other[0]} by its name, and states of 2.4 are asked"
        )
    for dialogue in released(folder, "test"):
        if dialogue.id in LEFT_OUT:
            continue
        history: tuple[tuple[str, str], ...] = ()
        for at in range(0, len(dialogue.log) - 1, 2):
            said = dialogue.log[at - 1]["text"] if at else ""
            history = (*history, (words(said), words(dialogue.log[at]["text"])))
            try:
                state = state_of(dialogue.log[at + 1]["metadata"])
            except (KeyError, TypeError, AttributeError) as e:
                place = f"{folder}: {dialogue.name}, entry {at + 1}"
                raise DataError(f"{place}: no metadata of MultiWOZ: {e!r}") from None
            yield TurnCase(dialogue.name, at // 2, history, state)


def words(text: str) -> str:
    """An utterance in lower case, one blank between words."""
    return " ".join(text.lower().split())


def state_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Slot -> value of a system turn's metadata; slots that are not mentioned are left out."""
    state: dict[str, str] = {}
    for domain, parts in metadata.items():
        for slot, value in parts["semi"].items():
            _put(state, f"{domain}-{_SLOTS.get(slot, slot.lower())}", value)
        for slot, value in parts["book"].items():
            if slot != "booked":
                _put(state, f"{domain}-book {slot.lower()}", value)
    return state


def _put(state: dict[str, str], slot: str, raw: object) -> None:
    # In some releases a value is a list of alternatives; in 2.4 they are joined by > or |.
    either = raw if isinstance(raw, list) else re.split(r"[<>|]", str(raw))
    values = [spelt(slot, str(value)) for value in either]
    kept = list(dict.fromkeys(value for value in values if value not in _ABSENT))
    if kept:
        state[slot] = "|".join(kept)


def spelt(slot: str, value: str) -> str:
    """One value as work on state tracking writes it."""
    text = value.lower().strip().replace("\u2019", "'").replace("\u2018", "'")
    if text in _DONTCARE:
        return "dontcare"
    text = re.sub(r"b&b|b and b", "bed and breakfast", text)
    text = text.replace("/", " and ").replace("-", " ")
    text = re.sub(r"[\"@()]", "", text.replace(";", ","))
    text = re.sub(r"(?<!\d)([?.,!])|([?.,!])(?!\d)", r" \1\2 ", text)
    text = re.sub(r"^'|'$|'(?=\s)|(?<=\s)'", "", text.replace("'s", " s"))
    text = _numbers(" ".join(text.split()))
    if slot == "hotel-internet" and text == "free":
        return "yes"
    return _SPELT.get(text, text)


def _numbers(text: str) -> str:
    """Number words as digits, and digits beside each other as one number.

    Of the same word twice the second stays, as the clean-up that everybody uses leaves it:
    `restaurant two two` is `restaurant 2 two`.
    """
    tokens: list[str] = []
    before = ""
    for word in text.split():
        digit = _DIGITS.get(word, word) if word != before else word
        before = word if digit != word else ""
        if digit.isdigit() and tokens and tokens[-1].isdigit():
            tokens[-1] += digit
        else:
            tokens.append(digit)
    return " ".join(tokens)
