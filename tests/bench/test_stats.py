"""Figures and their intervals."""

import math
import time
from random import Random

import pytest

from coalm.bench.base import Metric, mean, micro_f1
from coalm.bench.stats import Figure, Scored, difference, figure

RIGHT = mean("Right", "right", main=True)
F1 = micro_f1("F1")


def _rows(share: float, n: int = 400, *, seed: int = 1, each: int = 1) -> list[Scored]:
    rng = Random(seed)
    drawn = [float(rng.random() < share) for _ in range(n // each)]
    return [
        Scored(f"case{i}#{j}", "p", {"right": x}) for i, x in enumerate(drawn) for j in range(each)
    ]


def test_the_interval_is_about_as_wide_as_theory_says() -> None:
    found = figure(_rows(0.3), RIGHT)
    share = found.value / 100
    expected = 2 * 1.96 * 100 * math.sqrt(share * (1 - share) / 400)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(expected, rel=0.15)
    assert (found.name, found.n, found.main) == ("Right", 400, True)


def test_the_same_cases_give_the_same_interval_in_any_process() -> None:
    assert figure(_rows(0.3), RIGHT) == figure(_rows(0.3), RIGHT)
    assert figure(_rows(0.3), RIGHT, seed=1) != figure(_rows(0.3), RIGHT, seed=2)


def test_a_ratio_of_sums_is_resampled_as_one() -> None:
    rows = [
        Scored(str(i), "", {"tp": i % 3 * 1.0, "fp": 1.0, "fn": i % 2 * 1.0}) for i in range(90)
    ]
    found = figure(rows, F1)
    tp, fp, fn = (sum(r.scores[k] for r in rows) for k in ("tp", "fp", "fn"))
    assert found.value == pytest.approx(100 * 2 * tp / (2 * tp + fp + fn))
    assert found.low < found.value < found.high


def test_cases_of_one_source_are_drawn_together() -> None:
    alone, together = figure(_rows(0.3, 400), RIGHT), figure(_rows(0.3, 400, each=8), RIGHT)
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_only_the_cases_of_the_part_count() -> None:
    rows = [Scored("a", "x", {"right": 1.0}), Scored("b", "y", {"right": 0.0})]
    found = figure(rows, mean("X", "right", only="x"))
    assert (found.value, found.low, found.high, found.n, found.only) == (100, 100, 100, 1, "x")


def test_no_case_is_no_trouble() -> None:
    assert figure([], RIGHT) == Figure("Right", 0.0, 0.0, 0.0, 0, True)
    assert difference([], [], RIGHT).n == 0


def test_a_pair_of_equals_differs_by_nothing() -> None:
    found = difference(_rows(0.3), _rows(0.3), RIGHT)
    assert (found.value, found.low, found.high, found.apart) == (0, 0, 0, False)


def test_a_difference_in_pairs_is_surer_than_two_intervals() -> None:
    base = _rows(0.3)
    ours = [
        Scored(r.id, r.part, {"right": 1.0 if i % 10 == 0 else r.scores["right"]})
        for i, r in enumerate(base)
    ]
    found = difference(ours, base, RIGHT)
    assert found.apart
    assert found.value == pytest.approx(figure(ours, RIGHT).value - figure(base, RIGHT).value)
    assert figure(ours, RIGHT).low < figure(base, RIGHT).high  # the two alone could not tell


def test_only_shared_cases_are_compared() -> None:
    ours = [Scored("a", "", {"right": 1.0}), Scored("b", "", {"right": 0.0})]
    theirs = [Scored("a", "", {"right": 0.0}), Scored("c", "", {"right": 1.0})]
    assert (difference(ours, theirs, RIGHT).value, difference(ours, theirs, RIGHT).n) == (100, 1)


def test_a_change_for_the_worse_is_a_difference_too() -> None:
    assert difference(_rows(0.0), _rows(0.9), RIGHT).apart
    assert difference(_rows(0.0), _rows(0.9), RIGHT).value < 0


def test_five_hundred_cases_take_well_under_a_second() -> None:
    begun = time.process_time()
    figure(_rows(0.4, 500), RIGHT)
    assert time.process_time() - begun < 1.0


BOTH = (("a", 1.0), ("b", 1.0))


def _two(n: int, a: float, b: float) -> list[Scored]:
    """Cases of which the first shares are right in two ways of asking."""
    return [Scored(f"q{i}", "p", {"a": float(i < a * n), "b": float(i < b * n)}) for i in range(n)]


def test_the_worst_and_the_spread_are_of_means() -> None:
    rows = _two(100, 0.9, 0.3)
    assert figure(rows, Metric("Worst", BOTH, how="worst")).value == pytest.approx(30.0)
    assert figure(rows, Metric("Spread", BOTH, how="spread")).value == pytest.approx(60.0)
    assert Metric("Spread", BOTH, how="spread").of([]) == 0.0


def test_a_spread_is_drawn_in_pairs() -> None:
    """Ways that fail on the very same cases are never apart, however the cases are drawn."""
    together = figure(_two(100, 0.5, 0.5), Metric("Spread", BOTH, how="spread"))
    assert (together.value, together.low, together.high) == (0.0, 0.0, 0.0)
    rng = Random(4)
    loose = [
        Scored(f"q{i}", "p", {"a": float(rng.random() < 0.5), "b": float(rng.random() < 0.5)})
        for i in range(100)
    ]
    assert figure(loose, Metric("Spread", BOTH, how="spread")).high > 5


def test_two_models_spreads_can_be_compared() -> None:
    spread = Metric("Spread", BOTH, how="spread")
    found = difference(_two(100, 0.9, 0.3), _two(100, 0.9, 0.8), spread)
    assert found.value == pytest.approx(50.0)
    assert found.apart


def test_a_figure_over_what_was_completed_is_compared_where_both_completed() -> None:
    done = Metric("Success, completed", (("won", 1.0),), (("done", 1.0),), over="done")
    ours = [Scored("a", "", {"done": 1.0, "won": 1.0}), Scored("b", "", {"done": 1.0, "won": 0.0})]
    theirs = [Scored("a", "", {"done": 1.0, "won": 1.0}), Scored("b", "", {"done": 0.0})]
    found = difference(ours, theirs, done)
    assert (found.value, found.n) == (0.0, 1)
    assert difference(ours, [Scored("a", "", {}), Scored("b", "", {})], done).n == 0
