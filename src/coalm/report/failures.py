"""Which failures a report shows, by a rule that gives the same ten every time.

The rule, in the order the places are filled (`choose`):

1. Up to `REGRESSIONS` cases that the first model got right and the last one wrong, spread
   over the benchmarks.
2. Then the other failures of the last model, a benchmark at a time in turn, and within a
   benchmark an error kind at a time in turn, the commonest kind first.
3. If the last model has too few, the same over the models before it, last to first.

Within a benchmark and kind the nearest miss comes first (`nearness`), then the case whose
answer looks most like the gold one, then the smallest id. Cases that were not answered
are no failures of a model.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from coalm.report.runs import Case, Evaluated

SHOWN = 10
"""How many failures a report shows."""

REGRESSIONS = 3
"""How many of them, at most, are cases that the first model had right."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One case that a model got wrong."""

    label: str
    """The model's column."""
    benchmark: str
    """`BENCHMARK.PROTOCOL`."""
    case: Case
    right_before: str = ""
    """The label of the first model, where that one had the case right."""


RULE = (
    f"Chosen by rule: first up to {REGRESSIONS} cases that the first model had right and the "
    "last one wrong, then the last model's other failures, benchmark by benchmark and kind by "
    "kind in turn, nearest misses first; earlier models only fill what is left."
)
"""The rule in a sentence, for the reader of a report."""


def choose(columns: Sequence[Evaluated], shown: int = SHOWN) -> tuple[Failure, ...]:
    """At most so many failures, the most instructive first."""
    if not columns:
        return ()
    first, last = columns[0], columns[-1]
    regressed: list[Failure] = []
    if len(columns) > 1:
        regressed = list(_spread(list(_regressions(first, last))))[: min(REGRESSIONS, shown)]
    chosen = {(f.label, f.benchmark, f.case.id): f for f in regressed}
    for column in reversed(columns):
        rest = [f for f in _failures(column) if (f.label, f.benchmark, f.case.id) not in chosen]
        for failure in islice(_spread(rest), shown - len(chosen)):
            chosen[failure.label, failure.benchmark, failure.case.id] = failure
    return tuple(chosen.values())


def nearness(case: Case) -> float:
    """How near a wrong answer came, 0 to 1: the mean of its scores that are shares of one.

    Counts of hits and misses (`tp`, `fp`, `fn`, with or without a prefix) become one F1;
    what counts against an answer (`unreadable`) is left out.
    """
    shares = [
        min(1.0, max(0.0, value))
        for name, value in case.scores.items()
        if not name.endswith(("tp", "fp", "fn", "unreadable"))
    ]
    for name, hits in case.scores.items():
        if name.endswith("tp"):
            prefix = name[: -len("tp")]
            misses = sum(case.scores.get(f"{prefix}{kind}", 0.0) for kind in ("fp", "fn"))
            shares.append(2 * hits / (2 * hits + misses) if hits > 0 else 0.0)
    return sum(shares) / len(shares) if shares else 0.0


def _failures(column: Evaluated) -> Iterator[Failure]:
    for name, result in column.results.items():
        yield from (Failure(column.label, name, case) for case in result.cases if case.failed)


def _regressions(first: Evaluated, last: Evaluated) -> Iterator[Failure]:
    for name, result in last.results.items():
        before = first.results.get(name)
        right = {c.id for c in before.cases if not c.kind} if before else set()
        for case in result.cases:
            if case.failed and case.id in right:
                yield Failure(last.label, name, case, right_before=first.label)


def _spread(failures: Sequence[Failure]) -> Iterator[Failure]:
    """All of them, in the order that varies benchmark and kind as long as it can."""
    ranked = sorted(failures, key=_rank)
    common = Counter((f.benchmark, f.case.kind) for f in ranked)
    by_benchmark = _grouped(ranked, lambda f: f.benchmark)
    return _in_turn(
        [
            list(
                _in_turn(
                    sorted(
                        _grouped(inner, lambda f: f.case.kind),
                        key=lambda g: -common[g[0].benchmark, g[0].case.kind],
                    )
                )
            )
            for inner in by_benchmark
        ]
    )


def _rank(failure: Failure) -> tuple[float, float, str]:
    case = failure.case
    # Answers can be long; what is alike shows early enough.
    alike = SequenceMatcher(None, case.answer[:400], case.gold[:400], autojunk=False).ratio()
    return (-nearness(case), -alike, case.id)


def _grouped(failures: Iterable[Failure], key: Callable[[Failure], str]) -> list[list[Failure]]:
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(key(failure), []).append(failure)
    return [groups[name] for name in sorted(groups)]


def _in_turn(groups: Sequence[Sequence[Failure]]) -> Iterator[Failure]:
    """One of each group, then another of each, until all are used up."""
    for place in range(max(map(len, groups), default=0)):
        yield from (group[place] for group in groups if place < len(group))
