"""How sure BFCL's scores are: bootstrap intervals, of categories and of their aggregates.

A case is right or wrong and is drawn by itself, so how many of a resample are right is a
binomial number. It is drawn as such, which gives the distribution that `stats.figure`
resamples its way to, at a hundredth of the time.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from itertools import accumulate
from random import Random

from coalm.bench.stats import RESAMPLES

Interval = tuple[float, float]
"""The 2.5 and 97.5 percentiles."""

Right = Mapping[str, tuple[int, int]]
"""By category: how many cases are right, of how many."""


def draws(right: Right, seed: int = 0) -> list[dict[str, float]]:
    """So many resamples: for each the score of every category, 0 to 100."""
    random = Random(seed)
    columns = {name: _draws(k, n, random) for name, (k, n) in right.items()}
    return [{name: column[i] for name, column in columns.items()} for i in range(RESAMPLES)]


def interval(
    drawn: list[dict[str, float]],
    of: Callable[[Mapping[str, float]], float | None],
    value: float | None,
) -> Interval | None:
    """The middle 95% of a figure over the resamples, stretched to hold the figure itself."""
    if value is None:
        return None
    found = sorted(figure for one in drawn if (figure := of(one)) is not None)
    cut = math.floor(0.025 * len(found))
    return min(found[cut], value), max(found[-cut - 1], value)


def _draws(right: int, n: int, random: Random) -> list[float]:
    if right in (0, n):
        return [100.0 * right / n if n else 0.0] * RESAMPLES
    p = right / n
    chances = (
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(p)
            + (n - k) * math.log1p(-p)
        )
        for k in range(n + 1)
    )
    reached = list(accumulate(chances))
    return [
        100.0 * min(bisect_left(reached, random.random() * reached[-1]), n) / n
        for _ in range(RESAMPLES)
    ]
