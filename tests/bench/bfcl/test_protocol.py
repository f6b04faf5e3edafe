"""BFCL: what is right, what is wrong and how it is called, case by case."""

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from coalm.agent import Reply
from coalm.bench.base import Kind, Verdict
from coalm.bench.bfcl import BfclAst, Case, Data, find, held_out_texts, miniature, single_turn
from coalm.bench.bfcl.categories import IMPOSSIBLE
from coalm.bench.bfcl.match import Rules, fault
from coalm.bench.bfcl.multiturn.cases import cases
from coalm.bench.bfcl.reading import read_python
from coalm.engines import Completion, Said
from coalm.errors import DataError, RecipeError
from coalm.formats import format_of
from coalm.types import Assistant, Json, ToolCall

BENCH = BfclAst(miniature())
CASES = {case.id: case for case in BENCH.cases()}


def _said(case: Case, text: str, dialect: str = "json") -> Verdict:
    turn = format_of("chatml", dialect).read(text)
    said = Said(turn, Completion(text, "stop", 0, 0), "")
    return BENCH.score(case, Reply(BENCH.opening(case), "spoke", (said,)))


def _kind(schema: dict[str, Any], accepted: list[Any], *value: Json) -> Kind:
    """The verdict on a call `f(x=value)`, or `f()` where no value is given."""
    function = {"name": "f", "parameters": {"properties": {"x": schema}, "required": []}}
    call = ToolCall("f", {"x": value[0]} if value else {})
    found = fault([function], [call], [{"f": {"x": accepted}}])
    return found.kind if found else ""


