"""Result folders in the official layout: read, judged, counted; what is odd is named."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl import CATEGORIES, Data, find, miniature
from coalm.bench.bfcl.folder import ModelScores, Reading, score_model, style_of
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.results import read_folder
from coalm.errors import DataError
from coalm.formats.dialects.calls import write_calls
from coalm.report.bfcl import as_json, as_markdown, counts_table, paper_data

MINI = miniature()
Put = Callable[..., Path]


def _gold(name: str, style: str = "prompt", data: Data = MINI) -> list[dict[str, Any]]:
    """Rows of right answers."""
    rows = []
    for case in data.cases(CATEGORIES[name]):
        calls = gold_calls(case)
        text: Any = f"[{write_calls(calls)}]"
        if style == "fc":
            text = [{c.name.replace(".", "_"): json.dumps(c.arguments)} for c in calls]
        rows.append({"id": case.id, "result": text, "latency": 0.1})
    return rows


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a result file of a model; gives back the folder of all models."""

    def put(name: str, rows: Sequence[Any], model: str = "m", folder: str = "non_live") -> Path:
        path = tmp_path / "result" / model / folder / f"BFCL_{name}_result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
        return tmp_path / "result"

    return put


def _scored(folder: Path, reading: Reading | None = None) -> ModelScores:
    (results,) = read_folder(folder)
    return score_model(results, MINI, reading)


@pytest.mark.parametrize("style", ["prompt", "fc"])
def test_right_answers_score_a_hundred_in_either_style(put: Put, style: str) -> None:
    put("v4_simple_python", _gold("simple_python", style))
    scores = _scored(put("v4_irrelevance", _gold("irrelevance", style)))
    assert scores.style == style
    for name in ("simple_python", "irrelevance"):
        part = scores.parts[name]
        assert (part.score, part.state, part.interval) == (100.0, "scored", (100.0, 100.0))
    assert scores.aggregates["V3"]["Overall"] is None
    assert scores.data == "miniature"


def test_one_function_call_makes_every_text_of_the_model_words(put: Put) -> None:
    rows = _gold("simple_python", "fc")
    rows[0] = _gold("simple_python")[0]
    scores = _scored(put("v4_simple_python", rows))
    assert [row.right for row in scores.parts["simple_python"].rows][:2] == [False, True]
    prompted = _scored(put("v4_simple_python", rows), Reading("prompt"))
    assert [row.right for row in prompted.parts["simple_python"].rows][:2] == [True, False]


def test_dots_are_underscores_where_functions_are_called_or_where_it_is_said(put: Put) -> None:
    dotted = [
        i for i, c in enumerate(MINI.cases(CATEGORIES["simple_python"])) if "." in c.tools[0].name
    ]
    assert dotted
    folder = put("v4_simple_python", _gold("simple_python", "fc"))
    for names, right in (("auto", True), ("underscores", True), ("dots", False)):
        rows = _scored(folder, Reading(names=names)).parts["simple_python"].rows  # type: ignore[arg-type]
        assert all(rows[i].right == right for i in dotted)
    folder = put("v4_simple_python", _gold("simple_python"))
    assert _scored(folder, Reading(names="underscores")).parts["simple_python"].score != 100


def test_files_of_v3_are_read_under_todays_names(put: Put) -> None:
    rows = [row | {"id": row["id"].replace("_python", "")} for row in _gold("simple_python")]
    assert rows[0]["id"] == "simple_0"
    part = _scored(put("v3_simple", rows)).parts["simple_python"]
    assert (part.score, part.missing) == (100.0, [])


def test_a_list_of_objects_is_read_like_lines(put: Put) -> None:
    folder = put("v4_simple_python", [json.dumps(_gold("simple_python"), indent=2)])
    assert _scored(folder).parts["simple_python"].score == 100.0


def test_a_category_with_a_missing_answer_has_no_score_unless_parts_are_allowed(put: Put) -> None:
    folder = put("v4_simple_python", _gold("simple_python")[1:])
    part = _scored(folder).parts["simple_python"]
    assert (part.state, part.score, part.missing) == ("incomplete", None, ["simple_python_0"])
    part = _scored(folder, Reading(partial=True)).parts["simple_python"]
    assert (part.state, part.score, part.right) == ("partial", 100.0, len(part.rows))
    assert "simple_python_0" in as_markdown(_scored(folder))


def test_a_broken_line_is_named_with_its_number(put: Put) -> None:
    rows: list[Any] = _gold("simple_python")
    rows[2] = '{"id": "simple_python_2", "res'
    rows += ["[1]", {"result": 1}, {"id": "simple_python_4"}, rows[1]]
    scores = _scored(put("v4_simple_python", rows))
    told = "\n".join(scores.problems)
    n = len(rows)
    for number, what in ((3, "not JSON"), (n - 3, "no object"), (n - 2, "no object"),
                         (n - 1, "no result"), (n, "twice")):  # fmt: skip
        assert any(f"_result.json:{number}: " in p and what in p for p in scores.problems), told
    assert scores.parts["simple_python"].missing == ["simple_python_2"]


