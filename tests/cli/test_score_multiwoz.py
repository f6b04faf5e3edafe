"""`coalm score multiwoz` as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.multiwoz.success.references import gold_states
from coalm.bench.multiwoz.upstream import dialogues
from coalm.sources import MINIATURE, SOURCES, Found

RUN = [sys.executable, "-c", "from coalm.cli import main; main()", "score", "multiwoz"]
SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, "--miniature", *args], capture_output=True, text=True, check=False)


@pytest.fixture
def rows() -> dict[str, list[dict[str, Any]]]:
    """The miniature's own responses and states."""
    gold = gold_states(SMALL, "test", "gold21")
    return {
        row.name: [
            {"response": entry["text"], "state": state}
            for entry, state in zip(row.log[1::2], gold[row.id], strict=True)
        ]
        for row in dialogues(SMALL, "test")
    }


def _file(tmp_path: Path, rows: object) -> Path:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_file_is_scored_and_how_it_was_read_is_said(tmp_path: Path, rows: Any) -> None:
    path, out = _file(tmp_path, rows), tmp_path / "scores.json"
    first = _run("--predictions", str(path), "--out", str(out))
    assert first.returncode == 0, first.stderr
    assert "| total | 6 | 100.0 [100.0, 100.0] | 100.0 [100.0, 100.0] |" in first.stdout
    assert "DELEXICALISED HERE" in first.stdout
    assert "MINIATURE, bookings from the metadata" in first.stdout
    left = json.loads(out.read_text())
    assert left["scores"]["total"]["predicted"]["success"]["hits"] == 6
    assert left["reading"]["states"] == "predicted"
    assert left["verdicts"]["mini0003"]["domains"]["train"]["given"] == ["REFERENCE", "TRAINID"]
    again = _run("--predictions", str(path), "--out", str(out))
    assert again.stdout == first.stdout
    assert json.loads(out.read_text()) == left


def test_gold_states_are_said_and_a_subset_is_measured_both_ways(tmp_path: Path, rows: Any) -> None:
    some = {id: [{"response": t["response"]} for t in of] for id, of in list(rows.items())[:2]}
    path = _file(tmp_path, some)
    done = _run("--predictions", str(path), "--states", "gold24", "--partial")
    assert done.returncode == 0, done.stderr
    assert "GOLD states of MultiWOZ 2.4 in place of predicted ones" in done.stdout
    assert "4 dialogues are missing: mini0003" in done.stdout
    assert "| total | 2 | 100.0 [100.0, 100.0] | 100.0 [100.0, 100.0] | 6 | 33.3" in done.stdout


@pytest.mark.slow
def test_mistakes_are_one_line_and_exit_2(tmp_path: Path, rows: Any) -> None:
    whole = _file(tmp_path, rows)
    lacking = tmp_path / "lacking.json"
    lacking.write_text(json.dumps({"MINI0001": [{"response": "hi"}] * 4}))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"SNG0001": [{"response": "hi", "state": {}}]}))
    broken = tmp_path / "broken.json"
    broken.write_text('{"MINI0001": [{"response": "hi"')
    for args, said in (
        ([], "give --predictions FILE.json"),
        (["--predictions", str(tmp_path / "none.json")], "no such file"),
        (["--predictions", str(broken)], "not readable as JSON"),
        (["--predictions", str(other), "--partial"], "is another --split meant?"),
        (["--predictions", str(lacking)], "5 of the test set's 6 dialogues are missing"),
        (["--predictions", str(lacking), "--partial"], "--states gold21 or gold24"),
        (["--predictions", str(whole), "--states", "gold22"], "not 'gold22'"),
        (["--predictions", str(whole), "--out", str(tmp_path)], "is a folder"),
        (["--predictions", str(whole), "--split", "val"], "has no val dialogues"),
    ):
        done = _run(*args)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert said in done.stderr
