"""The folder of an export: whole or not there, ours or left alone, the same bytes each time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from coalm import shards, store
from coalm.errors import CoalmError, DataError
from coalm.export import TARGETS, Exported, Manner, Origin, Said, export, target
from coalm.types import Dialogue, Sample, User
from tests.mixture.folders import BESIDE, EVERY, NOTHING, TALK, TWICE, data_folder

ORIGIN = Origin(
    "my mix", "coalm 0.1.0", "0123", {"Apache-2.0": ("toolace", "glaive")}, ("apache-2.0",)
)


def exported(
    data: Path, out: Path, kind: str = "sharegpt", origin: Origin = ORIGIN, **options: Any
) -> Exported:
    return export(data, out, target(kind), origin, **options)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return data_folder(tmp_path / "mix", EVERY, [TWICE], of=2)


def test_rows_of_both_splits_are_written_and_counted(data: Path, tmp_path: Path) -> None:
    made = exported(data, tmp_path / "out")

    assert made.files == {"train": "train.jsonl", "valid": "valid.jsonl"}
    assert made.rows == {"train": 4, "valid": 1}
    assert made.unsaid == {"words beside a call": 1}
    assert len(lines(tmp_path / "out" / "train.jsonl")) == 4
    mark = json.loads((tmp_path / "out" / "export.json").read_text())
    assert mark["left_out"] == {"words beside a call": 1}
    assert set(mark["files"]) == {"README.md", "dataset_info.json", "train.jsonl", "valid.jsonl"}
    for name, sha256 in mark["files"].items():
        assert store.sha256(tmp_path / "out" / name) == sha256


def test_the_page_names_what_could_not_be_said_and_the_licences(data: Path, tmp_path: Path) -> None:
    exported(data, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()

    assert "- 1 samples: words beside a call" in text
    assert "- 2 samples: several results of one turn are one message" in text
    assert "- Apache-2.0: toolace, glaive" in text
    assert "license: apache-2.0" in text


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("kind", TARGETS)
def test_the_same_folder_gives_the_same_bytes_and_a_second_run_replaces_the_first(
    kind: str, form: str, data: Path, tmp_path: Path
) -> None:
    exported(data, tmp_path / "out", kind, form=form)
    first = contents(tmp_path / "out")
    exported(data, tmp_path / "other", kind, form=form)
    exported(data, tmp_path / "out", kind, form=form)

    assert contents(tmp_path / "out") == first == contents(tmp_path / "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mix", "other", "out"]


def test_a_limit_is_for_each_split_and_a_split_may_be_chosen(data: Path, tmp_path: Path) -> None:
    assert exported(data, tmp_path / "a", limit=2).samples == {"train": 2, "valid": 1}
    made = exported(data, tmp_path / "a", splits=("valid",))
    assert made.files == {"valid": "valid.jsonl"}
    assert not (tmp_path / "a" / "train.jsonl").exists()


def test_a_split_without_rows_has_no_file(tmp_path: Path) -> None:
    made = exported(data_folder(tmp_path / "mix", [TALK]), tmp_path / "out")
    assert made.files == {"train": "train.jsonl"}
    assert "validation" not in (tmp_path / "out" / "README.md").read_text()


def test_nothing_that_can_be_said_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "mix", [BESIDE])
    with pytest.raises(DataError, match=r"nothing of .*: words beside a call \(1\)"):
        exported(data, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["mix"]


# --- whose folder it is -------------------------------------------------------------------


def test_a_folder_that_is_no_export_is_left_alone_unless_forced(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("keep me")
    with pytest.raises(DataError, match=r"no export\.json.*--force"):
        exported(data, out)
    assert contents(out) == {"thesis.txt": b"keep me"}

    exported(data, out, force=True)
    assert (out / "thesis.txt").read_text() == "keep me"
    assert len(lines(out / "train.jsonl")) == 4


def test_an_export_with_a_strange_file_in_it_is_left_alone(data: Path, tmp_path: Path) -> None:
    exported(data, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"also holds 'notes\.txt'"):
        exported(data, tmp_path / "out")


def test_an_export_that_was_edited_is_left_alone(data: Path, tmp_path: Path) -> None:
    exported(data, tmp_path / "out")
    rows = tmp_path / "out" / "train.jsonl"
    rows.write_text(rows.read_text().replace("Ely", "Bath"))
    before = contents(tmp_path / "out")
    with pytest.raises(DataError, match=r"'train\.jsonl' that was changed"):
        exported(data, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_an_empty_folder_is_free(data: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert exported(data, tmp_path / "out").rows.total() == 5


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("nowhere/out", "nowhere is not there"),
        ("out.jsonl", "an export is a folder; its rows are in it as train.jsonl"),
        ("file", "is a file; an export is a folder"),
    ],
)
def test_a_place_that_cannot_be_is_told(out: str, said: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=said):
        exported(data, tmp_path / out)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"splits": ("trian",)}, "did you mean 'train'"),
        ({"form": "parqet"}, "did you mean 'parquet'"),
    ],
)
def test_a_typo_gets_a_suggestion(
    options: dict[str, Any], said: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(CoalmError, match=said):
        exported(data, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# --- stopped, broken ----------------------------------------------------------------------


@pytest.mark.parametrize("before", [False, True])
def test_stopped_on_the_way_nothing_half_written_stays(
    before: bool, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if before:
        exported(data, out, limit=1)
    held = contents(out) if before else None

    def stop(_file: object, _row: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("coalm.export.rowfile._line", stop)
    with pytest.raises(KeyboardInterrupt):
        exported(data, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == (["mix", "out"] if before else ["mix"])
    assert not before or contents(out) == held


def test_stopped_between_its_two_names_the_old_folder_is_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    exported(data, out, limit=1)
    held, rename = contents(out), Path.rename

    def stop(path: Path, to: Path) -> Path:
        if path.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        exported(data, out)
    assert contents(out) == held
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mix", "out"]


def test_a_missing_shard_is_told_before_anything_is_written(data: Path, tmp_path: Path) -> None:
    (data / shards.shard_name("train", 1, 2)).unlink()
    with pytest.raises(DataError, match=r"lacks train-00001-of-00002\.parquet"):
        exported(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_torn_shard_is_named_and_nothing_stays(data: Path, tmp_path: Path) -> None:
    torn = data / shards.shard_name("train", 1, 2)
    torn.write_bytes(torn.read_bytes()[:-20])
    with pytest.raises(DataError, match="00001-of-00002"):
        exported(data, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["mix"]


def test_every_sample_is_said_or_counted_as_left_out(tmp_path: Path) -> None:
    samples: Sequence[Sample] = (*EVERY, Sample("e", "own", Dialogue((User("hello?"),))), NOTHING)
    data = data_folder(tmp_path / "mix", samples)
    for kind in TARGETS:
        made = exported(data, tmp_path / kind, kind)
        assert made.samples.total() + made.unsaid.total() == len(samples)
        rows = [said for s in samples if isinstance(said := target(kind).say(s, Manner()), Said)]
        assert made.rows.total() == sum(len(said.rows) for said in rows)
