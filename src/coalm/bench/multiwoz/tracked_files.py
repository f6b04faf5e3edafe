"""Prediction files for state tracking, and the gold states that they are scored against.

One JSON object a line: `{"dialogue_id": "SNG0073", "turn_idx": 0, "predict": {"hotel-area":
"north"}}`, the whole state after each user turn, turns counted from 0. What a person got wrong
(a broken line, a turn that there is not, one that comes twice) is a `DataError` with the
line's number; what a model got wrong is a value that does not match.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.state import State
from coalm.bench.multiwoz.turns import TEST, read_turns
from coalm.errors import DataError, unknown
from coalm.sources import Found

Version = Literal["24", "21"]
"""Whose gold states: MultiWOZ 2.4's or 2.1's, of the same turns."""

Gold = Mapping[str, Sequence[State]]
"""By dialogue (`sng0073`), the gold state after each user turn."""

LEFT_OUT = frozenset({"pmul1455"})
"""Of the 1,000 test dialogues, the one that work on state tracking leaves out (Paper 5.1)."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a file predicts."""

    states: Mapping[tuple[str, int], State | None]
    """By dialogue and turn; None where the file says that there is no state."""
    left_out: int
    """Lines of dialogues that nobody scores."""
    odd_slots: Mapping[str, int]
    """Names that are no slot of MultiWOZ, and how often; they count against the prediction."""


def read_gold(found: Found, version: Version = "24") -> Gold:
    """The gold states of the test set; a `DataError` where that version is not there."""
    path = found.path(TEST)
    gold: dict[str, list[State]] = {}
    if version == "24":
        for case in read_turns(path):
            gold.setdefault(dialogue_key(case.dialogue), []).append(case.state)
        return gold
    if path.name == "data.json":
        raise DataError(f"{path}: a release holds its own states only; 2.1's are not there")
    for number, row in store.read_jsonl(path):
        try:
            states = [{str(s): str(v) for s, v in t["state_21"].items()} for t in row["turns"]]
            gold[dialogue_key(row["dialogue_id"])] = list(states)
        except (KeyError, TypeError, AttributeError) as e:
            raise DataError(f"{path}:{number}: no 2.1 states here: {e!r}") from None
    return gold


def read_predictions(path: Path, gold: Gold) -> Predictions:
    """The states that a file predicts for the turns of `gold`."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    states: dict[tuple[str, int], State | None] = {}
    lines: dict[tuple[str, int], int] = {}
    odd: Counter[str] = Counter()
    left_out = 0
    for number, row in store.read_jsonl(path):
        where = f"{path}:{number}"
        dialogue, turn = _place(row, where)
        if dialogue in LEFT_OUT and dialogue not in gold:
            left_out += 1
            continue
        if dialogue not in gold:
            raise DataError(f"{where}: {unknown_dialogue(dialogue, gold)}")
        if not 0 <= turn < len(gold[dialogue]):
            last = len(gold[dialogue]) - 1
            raise DataError(f"{where}: {dialogue} has the turns 0 to {last}, not {turn}")
        if (dialogue, turn) in lines:
            before = lines[dialogue, turn]
            raise DataError(f"{where}: turn {turn} of {dialogue} is there already, line {before}")
        lines[dialogue, turn] = number
        states[dialogue, turn] = _state(row, where, odd)
    if not states:
        raise DataError(f"{path}: no predictions in it")
    return Predictions(states, left_out, dict(odd.most_common()))


def dialogue_key(name: str) -> str:
    """`SNG0073`, `SNG0073.json` and `sng0073` as one: `sng0073`."""
    return name.strip().lower().removesuffix(".json")


def unknown_dialogue(name: str, gold: Gold) -> str:
    """A sentence for a dialogue that is not there, without the thousand that are."""
    nearest = unknown("test dialogue", name, gold).partition(" (there are")[0]
    return f"{nearest} (there are {len(gold)})"


def slot_of(name: str) -> str | None:
    """MultiWOZ's own name of a slot under any usual spelling; None if it is none.

    Case, blanks, hyphens and underscores do not matter, `book` may be left out, and
    `price`, `arrive`, `leave` do for `pricerange`, `arriveby`, `leaveat`.
    """
    return _SPELT.get(re.sub(r"[\s_.-]", "", name.lower()))


def _spellings() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in NAMES:
        bare = re.sub(r"[\s-]", "", name)
        shorter = bare.replace("pricerange", "price").replace("arriveby", "arrive")
        found |= dict.fromkeys((bare, shorter.replace("leaveat", "leave")), name)
    # `hotel-day` can only be the day of a booking, `train-day` is a slot of its own.
    without = {name.replace("-book ", ""): name for name in NAMES if "-book " in name}
    return without | found


_SPELT = _spellings()


def _place(row: Mapping[str, Any], where: str) -> tuple[str, int]:
    """Which dialogue and turn a line is about."""
    lacking = [name for name in ("dialogue_id", "turn_idx", "predict") if name not in row]
    if lacking:
        raise DataError(
            f"{where}: no {lacking[0]!r}; a line is "
            '{"dialogue_id": "SNG0073", "turn_idx": 0, "predict": {"hotel-area": "north"}}'
        )
    dialogue, turn = row["dialogue_id"], row["turn_idx"]
    if not isinstance(dialogue, str):
        raise DataError(f"{where}: dialogue_id must be a text, not {dialogue!r}")
    if isinstance(turn, str) and turn.isdecimal():
        turn = int(turn)
    if not isinstance(turn, int) or isinstance(turn, bool):
        raise DataError(f"{where}: turn_idx must be a whole number, not {turn!r}")
    return dialogue_key(dialogue), turn


def _state(row: Mapping[str, Any], where: str, odd: Counter[str]) -> State | None:
    """The state of a line under MultiWOZ's slot names; null is a turn without a state."""
    given = row["predict"]
    if given is None:
        return None
    if not isinstance(given, dict):
        raise DataError(f"{where}: predict must be an object from slot to value, not {given!r}")
    state: dict[str, str] = {}
    for name, value in _flat(given):
        text = _text(value)
        slot = slot_of(name)
        if slot is None and text:
            odd[name] += 1
        # One slot under two names is no way to say two things of it: the second counts
        # as a slot that there is not.
        state[name if slot is None or slot in state else slot] = text
    return state


def _flat(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Slots and values of `{"hotel-area": ...}` and of `{"hotel": {"area": ...}}` alike."""
    found = []
    for name, value in given.items():
        if isinstance(value, dict):
            found += [(f"{name}-{inner}", one) for inner, one in _flat(value)]
        else:
            found.append((name, value))
    return found


def _text(value: object) -> str:
    """A value as a state has it; of a list its only element, of several a hedge, which is wrong."""
    match value:
        case str():
            return value
        case None | []:
            return ""
        case bool():
            return "yes" if value else "no"
        case [only]:
            return _text(only)
        case list():
            return "|".join(_text(one) for one in value)
        case _:
            return str(value)
