"""Runs of one turn and of several become BFCL's own scores, beside the paper's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl.categories import ALL
from coalm.bench.bfcl.formulas import v3
from coalm.errors import DataError
from coalm.report.assembled import assemble, by_model, tables
from coalm.report.runs import Case, Evaluated, Result, Scores


def result(
    protocol: str, right: dict[str, tuple[int, int]], *, label: str = "m", **more: Any
) -> Result:
    """A run with so many of so many right in some categories."""
    cases = [
        Case(f"{name}_{i}", "spoke", "", "", {"right": float(i < k)}, name, "" if i < k else "x")
        for name, (k, n) in right.items()
        for i in range(n)
    ]
    fields: dict[str, Any] = {
        "version": "bfcl-eval 1",
        "available": len(cases),
        "parts": {name: n for name, (_, n) in right.items()},
        **more,
    }
    scores = Scores(
        "bfcl",
        protocol,
        label=label,
        model={"name": label},
        cases=len(cases),
        not_answered=0,
        metrics=(),
        kinds={},
        identity={"format": "chat/native"},
        **fields,
    )
    return Result(Path("runs") / label / f"bfcl.{protocol}", scores, tuple(cases), "0")


def column(results: Sequence[Result], label: str = "m") -> Evaluated:
    return Evaluated(label, Path("runs") / label, {r.scores.name: r for r in results})


SINGLE = {name: (n, 2 * n) for n, (name, c) in enumerate(ALL.items(), 1) if c.single}
SEVERAL = {name: (1, 4) for name, c in ALL.items() if not c.single}


def test_the_columns_are_those_of_the_formula() -> None:
    [found] = assemble("m", [result("single", SINGLE), result("multi-turn", SEVERAL)])
    shares = {name: 100 * k / n for name, (k, n) in (SINGLE | SEVERAL).items()}
    counts = {name: n for name, (_, n) in (SINGLE | SEVERAL).items()}
    assert found.aggregates["V3"] == pytest.approx(v3(shares, counts))
    assert found.aggregates["V3"]["Multi-Turn"] == 25.0
    assert found.aggregates["V4"]["Overall"] is None
    low, high = found.intervals["V3"]["Overall"] or (0.0, 0.0)
    assert low < 41.7 < high


def test_a_sample_weighs_as_its_whole_category_and_says_so() -> None:
    right = {"live_simple": (1, 2), "live_multiple": (2, 2)}
    live = {name: (1, 1) for name, c in ALL.items() if c.section == "live"} | right
    whole = dict.fromkeys(live, 10) | {"live_simple": 300, "live_multiple": 100}
    [found] = assemble("m", [result("single", live, parts=whole, available=440)])
    rest = 10 * (len(live) - 2)
    assert found.aggregates["V3"]["Live"] == pytest.approx(100 * (150 + 100 + rest) / (400 + rest))
    assert found.data == "bfcl-eval 1, samples"
    assert "live_simple 2 of 300" in found.problems[0]
    assert found.parts["live_simple"].state == "partial"


def test_native_and_prompting_are_never_mixed() -> None:
    runs = [result("single", SINGLE), result("multi-turn-prompt", SEVERAL)]
    native, prompting = assemble("m", runs)
    assert (native.model, prompting.model) == ("m, native", "m, prompting")
    assert native.aggregates["V3"]["Multi-Turn"] is None
    assert prompting.aggregates["V3"]["Live"] is None
    assert not tables([column(runs)])


def test_single_counts_before_ast() -> None:
    few = {"simple_python": (0, 9)}
    [found] = assemble("m", [result("ast", few), result("single", SINGLE)])
    assert len(found.parts["simple_python"].rows) == SINGLE["simple_python"][1]


def test_runs_of_other_data_or_twice_the_same_are_refused() -> None:
    other = result("multi-turn", SEVERAL, version="bfcl-eval 2")
    with pytest.raises(DataError, match="different data"):
        assemble("m", [result("single", SINGLE), other])
    twice = [column([result("single", SINGLE)]), column([result("single", SINGLE)], "copy")]
    with pytest.raises(DataError, match=r"are both bfcl\.single of m"):
        by_model(twice)


def test_runs_of_one_model_in_two_folders_belong_together() -> None:
    columns = [column([result("single", SINGLE)]), column([result("multi-turn", SEVERAL)], "n")]
    [found] = by_model(columns)
    assert found.aggregates["V3"]["Overall"] is not None


def test_an_older_run_that_does_not_tell_its_size_is_whole_or_a_sample() -> None:
    whole = result("multi-turn", SEVERAL, parts={})
    [found] = assemble("m", [whole])
    assert found.parts["multi_turn_base"].state == "scored"
    part = result("multi-turn", SEVERAL, parts={}, available=800)
    [found] = assemble("m", [part])
    assert found.parts["multi_turn_base"].state == "partial"
    assert "an unknown number" in found.problems[0]


def test_the_papers_rows_stand_beside_ours_with_their_data() -> None:
    first, *_ = tables([column([result("single", SINGLE), result("multi-turn", SEVERAL)])])
    assert first.header[:3] == ("model", "data", "Overall")
    names = [row[0] for row in first.rows]
    assert names[0] == "m, native"
    assert "CoALM 8B (paper)" in names
    assert all(row[1] for row in first.rows)
