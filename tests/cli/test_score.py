"""`coalm score bfcl` as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, "-c", "from coalm.cli import main; main()", "score", "bfcl"]


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *args], capture_output=True, text=True, check=False)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """One model, two answers to the miniature's questions where no call is due."""
    path = tmp_path / "result" / "my-model" / "non_live" / "BFCL_v4_irrelevance_result.json"
    path.parent.mkdir(parents=True)
    rows = [{"id": "irrelevance_0", "result": "No."}, {"id": "irrelevance_1", "result": "[f(a=1)]"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "result"


def test_verdicts_and_tables_are_left_and_a_second_run_says_the_same(results: Path) -> None:
    first = _run("--results", str(results), "--miniature", "--partial")
    assert first.returncode == 0, first.stderr
    folder = results.parent / "result-scores" / "my-model"
    rows = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert [(r["id"], r["right"], r["kind"]) for r in rows] == [
        ("irrelevance_0", True, ""),
        ("irrelevance_1", False, "needless call"),
    ]
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["categories"]["irrelevance"]["score"] == 50.0
    assert scores["data"] == "miniature"
    assert scores["aggregates"]["V3"]["Overall"]["score"] is None
    assert "| irrelevance" in (folder / "scores.md").read_text()
    second = _run("--results", str(results), "--miniature", "--partial")
    assert second.stdout == first.stdout


def test_an_out_folder_is_used(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    assert _run("--results", str(results), "--miniature", "--out", str(out)).returncode == 0
    assert (out / "my-model" / "scores.md").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--results", "/nowhere/at/all", "--miniature"], "is no folder"),
        (["--miniature"], "give --results DIR"),
        (["--results", "RESULTS", "--miniature", "--model", "my-modle"], "did you mean 'my-model'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(results: Path, args: list[str], said: str) -> None:
    done = _run(*(str(results) if a == "RESULTS" else a for a in args))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_counts_are_printed() -> None:
    done = _run("--miniature", "--counts")
    assert done.returncode == 0
    assert "| irrelevance" in done.stdout
    assert "240" in done.stdout


def test_without_the_wheel_nothing_is_scored_by_other_questions(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("COALM_OFFLINE", "1")
    done = _run("--results", str(results))
    assert done.returncode == 2
    assert "--miniature" in done.stderr
