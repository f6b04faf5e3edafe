"""`coalm errors` as a person uses it: one run, two runs, files, typos, odd folders."""

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import coalm
from tests.report.conftest import Folders, case

EVIL = "\x1b[31mred\x1b]0;owned\x07 \u202e [bold]x[/bold] \x9b2J"


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    """Two models on API-Bank, one of them hostile."""
    folders = Folders(tmp_path)
    for home, kinds in (
        ("base", ("", "format", "no call", "wrong argument")),
        ("tuned", ("format", "", "no call", "")),
    ):
        cases = [
            case(f"L-1/{n}", {"rougel": 0.5, "exact": float(not kind)}, kind=kind, part="L-1")
            | {"raw": [EVIL], "note": EVIL if kind else ""}
            for n, kind in enumerate(kinds)
        ]
        folders.bench(home, "apibank.hammer", cases)
    return tmp_path


def test_one_run_is_counted_explained_and_shown(evaluation: Path) -> None:
    done = coalm("errors", str(evaluation / "base"))
    assert done.returncode == 0, done.stderr
    for said in ("1 (25%)", "the answer could not be read", "wrong argument: L-1/3", "right would"):
        assert said in done.stdout


def test_two_runs_stand_side_by_side_with_what_was_fixed_and_broken(evaluation: Path) -> None:
    done = coalm("errors", str(evaluation / "base"), str(evaluation / "tuned"))
    assert done.returncode == 0, done.stderr
    assert "4 cases asked of both, 2 fixed, 1 broken, +1 in all" in done.stdout
    assert "From base (rows) to tuned (columns)" in done.stdout


def test_what_a_model_wrote_steers_no_terminal(evaluation: Path) -> None:
    done = coalm("errors", str(evaluation), "--examples", "9", FORCE_COLOR="1", NO_COLOR="")
    assert done.returncode == 0, done.stderr
    for bad in ("\x1b[31m", "\x1b]0;", "\x07", "\u202e", "\x9b"):
        assert bad not in done.stdout
    assert "⟨U+001B⟩[31mred" in done.stdout
    assert "[bold]x[/bold]" in done.stdout


def test_pages_are_written_and_a_second_run_writes_the_same(evaluation: Path) -> None:
    files = [evaluation / name for name in ("e.json", "e.html", "e.md")]
    words = [w for f in files for w in (f"--{f.suffix[1:]}", str(f))]
    texts = []
    for _ in range(2):
        done = coalm("errors", str(evaluation / "base"), *words, "--by", "part", "--full")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("wrote ") == 3
        texts.append([f.read_bytes() for f in files])
    assert texts[0] == texts[1]
    assert json.loads(texts[0][0])["sections"][0]["runs"][0]["label"] == "base"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nowhere", "no such folder"),
        (".", "no run; looked for outcomes.jsonl"),
        ("base --kind fromat", "did you mean 'format'?"),
        ("base --part L1", "did you mean 'L-1'?"),
        ("base --by prat", "did you mean 'part'?"),
        ("base --json base", "is a folder; name a file"),
        ("base --kind 'not answered'", "no case of the kind"),
    ],
)
def test_a_slip_is_one_line_and_exit_2(words: str, said: str, evaluation: Path) -> None:
    (evaluation / "empty").mkdir()
    run, *options = words.split(" ", 1)
    home = evaluation / ("empty" if run == "." else run)
    split = [w.strip("'") for w in options[0].split(" ", 1)] if options else []
    done = coalm("errors", str(home), *split, cwd=evaluation)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_broken_line_is_named(evaluation: Path) -> None:
    path = evaluation / "base" / "apibank.hammer" / "outcomes.jsonl"
    path.write_text(path.read_text().replace('"id"', '"idd"', 1))
    done = coalm("errors", str(evaluation))
    assert (done.returncode, "outcomes.jsonl:1: id: " in done.stderr) == (2, True)