def test_a_broken_list_and_what_is_no_text_are_told(put: Put, tmp_path: Path) -> None:
    folder = put("v4_simple_python", ['[{"id": "simple_python_0",', ' "result": ]'])
    assert "_result.json:2: not JSON" in _scored(folder).problems[0]
    path = next(folder.rglob("*.json"))
    path.write_bytes(b'{"id": "simple_python_0", "result": "\xff"}\n')
    assert "_result.json:1: not JSON" in _scored(folder).problems[0]
    path.write_text("{" + '"a":[' * 100_000)
    assert "not JSON" in _scored(folder).problems[0]


def test_an_answer_to_no_question_does_not_count_and_is_told(put: Put) -> None:
    rows = [*_gold("irrelevance"), {"id": "irrelevance_999", "result": "no"}]
    scores = _scored(put("v4_irrelevance", rows))
    assert scores.parts["irrelevance"].strangers == ["irrelevance_999"]
    assert scores.parts["irrelevance"].score == 100.0
    assert "irrelevance_999" in as_markdown(scores)


def test_notes_that_inference_failed_are_told(put: Put) -> None:
    rows = _gold("irrelevance")
    rows[0]["result"] = "Error during inference: 503"
    assert any("inference failed" in p for p in _scored(put("v4_irrelevance", rows)).problems)


def test_a_category_that_the_data_lacks_is_told(put: Put) -> None:
    scores = _scored(put("v4_parallel", [{"id": "parallel_0", "result": "[f()]"}]))
    assert scores.parts["parallel"].state == "not scored"
    assert "miniature has no such questions" in as_markdown(scores)


def test_hostile_results_are_wrong_and_nothing_worse(put: Put) -> None:
    hostile: list[Any] = [
        None,
        5,
        {},
        [],
        [[]],
        "[" * 99_999,
        [{"f": "[" * 9_999}],
        {"a": {"b": []}},
        "\ud800",
        True,
    ]
    cases = MINI.cases(CATEGORIES["simple_python"])
    rows = [{"id": c.id, "result": h} for c, h in zip(cases, hostile, strict=False)]
    for style in ("prompt", "fc", "auto"):
        scores = _scored(put("v4_simple_python", rows), Reading(style, partial=True))
        assert scores.parts["simple_python"].right == 0
        json.dumps(as_json(scores), allow_nan=False)


def test_models_are_found_by_folder_and_by_name(put: Put) -> None:
    put("v4_irrelevance", _gold("irrelevance"), model="b_c")
    folder = put("v4_irrelevance", _gold("irrelevance"), model="a", folder=".")
    assert [r.model for r in read_folder(folder)] == ["a", "b_c"]
    assert [r.model for r in read_folder(folder, "b/c")] == ["b_c"]
    assert [r.model for r in read_folder(folder / "b_c")] == ["b_c"]
    with pytest.raises(DataError, match="did you mean 'b_c'"):
        read_folder(folder, "b_d")


def test_two_files_of_one_category_are_refused(put: Put) -> None:
    put("v4_simple_python", _gold("simple_python"))
    with pytest.raises(DataError, match="both hold simple_python"):
        read_folder(put("v3_simple", _gold("simple_python")))


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no BFCL_v4"):
        read_folder(tmp_path)


def test_other_categories_are_named(put: Put) -> None:
    put("v4_memory_kv", [])
    (results,) = read_folder(put("v4_irrelevance", _gold("irrelevance")))
    assert results.others == ("memory_kv",)
    assert style_of(results) == "prompt"


def test_the_papers_rows_bear_the_version_of_their_data() -> None:
    assert paper_data("CoALM 8B") == "V3, 18 relevance questions"
    assert paper_data("Llama 3.1 8B Instruct") == "V3, 41 relevance questions"
    assert paper_data("CoALM 405B") == "V3, 18 or 41 relevance questions"


def test_the_tables_say_what_they_rest_on(put: Put) -> None:
    put("v4_exec_parallel", _gold("exec_parallel"))
    scores = _scored(put("v4_live_relevance", _gold("live_relevance"), folder="live"))
    text = as_markdown(scores)
    for part in ("Data: miniature", "executed 1, call match 1", "CoALM 8B (paper)", "54.11",
                 "Overall is n/a for want of", "questions in V3"):  # fmt: skip
        assert part in text
    assert as_json(scores)["categories"]["exec_parallel"]["judged_by"] == {
        "executed": 1,
        "call match": 1,
    }


def test_counts_stand_beside_those_of_v3() -> None:
    table = counts_table({"a": (884, 882), "b": (16, 18), "c": (5, 5)}, "today")
    assert [line.split()[-2] for line in table.splitlines()[2:]] == ["+2", "-2", "|", "+0"]


@pytest.mark.data
def test_conversations_are_judged_with_the_rest(put: Put) -> None:
    data = find()
    if data.version == "miniature":
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    rows = [{"id": "multi_turn_base_0", "result": [["nothing"]]}]
    folder = put("v4_multi_turn_base", rows, folder="multi_turn")
    (results,) = read_folder(folder)
    part = score_model(results, data, Reading(partial=True)).parts["multi_turn_base"]
    assert (part.score, len(part.missing), part.bases) == (0.0, 199, {"states": 1})
