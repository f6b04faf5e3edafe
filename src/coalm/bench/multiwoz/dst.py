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

from collections.abc import Mapping, Sequence

from coalm import sources
from coalm.agent import Reply
from coalm.bench.base import About, Verdict
from coalm.bench.multiwoz import fuzzy
from coalm.bench.multiwoz.slots import SLOTS
from coalm.bench.multiwoz.state import Normalise, first_alternatives
from coalm.bench.multiwoz.tracked import brief_metrics, depth, domains_of, turn_sums
from coalm.bench.multiwoz.tracked_mistakes import differences, kind_of
from coalm.bench.multiwoz.turns import TEST, TurnCase, read_turns
from coalm.corpora.states import read_state, state_request, write_state
from coalm.engines import Completion, Said
from coalm.sources import Found
from coalm.types import Assistant, Dialogue

MAX_TOKENS = 240
"""New tokens an answer. The longest gold state takes SmolLM2 229; 160 would cut 95 of them."""


class MultiWozDst:
    """MultiWOZ 2.4's 7,368 test turns, each a question for the state so far."""

    def __init__(self, found: Found | None = None, rules: Normalise | None = None) -> None:
        self.found = found or sources.find("multiwoz")
        self.rules = rules or Normalise()
        self._cases: tuple[TurnCase, ...] | None = None
        self._domains: dict[str, tuple[str, ...]] | None = None

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        version = "2.4" if self.found.real else "2.4 miniature"
        return About(
            "multiwoz",
            "dst-json",
            version,
            brief_metrics(),
            fuzzy.versions(),
            max_tokens=MAX_TOKENS,
        )

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
        return depth(case.turn)

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
        lost = reply.ended == "unanswered"
        state = None if lost else self._state(case, reply)
        sums, match = turn_sums(
            case.state, state, self.rules, turn=case.turn, domains=self._domains_of(case)
        )
        if lost:
            return Verdict(sums, "not answered", reply.why)
        if state is None:
            return Verdict(sums, "format", "no JSON object in the answer")
        if match.joint:
            return Verdict(sums)
        return Verdict(sums, kind_of(match, case.history, self.rules), differences(match))

    def _domains_of(self, case: TurnCase) -> tuple[str, ...]:
        """The domains of the case's dialogue; its own, if the dialogue is not one of ours."""
        if self._domains is None:
            states: dict[str, list[Mapping[str, str]]] = {}
            for one in self.cases():
                states.setdefault(one.dialogue, []).append(one.state)
            self._domains = {name: domains_of(all_) for name, all_ in states.items()}
        return self._domains.get(case.dialogue) or domains_of([case.state])

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
