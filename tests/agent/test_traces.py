"""Traces: what is written, what is taken out, what can be learned from them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coalm.agent.traces import Feedback, Trace, lesson, pairs, read, redacted, replies, write
from coalm.errors import DataError
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, ToolSpec, User

FIND = ToolSpec(
    "find", "Find.", {"type": "object", "properties": {"food": {"type": "string"}}, "required": []}
)
TALK = Dialogue(
    (
        System("Help."),
        User("Thai?"),
        Assistant("", "Look.", (ToolCall("find", {"food": "Thai"}),)),
        Observation("Thai House", "find"),
        Assistant("Thai House.", "Found it."),
        User("Its phone?"),
        Assistant("I do not know.", "Hm."),
        User("Bye."),
        Assistant("Bye!"),
    ),
    (FIND,),
)
TRACE = Trace(
    "t1", "guide", "m", "2026-01-01T10:00:00+00:00", TALK, ({"event": "took", "at": 0.5},)
)


def judged(*feedback: Feedback) -> Trace:
    return replace(TRACE, feedback=feedback)


def test_what_is_written_is_read_again_and_the_later_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write(path, TRACE)
    write(path, replace(TRACE, id="t2"))
    better = judged(Feedback(0, "up", note="good"), Feedback(1, "down", "01223 1"))
    write(path, better)
    assert read(path) == [better, replace(TRACE, id="t2")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{}", "no trace: KeyError"),
        ('{"id": 1, "turns": 5}', "turn"),
        (
            '{"id": 1, "turns": [], "feedback": [{"reply": 0, "vote": "so"}]}',
            "a vote is up or down",
        ),
    ],
)
def test_a_broken_line_is_named_with_its_number(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "t.jsonl"
    write(path, TRACE)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=why) as caught:
        read(path)
    assert f"{path}:2" in str(caught.value)


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    leak = "key sk-abcdefghijklmnop, Bearer abcdefgh12345, api_key=hunter2hunter2, mine: qwertz99"
    talk = TALK.then(
        User("x"), Assistant(calls=(ToolCall("find", {"k": leak}),)), Observation(leak)
    )
    write(path, replace(TRACE, dialogue=talk), secrets=["qwertz99"])
    text = path.read_text()
    for secret in ("sk-abcdef", "abcdefgh12345", "hunter2", "qwertz99"):
        assert secret not in text
    assert text.count("[secret]") >= 8
    assert len(read(path)) == 1


def test_personal_data_is_taken_out_on_request() -> None:
    said = {"a": ["mail ann@example.org or 01223 358966 by 2019-03-01, card 4111 1111 1111 1111"]}
    assert redacted(said) == said
    assert redacted(said, personal=True) == {
        "a": ["mail [email] or [phone] by 2019-03-01, card [card]"]
    }
    assert redacted("at 12:30 for 2 people, table 12345", personal=True).endswith("table 12345")


def test_replies_are_counted_by_what_they_answer() -> None:
    assert list(replies(TALK)) == [(2, 5), (6, 7), (8, 9)]
    assert not list(replies(Dialogue((System("x"),))))


def test_a_conversation_is_learned_as_far_as_it_was_approved() -> None:
    assert lesson(TRACE) is None
    one = lesson(judged(Feedback(0, "up")))
    assert one is not None
    assert one.dialogue.turns == TALK.turns[:5]
    assert one.dialogue.tools == (FIND,)
    every = lesson(TRACE, unjudged=True)
    assert every is not None
    assert every.dialogue == TALK
    stopped = lesson(judged(Feedback(1, "down")), unjudged=True)
    assert stopped is not None
    assert stopped.dialogue.turns == TALK.turns[:5]
    assert lesson(judged(Feedback(0, "down"), Feedback(1, "up"))) is None


def test_a_corrected_reply_is_the_last_that_is_learned() -> None:
    sample = lesson(
        judged(Feedback(0, "up"), Feedback(1, "down", "It is 01223 1."), Feedback(2, "up"))
    )
    assert sample is not None
    assert sample.dialogue.turns[-1] == Assistant("It is 01223 1.", "Hm.")
    assert len(sample.dialogue.turns) == 7


def test_a_reply_that_was_cut_is_no_example() -> None:
    cut = replace(TRACE, dialogue=TALK.until(4))
    assert lesson(cut, unjudged=True) is None
    assert not list(pairs(replace(cut, feedback=(Feedback(0, "down", "better"),))))


def test_a_correction_is_a_pair_and_anything_else_is_none() -> None:
    trace = judged(
        Feedback(0, "up"),
        Feedback(1, "down", "It is 01223 1."),
        Feedback(2, "down", "Bye!"),
        Feedback(9, "down", "nothing there"),
    )
    [pair] = pairs(trace)
    assert pair.id == "t1#1"
    assert pair.dialogue.turns == TALK.turns[:6]
    assert (pair.chosen.text, pair.rejected.text) == ("It is 01223 1.", "I do not know.")


def test_events_keep_their_times(tmp_path: Path) -> None:
    write(tmp_path / "t.jsonl", TRACE)
    assert json.loads((tmp_path / "t.jsonl").read_text())["events"] == [
        {"event": "took", "at": 0.5}
    ]
