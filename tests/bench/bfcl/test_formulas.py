"""BFCL's aggregates, by hand and by formula; a figure that is not known stays unknown."""

import pytest

from coalm.bench.base import mean
from coalm.bench.bfcl.categories import ALL
from coalm.bench.bfcl.formulas import AGENTIC, FORMULAS, NEEDS, V4_WEIGHTS, v3, v4
from coalm.bench.bfcl.intervals import draws, interval
from coalm.bench.stats import RESAMPLES, Scored, figure

COUNTS = {c.name: c.then for c in ALL.values()}
SCORES: dict[str, float | None] = {
    "simple_python": 90.0,
    "simple_java": 60.0,
    "simple_javascript": 30.0,  # simple: 60
    "multiple": 80.0,
    "parallel": 70.0,
    "parallel_multiple": 50.0,  # Non-Live AST: 65
    "irrelevance": 40.0,
    "exec_simple": 100.0,
    "rest": 50.0,  # simple: 75
    "exec_multiple": 65.0,
    "exec_parallel": 35.0,
    "exec_parallel_multiple": 25.0,  # Non-Live Exec: 50
    "live_simple": 50.0,
    "live_multiple": 50.0,
    "live_parallel": 50.0,
    "live_parallel_multiple": 50.0,
    "live_irrelevance": 50.0,
    "live_relevance": 50.0,
    "multi_turn_base": 10.0,
    "multi_turn_miss_func": 20.0,
    "multi_turn_miss_param": 30.0,
    "multi_turn_long_context": 40.0,
}


def test_v3_by_hand() -> None:
    found = v3(SCORES, COUNTS)
    assert found["Non-Live AST"] == pytest.approx(65)
    assert found["Non-Live Exec"] == pytest.approx(50)
    assert found["Non-Live"] == pytest.approx((4 * 65 + 4 * 50 + 40) / 9)
    assert found["Live"] == pytest.approx(50)
    assert found["Multi-Turn"] == pytest.approx(25)
    assert found["Irrelevance"] == pytest.approx(45)
    assert found["Relevance"] == 50
    assert found["Overall"] == pytest.approx((500 / 9 + 50 + 25) / 3)


def test_v4_by_hand() -> None:
    agentic = dict(zip(AGENTIC, (40.0, 20.0, 10.0, 20.0, 30.0), strict=True))  # web 30, memory 20
    found = v4({**SCORES, **agentic}, COUNTS)
    assert found["Non-Live"] == pytest.approx(65)
    assert found["Live"] == pytest.approx(50)
    assert found["Agentic"] == pytest.approx(25)
    assert found["Overall"] == pytest.approx(6.5 + 5 + 4.5 + 7.5 + 10)
    assert sum(V4_WEIGHTS.values()) == 100


def test_live_is_weighted_by_its_questions() -> None:
    scores = {**SCORES, "live_multiple": 100.0}
    live = [COUNTS[c.name] for c in ALL.values() if c.section == "live"]
    assert v3(scores, COUNTS)["Live"] == pytest.approx(50 + 50 * 1053 / sum(live))


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("unknown", [None, "left out"])
def test_a_category_that_is_missing_makes_the_overall_score_unknown(
    formula: str, unknown: str | None
) -> None:
    full: dict[str, float | None] = {**SCORES, **dict.fromkeys(AGENTIC, 50.0)}
    assert FORMULAS[formula](full, COUNTS)["Overall"] is not None
    for name in NEEDS[formula]:
        less = {k: v for k, v in full.items() if k != name}
        less |= {name: None} if unknown is None else {}
        assert FORMULAS[formula](less, COUNTS)["Overall"] is None, name
    for name in set(full) - set(NEEDS[formula]):
        assert FORMULAS[formula]({**full, name: None}, COUNTS)["Overall"] is not None, name


def test_every_category_of_v3_is_in_its_formula() -> None:
    assert set(NEEDS["V3"]) == set(ALL)


@pytest.mark.parametrize(("right", "n"), [(7, 10), (300, 400), (3, 16), (400, 400), (0, 5)])
def test_intervals_are_those_of_resampled_cases(right: int, n: int) -> None:
    rows = [Scored(str(i), "", {"right": float(i < right)}) for i in range(n)]
    resampled = figure(rows, mean("x", "right"))
    found = interval(draws({"x": (right, n)}), lambda one: one["x"], 100 * right / n)
    assert found
    step = 200 / n  # two cases: both are draws
    assert found == pytest.approx((resampled.low, resampled.high), abs=max(step, 1.0))


def test_draws_are_as_many_as_everywhere_and_repeat() -> None:
    drawn = draws({"a": (3, 9), "b": (1, 4)})
    assert len(drawn) == RESAMPLES
    assert drawn == draws({"a": (3, 9), "b": (1, 4)})
    assert interval(drawn, lambda one: one["a"], None) is None