def test_the_miniature_says_that_it_is_one() -> None:
    assert BENCH.about.version == "miniature"
    assert [m.name for m in BENCH.about.metrics if m.main] == ["Simple (AST)"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('[{"name": "set_lamp", "arguments": ARGS}]', ""),
        ('[{"name": "set_lamp", "arguments": {"colour": "Warm", "brightness": 40, '
         '"room": "KITCHEN"}}]', ""),
        ('[{"name": "set_lamp", "arguments": ARGS}, {"name": "set_lamp", "arguments": ARGS}]',
         "wrong count"),
        ("The lamp is on.", "no call"),
        ("[]", "no call"),
        ('[{"name": "set_lamp", "arguments"', "format"),
        ('[{"name": "lamp", "arguments": ARGS}]', "wrong function"),
        ('[{"name": "set_lamp", "arguments": {"room": "kitchen"}}]', "missing argument"),
        ('[{"name": "set_lamp", "arguments": {"room": "kitchen", "brightness": 40}}]',
         "missing argument"),
        ('[{"name": "set_lamp", "arguments": {"room": "kitchen", "brightness": 40, '
         '"colour": "warm", "fade": 1}}]', "extra argument"),
        ('[{"name": "set_lamp", "arguments": {"room": "hall", "brightness": 40, '
         '"colour": "warm"}}]', "wrong argument"),
        ('[{"name": "set_lamp", "arguments": {"room": "kitchen", "brightness": "40", '
         '"colour": "warm"}}]', "wrong type"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_name(text: str, kind: Kind) -> None:
    args = '{"room": "kitchen", "brightness": 40, "colour": "warm white"}'
    verdict = _said(CASES["simple_python_1"], text.replace("ARGS", args))
    assert verdict.kind == kind
    assert verdict.scores["right"] == (not kind)
    assert bool(verdict.note) == bool(kind)
    named = kind not in ("format", "no call", "wrong count", "wrong function")
    assert verdict.scores["name"] == named


def test_every_dialect_can_be_right() -> None:
    case = CASES["simple_python_1"]
    call = "set_lamp(room='kitchen', brightness=40, colour='warm')"
    assert not _said(case, f"[{call}]", "pythonic").kind
    assert not _said(case, f"Thought: light\nAction: {call}", "react").kind
    as_json = (
        '{"name": "set_lamp", "arguments": {"room": "kitchen", "brightness": 40, "colour": "warm"}}'
    )
    assert not _said(case, f"<tool_call>{as_json}</tool_call>", "hermes").kind
    assert _said(case, f"[{call}]", "json").kind == "no call"


@pytest.mark.parametrize("text", ["I cannot say.", "[]", "", '[{"name": "convert_temp'])
def test_where_nothing_fits_anything_but_a_call_is_right(text: str) -> None:
    verdict = _said(CASES["irrelevance_0"], text)
    assert (verdict.scores["right"], verdict.kind) == (1, "")
    assert verdict.scores["unreadable"] == text.startswith("[{")


def test_where_nothing_fits_a_call_is_needless() -> None:
    verdict = _said(CASES["irrelevance_0"], '[{"name": "x", "arguments": {}}]')
    assert (verdict.scores["right"], verdict.kind) == (0, "needless call")


def test_where_any_call_is_due_silence_is_wrong(tmp_path: Path) -> None:
    questions = (miniature().path / "BFCL_v4_irrelevance.json").read_text()
    (tmp_path / "BFCL_v4_live_relevance.json").write_text(questions)
    benchmark = BfclAst(Data(tmp_path, "test"), ("live_relevance",))
    case = benchmark.cases()[0]
    assert not benchmark.score(case, benchmark.gold_reply(case)).kind
    silent = Reply(benchmark.opening(case).then(Assistant()), "spoke")
    assert benchmark.score(case, silent).kind == "no call"


@pytest.mark.parametrize(
    ("kind", "accepted", "value", "verdict"),
    [
        ("integer", [5], 5, ""),
        ("integer", [5], 5.0, "wrong type"),
        ("integer", [1], True, "wrong type"),
        ("float", [5.0], 5, ""),
        ("float", [5], 5, ""),
        ("float", [0.5], 10**400, "wrong argument"),
        ("boolean", [True], 1, "wrong type"),
        ("boolean", [True], "true", "wrong type"),
        ("string", ["New York, NY"], "new york NY", ""),
        ("string", ["10-12-2024"], "10/12/2024", ""),
        ("string", ["it's"], 'it"s', ""),
        ("string", ["York"], "Yorkshire", "wrong argument"),
        ("string", ["a"], None, "wrong type"),
        ("string", ["", None], None, ""),  # the type of an accepted value will do
        ("any", [7], 7, ""),
        ("dict", [{"a": [1, 2], "b": ["x", ""]}], {"a": 2}, ""),
        ("dict", [{"a": [1], "b": ["x", ""]}], {"a": 1, "b": "X"}, ""),
        ("dict", [{"a": [1]}], {}, "wrong argument"),
        ("dict", [{"a": [1]}], {"a": 1, "c": 1}, "wrong argument"),
        ("dict", [""], {}, "wrong argument"),
    ],
)
def test_values_are_compared_as_the_rules_say(
    kind: str, accepted: list[Any], value: Json, verdict: Kind
) -> None:
    assert _kind({"type": kind}, accepted, value) == verdict


@pytest.mark.parametrize(
    ("inner", "accepted", "value", "verdict"),
    [
        ("string", [["Red", "Blue"]], ["red", "blue"], ""),
        ("string", [["Red", "Blue"]], ["blue", "red"], "wrong argument"),
        ("string", [["Red"]], "red", "wrong type"),
        ("integer", [[1, 2]], [1, "2"], "wrong type"),
        ("float", [[1, 2]], [1, 2], ""),  # the accepted ones are integers, so these may be
        ("float", [[1.5, 2]], [1.5, 2], "wrong type"),  # odd, but so is the official rule
        ("string", [["a"], ""], [], ""),  # "" stands for an empty list as well
        ("array", [[["a"], ["b"]]], [["a"], ["b"]], ""),
        ("array", [[["a"]]], [["A"]], "wrong argument"),  # within lists, letter by letter
        ("dict", [[{"a": [1]}, {"a": [2]}]], [{"a": 1}, {"a": 2}], ""),
        ("dict", [[{"a": [1]}, {"a": [2]}]], [{"a": 2}, {"a": 1}], "wrong argument"),
        ("dict", [[{"a": [1]}]], [{"a": 1}, {"a": 1}], "wrong argument"),
        ("dict", [[{"a": [1]}], ""], ["a"], "wrong argument"),  # the official checker falls over
    ],
)
def test_lists_are_compared_as_the_rules_say(
    inner: str, accepted: list[Any], value: Json, verdict: Kind
) -> None:
    for kind in ("array", "tuple"):
        assert _kind({"type": kind, "items": {"type": inner}}, accepted, value) == verdict


def test_an_argument_may_be_left_out_only_where_that_is_accepted() -> None:
    assert _kind({"type": "string"}, ["a", ""]) == ""
    assert _kind({"type": "string"}, ["a"]) == "missing argument"


def test_several_calls_may_come_in_any_order() -> None:
    function = {"name": "f", "parameters": {"properties": {"x": {"type": "integer"}}}}
    wanted = [{"f": {"x": [1]}}, {"f": {"x": [2]}}]
    one, two = ToolCall("f", {"x": 1}), ToolCall("f", {"x": 2})
    assert fault([function], [two, one], wanted) is None
    found = fault([function], [one, one], wanted)
    assert found
    assert found.kind == "wrong argument"


def test_a_model_is_shown_json_schema_and_names_with_dots() -> None:
    tools = {t.name: t for case in BENCH.cases() for t in case.tools}
    assert tools["map.plot"].properties["point"] == {
        "type": "array",
        "items": {"type": "number"},
        "description": "East and north.",
    }
    assert tools["library.search"].parameters["type"] == "object"
    filters = tools["library.search"].properties["filters"]
    assert isinstance(filters, dict)
    assert filters["type"] == "object"


def test_an_unknown_category_is_told_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match="simple_python"):
        BfclAst(miniature(), ("simple_pyton",))


def test_a_wheel_is_read_like_a_folder_and_a_broken_one_is_told(tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for path in miniature().path.rglob("*.json"):
            file.write(path, f"bfcl_eval/data/{path.relative_to(miniature().path)}")
    assert BfclAst(Data(wheel, "x")).cases() == BENCH.cases()
    wheel.write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"a\.whl"):
        BfclAst(Data(wheel, "x"))


def test_without_a_network_the_miniature_is_taken_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    monkeypatch.setenv("COALM_OFFLINE", "1")
    assert find() == miniature()


def test_another_wheel_under_that_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "bfcl_eval-2026.3.23-py3-none-any.whl").write_bytes(b"other")
    with pytest.raises(DataError, match="sha256"):
        find()


