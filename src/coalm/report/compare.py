"""Is the last model better than the first? In points, with an interval, and in words.

The first column is what is compared against, the last is what is judged; the words follow
from the interval of the paired difference alone.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from coalm.bench.stats import Figure, difference
from coalm.report.runs import Evaluated, Found, Measure, Result

NAMES = {"multiwoz": "MultiWOZ", "apibank": "API-Bank", "bfcl": "BFCL"}
"""Benchmarks as people write them."""

DASH = "–"  # noqa: RUF001  an en dash is what tables use for nothing

Gaps: TypeAlias = Mapping[tuple[str, str], Figure]
"""By `BENCHMARK.PROTOCOL` and metric, the last model minus the first."""


def title(name: str) -> str:
    """`multiwoz.dst-json` -> `MultiWOZ (dst-json)`."""
    benchmark, _, protocol = name.partition(".")
    return f"{NAMES.get(benchmark, benchmark)} ({protocol})"


def interval(figure: Figure | Measure) -> str:
    """`[8.1, 17.0]`."""
    return f"[{figure.low:.1f}, {figure.high:.1f}]"


def count(number: int, what: str = "case") -> str:
    """`1 case`, `1,204 cases`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def gaps(found: Found) -> Gaps:
    """Every metric's difference over the cases that both answered.

    A metric is left out where either model lacks it, where they share no case, or where
    the data or the metric's definition is not the same for both.
    """
    first, last = found.columns[0], found.columns[-1]
    made = {}
    for name, ours in last.results.items():
        theirs = first.results.get(name) if first is not last else None
        for measure in ours.scores.metrics:
            if theirs and _alike(ours, theirs, measure):
                paired = difference(ours.scored, theirs.scored, measure.metric)
                if paired.n:
                    made[name, measure.name] = paired
    return made


def _alike(ours: Result, theirs: Result, measure: Measure) -> bool:
    other = theirs.measure(measure.name)
    same_data = ours.scores.version == theirs.scores.version
    return same_data and other is not None and other.metric == measure.metric


def main_metrics(found: Found, name: str) -> tuple[str, ...]:
    """The headline metrics of a benchmark, in its own order."""
    every = (m for c in found.columns if name in c.results for m in c.results[name].scores.metrics)
    return tuple(dict.fromkeys(m.name for m in every if m.main))


def headline(found: Found, differences: Gaps) -> tuple[str, ...]:
    """What was compared, then a sentence for each main metric of each benchmark."""
    told = [
        _sentence(found, name, main, differences.get((name, main)))
        for name in found.benchmarks
        for main in main_metrics(found, name)
    ]
    return (_subject(found.columns), *told)


def _subject(columns: Sequence[Evaluated]) -> str:
    cases = count(sum(r.scores.cases for r in columns[-1].results.values()))
    missing = sum(r.scores.not_answered for c in columns for r in c.results.values())
    were = "was" if missing == 1 else "were"
    lost = f" {count(missing)} {were} not answered and left out of the scores." if missing else ""
    if len(columns) == 1:
        return f"{columns[0].label} on {cases}; one model alone, so nothing is compared.{lost}"
    between = ", ".join(c.label for c in columns[1:-1])
    also = f" The tables also hold {between}." if between else ""
    return f"{columns[-1].label} against {columns[0].label}, on {cases}.{also}{lost}"


def _sentence(found: Found, name: str, main: str, gap: Figure | None) -> str:
    if gap is None:
        return _apart(found, name, main)
    ours, theirs = found.columns[-1], found.columns[0]
    values = " against ".join(
        f"{m.value:.1f}" for c in (ours, theirs) if (m := c.results[name].measure(main))
    )
    spread = f"95% interval [{gap.low:+.1f}, {gap.high:+.1f}]"
    if gap.apart:
        word = "better" if gap.value > 0 else "worse"
        says = f"is {word} than {theirs.label} by {abs(gap.value):.1f} points ({spread})"
    else:
        says = (
            f"cannot be told from {theirs.label}: the difference is {gap.value:+.1f} points "
            f"({spread}, which holds 0)"
        )
    return f"{title(name)}, {main}: {ours.label} {says}; {values} on {count(gap.n)}."


def _apart(found: Found, name: str, main: str) -> str:
    """The sentence for a benchmark on which the first and the last model cannot be paired."""
    have = [
        f"{c.label} {m.value:.1f} {interval(m)} on {count(m.n)}"
        for c in found.columns
        if name in c.results and (m := c.results[name].measure(main))
    ]
    lone = len(found.columns) == 1
    why = "" if lone else "; the first and the last model cannot be paired case by case"
    return f"{title(name)}, {main}: {', '.join(have)}{why}."
