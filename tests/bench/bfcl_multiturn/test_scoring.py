"""Result files of conversations: gold, silence, garbage, hostile ones, any order."""

import itertools
import time
from typing import Any

import pytest

from coalm.bench.bfcl import Data, miniature
from coalm.bench.bfcl.multiturn import CATEGORIES, Case, Limits, cases, score_results
from coalm.bench.bfcl.multiturn.cases import brought, constants, system_prompt, tools
from coalm.bench.bfcl.multiturn.scoring import turns_of
from coalm.errors import DataError, RecipeError
from tests.bench.bfcl_multiturn.conftest import write_cases

DATA = miniature()
BASE = cases(DATA, "multi_turn_base")
RIGHT: dict[str, list[list[Any]]] = {
    "multi_turn_base_0": [
        ["[open_door(), take(item='eggs', count=3)]", "Here they are."],
        ["[take(item='flour')]", "[note(text='flour (white)')]", "Done."],
    ],
    "multi_turn_base_1": [
        [[{"share": '{"total": 9, "people": 4}'}]],
        [[{"note": '{"text": "milk"}'}], "Noted."],
        [[{"open_door": "{}"}, {"look": "{}"}]],
    ],
}


def gold(case: Case) -> list[list[list[str]]]:
    return [[list(calls)] if calls else [] for calls in case.gold]


@pytest.mark.parametrize("category", CATEGORIES)
def test_gold_is_right_in_every_category(category: str) -> None:
    results = {case.id: gold(case) for case in cases(DATA, category)}
    for verdict in score_results(category, results, DATA).values():
        assert verdict.kind == ""
        assert set(verdict.scores.values()) == {1.0}


def test_every_layout_of_a_result_is_read() -> None:
    found = score_results("multi_turn_base", RIGHT, DATA)
    assert [v.scores["right"] for v in found.values()] == [1.0, 1.0]


def test_the_order_of_results_is_kept_and_is_no_matter() -> None:
    names = list(RIGHT)
    for order in itertools.permutations(names):
        for workers in (1, 2):
            results = {name: RIGHT[name] for name in order}
            found = score_results("multi_turn_base", results, DATA, workers=workers)
            assert tuple(found) == order
            assert all(v.scores["right"] for v in found.values())


@pytest.mark.parametrize(
    ("result", "kind", "note"),
    [
        ([[], []], "no call", "turn 1"),
        ([["[open_door()]"], []], "wrong state", "Pantry.shelf"),
        ([["[open_door(), take(item='eggs', count=3)]"]], "too many steps", "1 turns, not 2"),
        ([["[ls()]"], ["[ls()]"], []], "too many steps", "3 turns, not 2"),
        ([], "too many steps", "0 turns"),
        ("Error during inference: 503", "format", "not a list of turns"),
        (None, "format", "not a list"),
        ({"a": 1}, "format", "not a list"),
        ([None, 7], "no call", "turn 1"),
        ([["no"], "no"], "no call", "turn 1"),
        ([[[["deep"]]], [{"f": []}]], "no call", "turn 1"),
    ],
)
def test_what_is_wrong_is_said_in_a_word(result: Any, kind: str, note: str) -> None:
    [verdict] = score_results("multi_turn_base", {"multi_turn_base_0": result}, DATA).values()
    assert (verdict.kind, verdict.scores["right"]) == (kind, 0.0)
    assert note in verdict.note


def test_a_missing_result_is_told_from_a_wrong_state() -> None:
    result = [[], *RIGHT["multi_turn_base_1"][1:]]
    shared = [["[add(numbers=[2.25])]"], *RIGHT["multi_turn_base_1"][1:]]
    for said, kind in ((result, "no call"), (shared, "")):
        [found] = score_results("multi_turn_base", {"multi_turn_base_1": said}, DATA).values()
        assert found.kind == kind
    other = [["[add(numbers=[2])]"], *RIGHT["multi_turn_base_1"][1:]]
    [found] = score_results("multi_turn_base", {"multi_turn_base_1": other}, DATA).values()
    assert found.kind == "missing information"
    assert found.scores["turns"] == found.scores["turns_from_gold"] == pytest.approx(2 / 3)


