"""The real conversations: sizes, gold in any order, and the evidence for what is impossible."""

import ast
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coalm.agent import Agent
from coalm.bench.base import replies
from coalm.bench.bfcl import Data, find
from coalm.bench.bfcl.multiturn import (
    CATEGORIES,
    IMPOSSIBLE,
    BfclMultiTurn,
    Case,
    Environments,
    cases,
    score_results,
)
from coalm.engines import Model
from coalm.engines.scripted import Scripted
from coalm.formats import format_of
from coalm.types import Assistant


@pytest.fixture(scope="module")
def data() -> Data:
    found = find()
    if found.version == "miniature":
        if os.environ.get("COALM_REQUIRE_DATA") == "1":
            pytest.fail("the bfcl-eval wheel cannot be fetched")
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    return found


@pytest.fixture(scope="module")
def every_case(data: Data) -> dict[str, Case]:
    return {case.id: case for name in CATEGORIES for case in cases(data, name)}


@pytest.mark.data
def test_there_are_200_cases_in_each_category(every_case: dict[str, Case]) -> None:
    parts = [case.category for case in every_case.values()]
    assert {name: parts.count(name) for name in CATEGORIES} == dict.fromkeys(CATEGORIES, 200)
    for case in every_case.values():
        assert len(case.said) == len(case.gold)
        assert all(bool(said) != (turn in case.late) for turn, said in enumerate(case.said))


@pytest.mark.data
@pytest.mark.slow
def test_gold_is_right_800_times_in_any_order_and_after_failures(
    data: Data, every_case: dict[str, Case]
) -> None:
    rng = random.Random(3)
    begun = time.monotonic()
    for category in CATEGORIES:
        gold = {
            case.id: [[list(calls)] if calls else [] for calls in case.gold]
            for case in every_case.values()
            if case.category == category
        }
        names = [*gold]
        rng.shuffle(names)
        # Every other case fails first, some in ways that leave things behind.
        wrong = {name: [*gold[name][:-1], [["cd(folder='nowhere')"]]] for name in names[::2]}
        score_results(category, wrong, data, workers=2)
        found = score_results(category, {name: gold[name] for name in names}, data, workers=2)
        assert [name for name, verdict in found.items() if verdict.kind] == []
        assert {v.scores["turns"] for v in found.values()} == {1.0}
        assert {v.scores["turns_from_gold"] for v in found.values()} == {1.0}
    assert time.monotonic() - begun < 60


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("prompted", [False, True])
def test_gold_is_right_as_a_model_would_play_it(prompted: bool, data: Data) -> None:
    benchmark = BfclMultiTurn(data, prompted=prompted)
    fmt = format_of("chatml", "pythonic")
    for case in benchmark.cases()[::5]:
        said = benchmark.gold_reply(case).said
        texts = [
            s.completion.text or fmt.dialect.write(s.turn)
            for s in said
            if isinstance(s.turn, Assistant)
        ]
        agent = Agent(Model(Scripted([*texts]), fmt), {}, benchmark.about.max_steps)
        [reply] = replies(benchmark, agent, [case])
        assert benchmark.score(case, reply).kind == "", case.id
        assert reply.ended == "spoke"
    benchmark.close()


@pytest.mark.data
def test_an_impossible_case_needs_what_nobody_offers(
    data: Data, every_case: dict[str, Case]
) -> None:
    chosen = [every_case[name] for name in IMPOSSIBLE]
    classes = [kind for case in chosen for kind in case.classes]
    with Environments(data, classes) as environments:
        for case in chosen:
            needs = IMPOSSIBLE[case.id].needs
            due = next(t for t, calls in enumerate(case.gold) if any(needs in c for c in calls))
            with environments.open() as session:
                session.begin(case.scene)
                seen = [r for calls in case.gold[:due] for r in session.run(calls)]
                for call in case.gold[due]:
                    if needs in call:
                        break
                    seen += session.run([call])
            offered = [*case.functions, *(f for t in range(due + 1) for f in case.late.get(t, ()))]
            heard = [*case.said[: due + 1], *seen]
            if needs == "tail":
                assert needs not in [f["name"] for f in offered], case.id
                continue
            assert not any(needs in text for text in heard), case.id
            assert needs not in repr(offered), case.id


@pytest.mark.data
def test_gold_calls_are_made_of_literals(every_case: dict[str, Case]) -> None:
    """What is refused in a call (an operator, a name) is nothing that gold ever needs."""
    for case in every_case.values():
        for text in (call for calls in case.gold for call in calls):
            node = ast.parse(text.strip(), mode="eval").body
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Name)
            for value in (*node.args, *(word.value for word in node.keywords)):
                ast.literal_eval(value)


@pytest.mark.data
def test_the_environments_are_unpacked_once_and_mended(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_case: dict[str, Case]
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    case = every_case["multi_turn_base_0"]
    gold = [[list(calls)] for calls in case.gold]
    for spoil in (False, True):
        if spoil:
            [path] = tmp_path.rglob("gorilla_file_system.py")
            path.write_text("raise SystemExit")
        with Environments(data, case.classes) as environments:
            assert environments.judge(case.scene, gold, case.gold).error == ""


def test_the_package_is_imported_without_what_takes_long() -> None:
    script = "import sys, coalm.bench.bfcl.multiturn; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"torch", "transformers", "pyarrow", "openai", "datasets", "numpy", "pandas"}
    assert not heavy & set(done.stdout.split())