def test_what_users_say_can_be_kept_out_of_training() -> None:
    texts = held_out_texts(miniature())
    assert len(texts) > len(single_turn(miniature()).cases()) > len(BENCH.cases())
    turns = [turn for case in cases(miniature(), "multi_turn_base") for turn in case.said]
    assert turns
    assert set(turns) <= set(texts)
    assert "Find the mean of 4, 8, 15 and 16." in texts


def test_a_function_with_dots_may_be_called_with_underscores_where_that_is_the_rule() -> None:
    function = {"name": "a.f", "parameters": {"properties": {"x": {"type": "integer"}}}}
    wanted = [{"a.f": {"x": [1]}}]
    dots, underscores = [ToolCall("a.f", {"x": 1})], [ToolCall("a_f", {"x": 1})]
    assert fault([function], dots, wanted) is None
    assert fault([function], underscores, wanted)
    assert fault([function], underscores, wanted, Rules(underscores=True)) is None
    assert fault([function], dots, wanted, Rules(underscores=True))


def test_a_tuple_is_a_tuple_in_an_answer_that_is_read_officially() -> None:
    for kind, right in (("tuple", True), ("array", False)):
        schema = {"type": kind, "items": {"type": "integer"}}
        function = {"name": "f", "parameters": {"properties": {"x": schema}, "required": []}}
        calls = read_python("[f(x=(1, 2))]")
        assert (fault([function], calls, [{"f": {"x": [[1, 2]]}}]) is None) == right


def test_the_single_turn_protocol_has_every_category_of_its_data() -> None:
    benchmark = single_turn(miniature())
    assert {benchmark.part(case) for case in benchmark.cases()} == {
        "simple_python",
        "simple_java",
        "simple_javascript",
        "irrelevance",
        "exec_parallel",
        "live_relevance",
    }
    assert benchmark.about.protocol == "single"


@pytest.mark.data
def test_only_the_items_named_as_impossible_have_no_right_answer() -> None:
    data = find()
    if data.version == "miniature":
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    benchmark = single_turn(data)
    wrong = {
        case.id
        for case in benchmark.cases()
        if not benchmark.score(case, benchmark.gold_reply(case)).scores["right"]
    }
    assert wrong == set(IMPOSSIBLE)


@pytest.mark.data
def test_the_real_data_has_its_known_size() -> None:
    data = find()
    if data.version == "miniature" and os.environ.get("COALM_REQUIRE_DATA") != "1":
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    benchmark = BfclAst(data)
    parts = [benchmark.part(case) for case in benchmark.cases()]
    assert (parts.count("simple_python"), parts.count("irrelevance")) == (400, 240)
    assert benchmark.about.version == "bfcl-eval 2026.3.23"
    assert all(
        benchmark.score(case, benchmark.gold_reply(case)).scores["right"]
        for case in benchmark.cases()
    )