def test_an_unknown_case_or_category_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError, match="multi_turn_base_0"):
        score_results("multi_turn_base", {"multi_turn_bse_0": []}, DATA)
    with pytest.raises(RecipeError, match="multi_turn_base"):
        score_results("multi_turn_bas", {}, DATA)


def test_no_results_are_no_verdicts() -> None:
    assert score_results("multi_turn_base", {}, DATA) == {}


def test_one_exploding_case_costs_itself_alone(trapped: Data) -> None:
    names = [f"multi_turn_base_{n}" for n in range(12)]
    write_cases(trapped, {name: [["mark(text='a')"], ["mark(text='b')"]] for name in names})
    right = [[["mark(text='a')"]], [["mark(text='b')"]]]
    bad = {
        names[1]: [[["mark(text='a')", "forever()"]], [["mark(text='b')"]]],
        names[4]: [[["mark(text='a')"]], [["swell(megabytes=2000)"]]],
        names[5]: [[["leave()"]], []],
        names[8]: [[["mark(text='a')", "compute()"]], []],
    }
    hostile = {
        names[9]: [[["x(" * 40_000]], []],
        names[10]: [["[" * 90_000], [["mark(text='" + "b" * 2_000_000 + "')"]]],
    }
    begun = time.monotonic()
    limits = Limits(call_s=0.3, case_s=2.0, memory_mb=600)
    results = dict.fromkeys(names, right) | bad | hostile
    found = score_results("multi_turn_base", results, trapped, workers=2, limits=limits)
    assert time.monotonic() - begun < 10
    lost = {name: v.note for name, v in found.items() if v.kind == "environment lost"}
    assert set(lost) == set(bad)
    assert "took too long" in lost[names[1]]
    assert "out of memory" in lost[names[4]]
    for name, verdict in found.items():
        assert verdict.scores["right"] == (name not in bad and name not in hostile)


def test_the_words_of_a_call_that_fails_are_compared_as_well(trapped: Data) -> None:
    write_cases(trapped, {"multi_turn_base_0": [["fails(text='x')"]]})
    for text, right in (("x", 1.0), ("y", 0.0)):
        results = {"multi_turn_base_0": [[[f"fails(text='{text}')"]]]}
        [found] = score_results("multi_turn_base", results, trapped).values()
        assert found.scores["right"] == right


def test_a_case_reads_as_it_is_written() -> None:
    [case] = cases(DATA, "multi_turn_miss_func")
    assert case.said == ("Open the pantry.", "Write 'rice' on the shopping list.", "")
    assert [f["name"] for f in case.functions] == ["open_door", "look", "take"]
    assert {turn: [f["name"] for f in late] for turn, late in case.late.items()} == {2: ["note"]}
    assert case.scene["long"] is False
    assert cases(DATA, "multi_turn_long_context")[0].scene["long"] is True


def test_tools_have_the_types_of_json_schema() -> None:
    take = next(t for t in tools(BASE[0].functions) if t.name == "take")
    assert take.parameters["type"] == "object"
    assert take.required == ("item",)


def test_a_broken_row_is_named_with_its_category(trapped: Data) -> None:
    (trapped.path / "BFCL_v4_multi_turn_base.json").write_text('{"id": "multi_turn_base_0"}\n')
    path = trapped.path / "possible_answer" / "BFCL_v4_multi_turn_base.json"
    path.write_text('{"id": "multi_turn_base_0", "ground_truth": []}\n')
    with pytest.raises(DataError, match="multi_turn_base: a row lacks"):
        cases(trapped, "multi_turn_base")
    path.unlink()
    with pytest.raises(DataError, match=path.name):
        cases(trapped, "multi_turn_base")


def test_the_prompt_is_put_together_from_the_benchmarks_own_words() -> None:
    prompt = system_prompt(DATA, BASE[0].functions)
    assert prompt.startswith(constants(DATA)["PROMPT_STYLE_TEMPLATES"]["classic"]["persona"])
    assert '"name": "open_door"' in prompt
    late = cases(DATA, "multi_turn_miss_func")[0].late[2]
    assert "note" in brought(DATA, late, shown=True)
    assert "note" not in brought(DATA, late, shown=False)


def test_steps_without_calls_are_left_out() -> None:
    assert turns_of([["[ls()]", "words", [], [{"cd": "{}"}]], []]) == [[["ls()"], ["cd()"]], []]
    assert turns_of("no") is None
