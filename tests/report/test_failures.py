"""The failures that a report shows are chosen by a rule, and the rule keeps its word."""

from typing import TYPE_CHECKING

from coalm.report.failures import Failure, choose, nearness
from coalm.report.runs import Case, find

if TYPE_CHECKING:
    from tests.report.conftest import Folders

RIGHT = {"joint": 1.0, "tp": 1.0, "fp": 0.0, "fn": 0.0}


def _wrong(near: float) -> dict[str, float]:
    return {"joint": 0.0, "tp": near, "fp": 1.0, "fn": 0.0}


def _row(name: str, scores: dict[str, float], kind: str = "", part: str = "") -> dict[str, object]:
    return {
        "id": name,
        "part": part,
        "prompt": "p",
        "raw": ["said"],
        "gold": "gold",
        "answer": "said",
        "ended": "spoke",
        "scores": scores,
        "kind": kind,
        "note": "",
    }


def _names(chosen: tuple[Failure, ...]) -> list[str]:
    return [f.case.id for f in chosen]


def test_regressions_come_first_but_do_not_crowd_out_the_rest(folders: "Folders") -> None:
    name = "multiwoz.dst-json"
    base = [_row(f"r{n}", RIGHT) for n in range(6)] + [_row("w", _wrong(1), "format")]
    tuned = [_row(f"r{n}", _wrong(n), "wrong state") for n in range(6)]
    folders.bench("base", name, base)
    folders.bench("tuned", name, [*tuned, _row("w", _wrong(1), "format")])

    chosen = choose(find([folders.root]).columns)

    assert _names(chosen)[:3] == ["r5", "r4", "r3"], "the nearest misses first"
    assert [f.right_before for f in chosen[:4]] == ["base", "base", "base", ""]
    assert sorted(_names(chosen)[3:]) == ["r0", "r1", "r2", "w", "w"]


def test_kinds_take_turns(folders: "Folders") -> None:
    many = [_row(f"a{n:02}", _wrong(5), "wrong state") for n in range(20)]
    few = [_row(f"b{n}", _wrong(0), kind) for n, kind in enumerate(["format", "too many steps"])]
    folders.bench("tuned", "multiwoz.dst-json", [*many, *few])

    chosen = choose(find([folders.root]).columns)

    assert len(chosen) == 10
    assert {f.case.kind for f in chosen[:3]} == {"wrong state", "format", "too many steps"}
    assert chosen[0].case.kind == "wrong state", "the commonest kind opens"


def test_benchmarks_take_turns(folders: "Folders") -> None:
    folders.multiwoz("tuned", 0)
    rows = [_row("s0", {"right": 0.0}, "wrong type", "simple_python")]
    folders.bench("tuned", "bfcl.ast", rows)

    chosen = choose(find([folders.root]).columns)

    assert {f.benchmark for f in chosen[:2]} == {"multiwoz.dst-json", "bfcl.ast"}


def test_an_earlier_model_fills_what_the_last_one_leaves(folders: "Folders") -> None:
    folders.multiwoz("base", 0, of=12)
    folders.multiwoz("tuned", 10, of=12)

    assert [f.label for f in choose(find([folders.root]).columns)] == ["tuned"] * 2 + ["base"] * 8


def test_what_was_not_answered_is_no_failure(folders: "Folders") -> None:
    rows = [_row("u", _wrong(0), "not answered"), _row("r", RIGHT)]
    folders.bench("tuned", "multiwoz.dst-json", rows)

    assert choose(find([folders.root]).columns) == ()


def test_the_same_runs_give_the_same_failures(folders: "Folders") -> None:
    folders.multiwoz("base", 3)
    folders.multiwoz("tuned", 12)

    assert choose(find([folders.root]).columns) == choose(find([folders.root]).columns)


def test_nearness_reads_counts_as_f1_and_leaves_out_what_counts_against() -> None:
    def case(**scores: float) -> Case:
        return Case("x", "spoke", "", "", scores)

    assert nearness(case(tp=3.0, fp=1.0, fn=1.0)) == 0.75
    assert nearness(case(name_tp=0.0, name_fp=0.0, name_fn=2.0, rougel=1.0)) == 0.5
    assert nearness(case(right=0.0, unreadable=1.0)) == 0.0
    assert nearness(case()) == 0.0
