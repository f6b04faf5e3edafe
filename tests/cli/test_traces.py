"""`coalm trace` and `coalm data from-traces`, as they are typed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coalm.agent.traces import Feedback, write
from coalm.cli import main
from coalm.corpora import own
from tests.agent.test_traces import TRACE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.jsonl"
    write(path, replace(TRACE, feedback=(Feedback(0, "up"), Feedback(1, "down", "01223 1"))))
    write(path, replace(TRACE, id="t2"))
    return path


def typed(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["coalm", *map(str, words)])
    try:
        main()
    except SystemExit as e:
        return int(e.code or 0)
    return 0


def test_a_conversation_is_replayed_with_what_was_thought_of_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "trace", "show", file, "--id", "t1") == 0
    said = capsys.readouterr()
    text = said.out + said.err
    order = [
        "you> Thai?",
        "thought   Look.",
        "call      find",
        "result    Thai House",
        "feedback  up",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "better    01223 1" in text
    assert "Its phone?" in text


def test_conversations_are_listed(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "trace", "show", file, "--list") == 0
    said = capsys.readouterr()
    assert "t1" in said.out + said.err
    assert "+-" in said.out + said.err


def test_what_is_not_there_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "trace", "show", file, "--id", "t3") == 2
    assert "no conversation 't3'" in capsys.readouterr().err
    assert typed(monkeypatch, "trace", "show", file.with_name("no.jsonl")) == 2
    assert "no such file" in capsys.readouterr().err
    file.write_text("")
    assert typed(monkeypatch, "trace", "show", file) == 2


def test_traces_become_rows_and_pairs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, better = tmp_path / "rows.jsonl", tmp_path / "pairs.jsonl"
    assert typed(monkeypatch, "data", "from-traces", file, "--out", rows, "--pairs", better) == 0
    [sample] = own.read(rows)
    assert sample.dialogue.turns[-1].text == "01223 1"
    pair = json.loads(better.read_text())
    assert pair["chosen"][0]["content"].endswith("01223 1")
    assert pair["rejected"][0]["content"].endswith("I do not know.")
    assert [m["role"] for m in pair["prompt"]] == [
        "system", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert pair["tools"][0]["function"]["name"] == "find"


def test_nothing_approved_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "t.jsonl", tmp_path / "rows.jsonl"
    write(path, TRACE)
    assert typed(monkeypatch, "data", "from-traces", path, "--out", out) == 2
    assert "--unjudged" in capsys.readouterr().err
    assert not out.exists()
    assert typed(monkeypatch, "data", "from-traces", path, "--out", out, "--unjudged") == 0
    assert len(out.read_text().splitlines()) == 1
