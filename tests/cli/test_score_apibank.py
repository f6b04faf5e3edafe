"""`coalm score apibank`, as a person uses it."""

import json
from pathlib import Path

import pytest

from coalm.bench.apibank.scoring import rows_of
from coalm.bench.table import open_benchmark
from tests.cli.test_cli import coalm


def gold(folder: Path, protocol: str) -> Path:
    rows = rows_of(open_benchmark(f"apibank:{protocol}", miniature=True))
    path = folder / f"{protocol}.jsonl"
    path.write_text("".join(json.dumps({"id": r.id, "predict": r.label}) + "\n" for r in rows))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["hammer", "damo", "toolrl"])
def test_gold_scores_perfect_and_leaves_verdicts(tmp_path: Path, protocol: str) -> None:
    path = gold(tmp_path, protocol)
    asked = ("score", "apibank", "--predictions", path.name, "--miniature")
    done = coalm(*asked, "--protocol", protocol, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "MINIATURE" in done.stdout
    assert "100.0" in done.stdout
    scores = json.loads((tmp_path / f"{protocol}-scores/scores.json").read_text())
    lines = (tmp_path / f"{protocol}-scores/verdicts.jsonl").read_text().splitlines()
    assert (scores["protocol"], scores["missing"], len(lines)) == (protocol, 0, scores["cases"])
    again = coalm(*asked, "--protocol", protocol, cwd=tmp_path)
    assert again.returncode == 0


@pytest.mark.slow
def test_what_is_missing_is_said(tmp_path: Path) -> None:
    path = gold(tmp_path, "damo")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:9]))
    asked = ("score", "apibank", "--predictions", path.name, "--protocol", "damo", "--miniature")
    wrong = coalm(*asked, "--level", "1", cwd=tmp_path)
    left = coalm(*asked, "--level", "l1", "--partial", cwd=tmp_path)
    calls = coalm(*asked, "--level", "L-1", "--only", "calls", cwd=tmp_path)

    assert "3 rows have no prediction and are counted as wrong" in wrong.stdout
    assert "3 rows have no prediction and are left out" in left.stdout
    assert "calls were judged: executed 8, compared 1" in calls.stdout
    assert "no prediction" not in calls.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--protocol", "hamer"], "did you mean 'hammer'?"),
        (["--level", "4"], "no level of API-Bank '4'"),
        (["--dialect", "jsn"], "did you mean 'json'?"),
        (["--fresh"], "--fresh and --only are for --protocol damo"),
        (["--predictions", "none.jsonl"], "none.jsonl: there is no such file"),
        (["--predictions", "torn.jsonl"], "torn.jsonl:1: not"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_left(
    tmp_path: Path, options: list[str], said: str
) -> None:
    gold(tmp_path, "hammer")
    (tmp_path / "torn.jsonl").write_text('{"id": "L-1/0')
    asked = ["score", "apibank", "--miniature", "--predictions", "hammer.jsonl", *options]
    done = coalm(*asked, cwd=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*-scores"))
