"""`coalm score multiwoz-dst` as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from coalm.bench.multiwoz.state import first_alternatives
from coalm.bench.multiwoz.tracked_files import read_gold
from coalm.sources import MINIATURE, SOURCES, Found

RUN = [sys.executable, "-c", "from coalm.cli import main; main()", "score", "multiwoz-dst"]
SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *args], capture_output=True, text=True, check=False)


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """The miniature's gold states as predictions."""
    path = tmp_path / "states.jsonl"
    rows = [
        {
            "dialogue_id": f"{name.upper()}.json",
            "turn_idx": turn,
            "predict": first_alternatives(state),
        }
        for name, states in read_gold(SMALL).items()
        for turn, state in enumerate(states)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_gold_is_perfect_and_every_figure_is_written(gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    done = _run("--predictions", str(gold), "--miniature", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "25 turns of 6 dialogues, MultiWOZ 2.4, MINIATURE" in done.stdout
    scores = json.loads(out.read_text())
    assert {figure["value"] for figure in scores["metrics"]} == {100.0}
    assert {"JGA", "JGA fuzzy", "JGA taxi", "JGA (turns 6+)", "Slot precision"} <= {
        figure["name"] for figure in scores["metrics"]
    }
    assert scores["normalised"] == ["case", "spaces", "dontcare", "absent"]
    again = _run("--predictions", str(gold), "--miniature", "--out", str(out))
    assert again.stdout == done.stdout
    assert json.loads(out.read_text()) == scores


def test_missing_turns_are_wrong_and_said_or_left_out_and_said(gold: Path) -> None:
    lines = gold.read_text().splitlines()
    odd = '{"dialogue_id": "MINI0001", "turn_idx": 0, "predict": {"hotel-colour": "red"}}'
    gold.write_text("\n".join([*lines[1:20], odd]) + "\n")
    whole = _run("--predictions", str(gold), "--miniature")
    part = _run("--predictions", str(gold), "--miniature", "--partial", "--without", "all")
    assert "5 turns of the test set have no prediction: counted as wrong" in whole.stdout
    assert "25 turns of" in whole.stdout
    assert "no slots of MultiWOZ, counted as wrong: 'hotel-colour' (1)" in whole.stdout
    assert "5 turns of the test set have no prediction: left out of the figures" in part.stdout
    assert "20 turns of" in part.stdout
    assert "normalised: nothing" in part.stdout


def test_normalisations_are_listed_and_switched(gold: Path) -> None:
    listed = _run("--norms", "--norm", "times")
    assert listed.returncode == 0
    assert "times        on" in listed.stdout
    assert "the          off" in listed.stdout
    done = _run("--predictions", str(gold), "--miniature", "--norm", "the, times", "--gold", "21")
    assert "MultiWOZ 2.1, MINIATURE" in done.stdout
    assert "normalised: case, spaces, dontcare, absent, the, times" in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "no predictions are named; give --predictions FILE.jsonl"),
        (("--predictions", "nothing.jsonl", "--miniature"), "nothing.jsonl: no such file"),
        (("--norm", "tims"), "no normalisation 'tims'; did you mean 'times'?"),
        (("--norm", "the", "--without", "the"), "'the' is both switched on and off"),
        (("--predictions", "x", "--gold", "22"), "'22' is not one of"),
    ],
)
def test_what_a_person_got_wrong_is_one_line(args: tuple[str, ...], message: str) -> None:
    done = _run(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_line_is_named_and_nothing_is_written(gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    gold.write_text(gold.read_text() + '{"dialogue_id": "MINI0001", "turn_idx": 0')
    done = _run("--predictions", str(gold), "--miniature", "--out", str(out))
    assert done.returncode == 2
    assert "states.jsonl:26: not a JSON object" in done.stderr
    assert not out.exists()


def test_real_predictions_are_never_scored_on_the_miniature(
    gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_OFFLINE", "1")
    done = _run("--predictions", str(gold))
    assert done.returncode == 2
    assert "set COALM_DATA; --miniature tries the command" in done.stderr
