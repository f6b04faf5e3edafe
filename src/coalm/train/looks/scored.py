"""What a model's answers are worth: pure functions over questions and texts.

Nothing that is not there is right: an empty or unreadable answer scores 0 on every metric.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from coalm.formats import Malformed
from coalm.train.looks.asked import Kind, Question, state_in
from coalm.types import Assistant, ToolCall

METRICS: Mapping[str, Kind] = {
    "call_name": "call",
    "call_arguments": "call",
    "no_call": "no call",
    "state": "state",
    "state_slots": "state",
}
"""Each metric that is better the higher it is, and the kind of questions that it is about."""

_DONTCARE = {"don't care", "dont care", "do not care", "do n't care", "dontcare"}
_OPEN = {"", "none", "not mentioned"}


def scores(questions: Sequence[Question], texts: Sequence[str]) -> dict[str, float]:
    """From 0 to 1, the metrics for which there are questions; `texts` are the answers in order.

    `call_name`: all tools of the turn named, and no other; `call_arguments`: all calls with their
    arguments as well, as JSON, where 1 is not 1.0; order says nothing. `no_call`: words and no
    call. `state`: the whole state (joint goal); `state_slots`: F1 over all slots with their
    values. `unreadable`: the share of answers that are no turn of their format, or no state.
    """
    answered = list(zip(questions, texts, strict=True))
    called = [(q.gold, q.fmt.read(text)) for q, text in answered if q.kind == "call"]
    spoken = [q.fmt.read(text) for q, text in answered if q.kind == "no call"]
    stated = [(_state(q.gold.text), _state(text)) for q, text in answered if q.kind == "state"]
    found: dict[str, float] = {}
    if called:
        found["call_name"] = _mean(_names(gold) == _names(said) for gold, said in called)
        found["call_arguments"] = _mean(_calls(gold) == _calls(said) for gold, said in called)
    if spoken:
        found["no_call"] = _mean(map(_only_words, spoken))
    if stated:
        found["state"] = _mean(said is not None and gold == said for gold, said in stated)
        found["state_slots"] = _slot_f1(stated)
    if answered:
        turns = [isinstance(said, Malformed) for said in (*(said for _, said in called), *spoken)]
        found["unreadable"] = _mean((*turns, *(said is None for _, said in stated)))
    return found


def _names(turn: Assistant | Malformed) -> Counter[str]:
    return Counter(call.name for call in _calls_of(turn))


def _calls(turn: Assistant | Malformed) -> Counter[str]:
    return Counter(
        json.dumps([call.name, call.arguments], sort_keys=True) for call in _calls_of(turn)
    )


def _calls_of(turn: Assistant | Malformed) -> Sequence[ToolCall]:
    return turn.calls if isinstance(turn, Assistant) else ()


def _only_words(turn: Assistant | Malformed) -> bool:
    return isinstance(turn, Assistant) and not turn.calls and bool(turn.text.strip())


def _state(text: str) -> dict[str, str] | None:
    """The state in a text, compared as `multiwoz:dst-json` does: case, blanks, open slots."""
    found = state_in(text)
    if found is None:
        return None
    plain = {_plain(slot): _plain(value) for slot, value in found.items()}
    return {
        slot: "dontcare" if value in _DONTCARE else value
        for slot, value in plain.items()
        if value not in _OPEN
    }


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _slot_f1(stated: Iterable[tuple[dict[str, str] | None, dict[str, str] | None]]) -> float:
    right = wanted = given = 0
    for gold, said in stated:
        mine, theirs = set((gold or {}).items()), set((said or {}).items())
        right += len(mine & theirs)
        wanted += len(mine)
        given += len(theirs)
    return 2 * right / (wanted + given) if wanted + given else 0.0


def _mean(values: Iterable[bool]) -> float:
    told = list(values)
    return sum(told) / len(told)
