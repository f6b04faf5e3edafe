"""Prediction files: every layout, and every way in which one can be broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.apibank.predictions import Predictions, Row, read_predictions
from coalm.errors import DataError

ROWS = [Row("L-1/ann#0", "one"), Row("L-1/ann#2", "two"), Row("L-3/004#1", "three")]


def written(folder: Path, *lines: object, name: str = "p.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def reading(folder: Path, *lines: object) -> Predictions:
    return read_predictions(written(folder, *lines), ROWS)


def test_lines_by_id_may_come_in_any_order(tmp_path: Path) -> None:
    found = reading(
        tmp_path, {"id": "L-3/004#1", "predict": "c"}, {"id": "L-1/ann#0", "predict": "a"}
    )

    assert list(found.texts.items()) == [("L-1/ann#0", "a"), ("L-3/004#1", "c")]
    assert (found.layout, found.missing) == ("ids", ("L-1/ann#2",))


def test_llama_factory_s_lines_are_taken_in_order(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {"prompt": "p", "label": "one", "predict": "a"},
        {"prompt": "p", "label": "something", "predict": "b"},
    )

    assert found.texts == {"L-1/ann#0": "a", "L-1/ann#2": "b"}
    assert (found.layout, found.missing) == ("in order", ("L-3/004#1",))


def test_a_label_of_another_row_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"p\.jsonl:1: its label is that of another row"):
        reading(tmp_path, {"prompt": "p", "label": "two", "predict": "b"})


def test_api_bank_s_own_lines_name_files_and_requirements(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {"file": "ann.jsonl", "id": 2, "pred": "b"},
        {"sample_id": 4, "api_id": 1, "pred": "c"},
    )

    assert found.texts == {"L-1/ann#2": "b", "L-3/004#1": "c"}


def test_toolrl_s_results_are_one_object(tmp_path: Path) -> None:
    rows = [Row("L-1/000", ""), Row("L-2/017", "")]
    path = written(tmp_path, {"Level2_17": {"raw_output": "x"}}, name="result.json")
    found = read_predictions(path, rows)

    assert (found.layout, found.texts, found.missing) == (
        *("toolrl", {"L-2/017": "x"}),
        ("L-1/000",),
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"id": "L-1/anne#0", "predict": ""}], "1: no case 'L-1/anne#0' .* 'L-1/ann#0'"),
        ([{"id": "L-1/ann#0", "predict": ""}] * 2, "2: predicts L-1/ann#0 again, as line 1"),
        ([{"id": "L-1/ann#0", "predict": 3}], "1: predict is not a text"),
        ([{"id": "L-1/ann#0", "predict": "a"}, {"predict": "b"}], "2: does not say which case"),
        ([{"answer": "x"}], "1: not a prediction: it has answer"),
        ([{}], "1: not a prediction: it has nothing"),
        ([{"predict": "x"}] * 4, "4: line 4 of predictions in order, and there are 3 rows"),
        ([{"file": "ann.jsonl", "id": "x", "pred": ""}], "1: does not say which case"),
        ([], "no predictions in it"),
        ([3], "1: not"),
    ],
)
def test_a_broken_line_is_named_with_its_number(
    tmp_path: Path, lines: list[Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        reading(tmp_path, *lines)


def test_a_missing_file_and_one_of_another_kind_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_predictions(tmp_path / "none.jsonl", ROWS)
    with pytest.raises(DataError, match=r"no result file of ToolRL's"):
        read_predictions(written(tmp_path, {"a": 1}, name="p.json"), ROWS)
