"""Protocol `multiwoz:dst-json`: the whole dialogue state as one JSON object, turn by turn.

Paper 5.1 measures joint goal accuracy (JGA) on MultiWOZ 2.4, zero-shot, over all turns.
Deviation D20: the paper's agent calls APIs and its state is put together from what it
passed to them; here the model is asked for the state itself, and values must be equal
where the paper's way is a fuzzy match.

A state that cannot be read is wrong: joint 0 and slot accuracy 0 even where the gold state
is empty, and every gold slot forgotten. So silence scores 0 on every metric. (An unreadable
answer to an empty gold state leaves slot F1 as it was: there is nothing to find.)

JGA falls steeply with depth, because one early mistake spoils all later turns. A case's
part is therefore its depth (27%, 38% and 35% of the turns): a sample balanced over the
parts is a little shallower than the full test set, so compare like with like.
"""

import re
from collections.abc import Mapping, Sequence

from coalm import sources
from coalm.agent import Reply
from coalm.bench.base import About, Kind, Metric, Verdict, mean, micro_f1
from coalm.bench.multiwoz.slots import CLOSED, SLOTS
from coalm.bench.multiwoz.state import Match, Normalise, compare, first_alternatives
from coalm.bench.multiwoz.turns import TEST, TurnCase, read_turns
from coalm.corpora.states import read_state, state_request, write_state
from coalm.engines import Completion, Said
from coalm.sources import Found
from coalm.types import Assistant, Dialogue

DEPTHS = ("1-2", "3-5", "6+")
"""Depth of a turn in its dialogue, counted from 1."""

MAX_TOKENS = 240
"""New tokens an answer. The longest gold state takes SmolLM2 229; 160 would cut 95 of them."""

_METRICS: tuple[Metric, ...] = (
    mean("JGA", "joint", main=True),
    micro_f1("Slot F1"),
    mean("Slot accuracy", "slot_accuracy"),
    *(mean(f"JGA (turns {depth})", "joint", only=depth) for depth in DEPTHS),
)


class MultiWozDst:
    """MultiWOZ 2.4's 7,368 test turns, each a question for the state so far."""

    def __init__(self, found: Found | None = None, rules: Normalise | None = None) -> None:
        self.found = found or sources.find("multiwoz")
        self.rules = rules or Normalise()
        self._cases: tuple[TurnCase, ...] | None = None

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        version = "2.4" if self.found.real else "2.4 miniature"
        return About("multiwoz", "dst-json", version, _METRICS, max_tokens=MAX_TOKENS)

    def cases(self) -> Sequence[TurnCase]:
        """Every turn, dialogue by dialogue; the file is read once."""
        if self._cases is None:
            self._cases = tuple(read_turns(self.found.path(TEST)))
        return self._cases

    def id(self, case: TurnCase) -> str:
        """`dialogue#turn`, such as `SNG0073#2`: turns of one dialogue are resampled together."""
        return f"{case.dialogue}#{case.turn}"

    def part(self, case: TurnCase) -> str:
        """How deep in its dialogue the turn is."""
        return DEPTHS[0] if case.turn < 2 else DEPTHS[1] if case.turn < 5 else DEPTHS[2]

    def opening(self, case: TurnCase) -> Dialogue:
        """The slots, then the whole conversation in one user turn."""
        return state_request(SLOTS, case.history)

    def gold(self, case: TurnCase) -> str:
        """The gold state as JSON, alternatives and all."""
        return write_state(case.state)

    def gold_reply(self, case: TurnCase) -> Reply:
        """The gold state, one value a slot, as a model would write it."""
        text = write_state(first_alternatives(case.state))
        turn = Assistant(text)
        said = Said(turn, Completion(text, "stop", 0, 0), "")
        return Reply(self.opening(case).then(turn), "spoke", (said,))

    def score(self, case: TurnCase, reply: Reply) -> Verdict:
        """Judge the state in a reply's last turn."""
        gold = self.rules.state(case.state)
        if reply.ended == "unanswered":
            return Verdict(_unread(gold), "not answered", reply.why)
        state = self._state(case, reply)
        if state is None:
            return Verdict(_unread(gold), "format", "no JSON object in the answer")
        match = compare(case.state, state, self.rules)
        if match.joint:
            return Verdict(match.scores())
        return Verdict(match.scores(), self._kind(case, match), _note(match))

    def _state(self, case: TurnCase, reply: Reply) -> dict[str, str] | None:
        """The state that was written, even where the dialect took it for a call or gave up."""
        if not reply.said:
            new = reply.dialogue.turns[len(self.opening(case).turns) :]
            words = [turn.text for turn in new if isinstance(turn, Assistant)]
            return read_state(words[-1]) if words else None
        last = reply.said[-1]
        if isinstance(last.turn, Assistant):
            state = read_state(last.turn.text)
            if state is not None:
                return state
        return read_state(last.completion.text)

    def _kind(self, case: TurnCase, match: Match) -> Kind:
        if not match.extra:
            return "missing information"
        heard = self.rules.text(" ".join(part for pair in case.history for part in pair))
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


def _unread(gold: Mapping[str, str]) -> dict[str, float]:
    return {"joint": 0.0, "tp": 0.0, "fp": 0.0, "fn": float(len(gold)), "slot_accuracy": 0.0}


def _note(match: Match, most: int = 4) -> str:
    """The first differences, in words."""
    wrong = [
        f"{slot} is {match.missing[slot]!r}, not {value!r}"
        if slot in match.missing
        else f"{slot} was never settled, but has {value!r}"
        for slot, value in match.extra.items()
    ]
    wrong += [f"{s} lacks {v!r}" for s, v in match.missing.items() if s not in match.extra]
    more = f"; and {len(wrong) - most} more" if len(wrong) > most else ""
    return "; ".join(wrong[:most]) + more
