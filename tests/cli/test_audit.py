"""`coalm data audit` as a person types it: well, badly, twice."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from coalm import shards, store
from coalm.cra.annotated import read
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, Sample, ToolCall
from tests.cli.test_cli import coalm

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")


@pytest.fixture(autouse=True)
def nothing_downloaded(
    miniature: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The miniature even where SGD was downloaded before."""
    monkeypatch.setenv("COALM_CACHE", str(tmp_path_factory.mktemp("cache")))


def _broken(sample: Sample) -> Sample:
    turns = [
        replace(t, thought="\x1b[2JHm.", calls=(ToolCall("FlyAway", {}),))
        if isinstance(t, Assistant) and t.calls
        else t
        for t in sample.dialogue.turns
    ]
    return replace(sample, dialogue=replace(sample.dialogue, turns=tuple(turns)))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two sound rows, a broken one, and one of another corpus."""
    first, second, third, *_ = read(MINI)
    other = replace(first, id="snips/train/1", corpus="snips")
    shards.write_samples(tmp_path / "mix.parquet", [first, _broken(second), third, other])
    return tmp_path / "mix.parquet"


def test_the_annotations_are_audited_where_nothing_is_named() -> None:
    done = coalm("data", "audit")
    assert done.returncode == 0, done.stderr
    assert "8 rows, 0 turned down" in done.stdout
    assert "MINIATURE" in done.stdout


def test_a_file_is_audited_with_reasons_and_examples(rows: Path) -> None:
    done = coalm("data", "audit", str(rows))
    assert done.returncode == 0, done.stderr
    assert "3 rows, 1 turned down (33.33%)" in done.stdout
    assert "undefined call: sgd-cra/train/1_00001 turn" in done.stdout
    assert "1 rows of other corpora were passed over" in done.stdout
    assert "\x1b" not in done.stdout


def test_every_finding_goes_into_the_file(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "found.jsonl"
    first = coalm("data", "audit", str(rows), "--json", str(out), "--examples", "0")
    assert first.returncode == 0, first.stderr
    lines = [row for _, row in store.read_jsonl(out)]
    assert {row["id"] for row in lines} == {"sgd-cra/train/1_00001"}
    assert [row["kind"] for row in lines if row["reason"]] == ["undefined call"]
    assert lines[0]["note"] == "FlyAway is not listed"

    before = out.read_bytes()
    assert coalm("data", "audit", str(rows), "--json", str(out)).returncode == 0
    assert out.read_bytes() == before


def test_a_data_folder_is_read_in_all_its_splits(rows: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for split in shards.SPLITS:
        shards.write_samples(
            folder / shards.shard_name(split, 0, 1), list(shards.read_samples(rows))
        )
    done = coalm("data", "audit", str(folder), "--limit", "5")
    assert "5 rows, 2 turned down" in done.stdout


def test_planted_errors_give_a_table_and_a_file(tmp_path: Path) -> None:
    out = tmp_path / "planted.json"
    done = coalm("data", "audit", "--plant", "1", "--json", str(out))
    assert done.returncode == 0, done.stderr
    assert "8 rows with a planted error among 8" in done.stdout
    found = json.loads(out.read_text())
    kinds = {row["kind"]: row for row in found["rows"] if not row["variant"]}
    assert kinds["undefined call"]["recall"] == 1.0
    assert sum(row["planted"] for row in kinds.values()) == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.jsonl",), "nowhere.jsonl is not there"),
        (("--plant", "2"), "'--plant'"),
        (("--plnat", "0.5"), "No such option"),
        (("{rows}", "--plant", "0.5"), "leave out the path"),
        (("{torn}",), "torn.jsonl:2"),
        (("{empty}",), "has no train rows"),
        (("{other}",), "has no ReAct rows from SGD"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    words: tuple[str, ...], said: str, rows: Path, tmp_path: Path
) -> None:
    row = store.compact(store.dump_sample(next(read(MINI))))
    (tmp_path / "torn.jsonl").write_text(f"{row}\n{row[:50]}\n")
    (tmp_path / "empty").mkdir()
    other = replace(next(read(MINI)), id="snips/train/1", corpus="snips")
    (tmp_path / "other.jsonl").write_text(store.compact(store.dump_sample(other)) + "\n")
    paths = {
        "rows": rows,
        "torn": tmp_path / "torn.jsonl",
        "empty": tmp_path / "empty",
        "other": tmp_path / "other.jsonl",
    }
    done = coalm("data", "audit", *(word.format(**paths) for word in words))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_torn_line_leaves_no_half_written_file(tmp_path: Path) -> None:
    row = store.compact(store.dump_sample(next(read(MINI))))
    torn = tmp_path / "torn.jsonl"
    torn.write_text(f"{row}\n{row[:50]}\n")
    done = coalm("data", "audit", str(torn), "--json", str(tmp_path / "out.jsonl"))
    assert done.returncode == 2
    assert [p.name for p in tmp_path.iterdir()] == ["torn.jsonl"]


@pytest.mark.data
@pytest.mark.slow
def test_ctrl_c_stops_it_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the miniature would be done too soon
    out = tmp_path / "found.jsonl"
    words = [sys.executable, "-c", "from coalm.cli import main; main()"]
    words += ["data", "audit", "--json", str(out)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), text=True
    ) as running:
        time.sleep(2.5)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())
