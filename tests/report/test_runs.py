"""Run folders are found, read and checked; what is wrong is said with its place."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coalm import store
from coalm.errors import CoalmError, DataError
from coalm.report.runs import find

if TYPE_CHECKING:
    from tests.report.conftest import Folders


def test_a_parent_folder_holds_its_evaluations_base_first(folders: "Folders") -> None:
    folders.multiwoz("tuned", 20)
    folders.multiwoz("base", 3)
    folders.multiwoz("ablated", 9)

    assert [c.label for c in find([folders.root]).columns] == ["base", "ablated", "tuned"]


def test_an_order_of_ones_own_is_kept(folders: "Folders") -> None:
    folders.multiwoz("tuned", 20)
    folders.multiwoz("base", 3)

    found = find([folders.root / "tuned", folders.root / "base"])

    assert [c.label for c in found.columns] == ["tuned", "base"]


def test_a_folder_named_twice_is_one_column(folders: "Folders") -> None:
    inner = folders.multiwoz("base", 3)

    assert len(find([folders.root, folders.root / "base", inner]).columns) == 1


def test_two_models_of_one_label_are_told_apart(folders: "Folders") -> None:
    folders.multiwoz("one", 3, label="tuned")
    folders.multiwoz("two", 4, label="tuned")

    labels = [c.label for c in find([folders.root]).columns]

    assert labels == ["tuned (quickstart/one)", "tuned (quickstart/two)"]


def test_a_case_answered_twice_counts_as_it_was_answered_last(folders: "Folders") -> None:
    folder = folders.multiwoz("base", 3)
    lines = (folder / "outcomes.jsonl").read_text().splitlines()
    earlier = json.loads(lines[0]) | {"kind": "format", "scores": {"joint": 0.0}}
    text = "\n".join([json.dumps(earlier), *lines]) + "\n"
    (folder / "outcomes.jsonl").write_text(text)

    assert len(find([folder.parent]).columns[0].results["multiwoz.dst-json"].cases) == 30


@pytest.mark.parametrize("name", ["scores.json", "outcomes.jsonl"])
def test_a_missing_file_is_named(folders: "Folders", name: str) -> None:
    folder = folders.multiwoz("base", 3)
    (folder / name).unlink()

    with pytest.raises(CoalmError, match=rf"dst-json: has .* no {name}"):
        find([folders.root])


@pytest.mark.parametrize("name", ["scores.json", "outcomes.jsonl"])
def test_a_torn_file_is_named(folders: "Folders", name: str) -> None:
    path = folders.multiwoz("base", 3) / name
    path.write_text(path.read_text()[:-20])

    with pytest.raises(CoalmError, match=name):
        find([folders.root])


def test_a_line_without_a_field_is_named(folders: "Folders") -> None:
    path = folders.multiwoz("base", 3) / "outcomes.jsonl"
    store.append(path, [{"id": "x", "ended": "spoke"}])

    with pytest.raises(DataError, match=r"outcomes\.jsonl:31: gold"):
        find([folders.root])


def test_scores_that_do_not_follow_from_the_outcomes_are_refused(folders: "Folders") -> None:
    path = folders.multiwoz("base", 3) / "scores.json"
    scores = store.read_json(path)
    scores["metrics"][0]["value"] = 99.0
    store.write_json(path, scores)

    with pytest.raises(DataError, match=r"JGA is 99\.00, but outcomes\.jsonl makes it 10\.00"):
        find([folders.root])


def test_an_unfinished_evaluation_is_refused(folders: "Folders") -> None:
    folders.multiwoz("base", 3, cases=40)

    with pytest.raises(DataError, match="counts 40 cases"):
        find([folders.root])


def test_no_score_at_all_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CoalmError, match=r"looked for BENCHMARK\.PROTOCOL/scores\.json"):
        find([tmp_path])
    with pytest.raises(CoalmError, match="no such folder"):
        find([tmp_path / "nowhere"])


def test_reading_changes_nothing(folders: "Folders") -> None:
    folders.multiwoz("base", 3)
    before = {p: p.read_bytes() for p in folders.root.rglob("*") if p.is_file()}

    find([folders.root])

    assert {p: p.read_bytes() for p in folders.root.rglob("*") if p.is_file()} == before


def test_a_training_log_is_read_beside_the_evaluations(folders: "Folders") -> None:
    folders.multiwoz("base", 3)
    rows: list[dict[str, float]] = [
        {"step": 10, "loss": 2.0, "tokens_per_second": 270},
        {"step": 20, "eval_loss": 1.9},
        {"step": 20, "loss": 1.5},
    ]
    store.append(folders.root / "train" / "metrics.jsonl", rows)

    [training] = find([folders.root]).trainings

    assert training.losses == ((10.0, 2.0), (20.0, 1.5))
    assert training.held_out == ((20.0, 1.9),)
