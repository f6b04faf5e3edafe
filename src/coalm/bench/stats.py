"""How sure a figure is: bootstrap intervals over cases.

Cases whose ids share what stands before `#` come from one source, such as the turns of
one dialogue. They fail together, so they are drawn together; an interval that took them
for independent would be too narrow.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from coalm.bench.base import Metric, Sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
"""Draws behind an interval."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is left of a case when it has been judged."""

    id: str
    part: str
    scores: Mapping[str, float]

    @property
    def source(self) -> str:
        """The dialogue or row that the case comes from."""
        return self.id.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric over some cases, 0 to 100, with its 95% interval."""

    name: str
    value: float
    low: float
    high: float
    n: int
    """The cases that it is over."""
    main: bool = False
    only: str = ""

    @property
    def apart(self) -> bool:
        """Of a difference: whether the interval leaves out 0."""
        return self.low > 0.0 or self.high < 0.0


def figure(rows: Sequence[Scored], metric: Metric, *, seed: int = 0) -> Figure:
    """The metric over the cases, and the 2.5 and 97.5 percentiles of 1,000 resamples.

    Where every case is right, or every one wrong, all resamples are alike and the
    interval is a point: read it beside `n`.
    """
    kept = [row for row in rows if metric.counts(row.part, row.scores)]
    groups: dict[str, tuple[Sums, ...]] = {}
    for row in kept:
        _add(groups, row.source, metric.sums(row.scores))
    value = metric.of([(row.part, row.scores) for row in kept])
    drawn = _resampled(list(groups.values()), metric.value, seed)
    low, high = _interval(drawn, value)
    return Figure(metric.name, value, low, high, len(kept), metric.main, metric.only)


def difference(
    ours: Sequence[Scored], theirs: Sequence[Scored], metric: Metric, *, seed: int = 0
) -> Figure:
    """Ours minus theirs over the cases that both have, drawn in pairs.

    In points; `apart` says whether the difference is larger than chance.
    """
    others = {row.id: row for row in theirs}
    # What a metric is over may hang on the answers; a case then counts where it does for both.
    kept = [
        row
        for row in ours
        if row.id in others
        and metric.counts(row.part, row.scores)
        and metric.counts(row.part, others[row.id].scores)
    ]
    groups: dict[str, tuple[Sums, ...]] = {}
    for row in kept:
        pair = *metric.sums(row.scores), *metric.sums(others[row.id].scores)
        _add(groups, row.source, pair)

    def gap(sums: Sequence[Sums]) -> float:
        half = len(sums) // 2
        return metric.value(sums[:half]) - metric.value(sums[half:])

    whole = [_total(column) for column in zip(*groups.values(), strict=True)]
    value = gap(whole)
    low, high = _interval(_resampled(list(groups.values()), gap, seed), value)
    return Figure(metric.name, value, low, high, len(kept), metric.main, metric.only)


def _add(groups: dict[str, tuple[Sums, ...]], source: str, sums: tuple[Sums, ...]) -> None:
    """Add what a case has to the sums of its source."""
    before = groups.get(source)
    groups[source] = sums if before is None else tuple(map(_total, zip(before, sums, strict=True)))


def _resampled(
    groups: Sequence[tuple[Sums, ...]], of: Callable[[Sequence[Sums]], float], seed: int
) -> list[float]:
    """The statistic over each resample, in rising order; empty where there are no groups."""
    if not groups:
        return []
    import numpy as np

    table = np.array([[number for pair in sums for number in pair] for sums in groups])
    drawn = _drawn(len(groups), seed)
    found = []
    for start in range(0, RESAMPLES, 100):  # so that no more than a tenth is there as floats
        totals = (drawn[start : start + 100].astype(float) @ table).tolist()
        found += [of(list(zip(row[::2], row[1::2], strict=True))) for row in totals]
    return sorted(found)


@lru_cache(maxsize=4)
def _drawn(groups: int, seed: int) -> "NDArray[Any]":
    """How often each group is in each resample; the same for every metric."""
    import numpy as np

    # What `Random(seed).choices` draws, which earlier intervals were made with, in bulk:
    # numpy's older generator is the same one, and takes over its state.
    _, state, _ = Random(seed).getstate()
    random = np.random.RandomState()
    random.set_state(("MT19937", np.array(state[:-1], np.uint32), state[-1], 0, 0.0))
    counts = np.empty((RESAMPLES, groups), np.uint16)
    for row in counts:
        chosen = (random.random_sample(groups) * groups).astype(np.int64)
        row[:] = np.bincount(chosen, minlength=groups)
    return counts


def _interval(drawn: Sequence[float], value: float) -> tuple[float, float]:
    """The middle 95%, stretched to hold the figure itself."""
    if not drawn:
        return value, value
    cut = math.floor(0.025 * len(drawn))
    return min(drawn[cut], value), max(drawn[-cut - 1], value)


def _total(pairs: Sequence[Sums]) -> Sums:
    return sum(above for above, _ in pairs), sum(below for _, below in pairs)
