"""Predicted states of whole dialogues, scored: every figure with its interval.

A turn that is not predicted is wrong, unless only the predicted ones are wanted. Cases are
dialogues, because the turns of one fail together; figures are ratios of sums over turns.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.bench.multiwoz.state import Match, Normalise, State
from coalm.bench.multiwoz.tracked import added, domains_of, metrics, turn_sums
from coalm.bench.multiwoz.tracked_files import Gold
from coalm.bench.stats import Figure, Scored, figure


@dataclass(frozen=True, slots=True)
class TrackedScores:
    """What a set of predictions comes to."""

    figures: tuple[Figure, ...]
    """In the order of `tracked.metrics`; `n` counts dialogues."""
    dialogues: int
    turns: int
    """Turns that were scored."""
    missing: int
    """Turns of the test set that have no state among the predictions, or a null."""
    mistakes: Mapping[str, Mapping[str, int]]
    """By slot: how often it was `forgotten`, `wrong` (another value) or `invented`."""

    def value(self, name: str) -> float:
        """A figure by name, 0 to 100; a `KeyError` where it is over nothing."""
        return {f.name: f.value for f in self.figures}[name]


def score_states(
    gold: Gold,
    states: Mapping[tuple[str, int], State | None],
    rules: Normalise | None = None,
    *,
    partial: bool = False,
    seed: int = 0,
) -> TrackedScores:
    """Score predicted states, by dialogue and turn, against the gold ones.

    With `partial` only turns with a line of their own are scored, else all of `gold`.
    """
    rules = rules or Normalise()
    rows, turns, missing = [], 0, 0
    mistakes: dict[str, Counter[str]] = {}
    for dialogue, wanted in gold.items():
        domains = domains_of(wanted)
        sums = []
        for turn, state in enumerate(wanted):
            said = states.get((dialogue, turn))
            missing += said is None
            if partial and (dialogue, turn) not in states:
                continue
            one, match = turn_sums(state, said, rules, turn=turn, domains=domains)
            _count(mistakes, match)
            sums.append(one)
        if sums:
            turns += len(sums)
            rows.append(Scored(dialogue, "", added(sums)))
    return TrackedScores(
        _figures(rows, seed),
        len(rows),
        turns,
        missing,
        {slot: dict(counts) for slot, counts in sorted(mistakes.items())},
    )


def _figures(rows: Sequence[Scored], seed: int) -> tuple[Figure, ...]:
    found = (figure(rows, metric, seed=seed) for metric in metrics())
    return tuple(one for one in found if one.n)


def _count(mistakes: dict[str, Counter[str]], match: Match) -> None:
    for slot in {**match.missing, **match.extra}:
        wrong = slot in match.missing and slot in match.extra
        kind = "wrong" if wrong else "forgotten" if slot in match.missing else "invented"
        mistakes.setdefault(slot, Counter())[kind] += 1
