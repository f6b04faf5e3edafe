"""What is wrong with a predicted state, in a word and in words."""

import re
from collections.abc import Sequence

from coalm.bench.base import Kind
from coalm.bench.multiwoz.slots import CLOSED
from coalm.bench.multiwoz.state import Match, Normalise


def kind_of(match: Match, history: Sequence[tuple[str, str]], rules: Normalise) -> Kind:
    """What is wrong with a state that is not the gold one, after what was said so far."""
    if not match.extra:
        return "missing information"
    heard = rules.text(" ".join(part for pair in history for part in pair))
    if any(_invented(slot, value, heard) for slot, value in match.extra.items()):
        return "hallucinated entity"
    return "wrong state"


def _invented(slot: str, value: str, heard: str) -> bool:
    """Whether a value was neither heard in the conversation nor is one of a closed list.

    Numbers and times are left out: people say them in too many ways to tell.
    """
    if value == "dontcare" or value in CLOSED.get(slot, ()) or not re.search(r"[^\W\d]", value):
        return False
    return not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", heard)


def differences(match: Match, most: int = 4) -> str:
    """The first differences of a state from the gold one, in words."""
    wrong = [
        f"{slot} is {match.missing[slot]!r}, not {value!r}"
        if slot in match.missing
        else f"{slot} was never settled, but has {value!r}"
        for slot, value in match.extra.items()
    ]
    wrong += [f"{s} lacks {v!r}" for s, v in match.missing.items() if s not in match.extra]
    more = f"; and {len(wrong) - most} more" if len(wrong) > most else ""
    return "; ".join(wrong[:most]) + more
