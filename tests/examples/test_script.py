"""Replies out of a file in place of a model: what is read, and how it ends."""

from pathlib import Path

import pytest

from coalm.bench.evaluate import EvalSettings
from coalm.cli.speaking import speaking
from coalm.engines import Said, Sampling, Unanswered
from coalm.engines.scripted import Script, read_script
from coalm.errors import ModelError
from coalm.types import Assistant, Dialogue, ToolCall, User


def test_replies_are_parted_by_dashes_and_the_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("Thought: a\nAction: f(x='---')\n---\n\nSystem: b\n---  \n")
    assert read_script(path) == ["Thought: a\nAction: f(x='---')", "System: b"]
    with speaking(f"scripted:{path}", EvalSettings(), "react") as spoken:
        assert spoken.format == "chatml/react"
        talk = Dialogue((User("hi"),))
        answers = [spoken.speaker.speak([talk], Sampling())[0] for _ in range(3)]
    turns = [one.turn for one in answers if isinstance(one, Said)]
    assert turns == [Assistant("", "a", (ToolCall("f", {"x": "---"}),)), Assistant("b")]
    assert answers[2] == Unanswered("the script is over")


def test_a_batch_beyond_the_end_is_partly_answered() -> None:
    script = Script(["a"])
    kinds = [type(one).__name__ for one in script.complete([[], []], Sampling())]
    assert kinds == ["Completion", "Unanswered"]


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.txt: not readable as a script"):
        read_script(tmp_path / "nothing.txt")
    (tmp_path / "empty.txt").write_text("---\n---\n")
    with pytest.raises(ModelError, match="the script is empty"):
        read_script(tmp_path / "empty.txt")
