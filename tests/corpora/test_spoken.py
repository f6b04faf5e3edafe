"""One row in several dialects: each writable, thoughts true and asked for, refusals in words."""

import re

import pytest

from coalm.corpora.explained import THINK, explained, said
from coalm.corpora.masking import Row, samples
from coalm.corpora.spoken import spoken
from coalm.formats import DIALECTS, encode, format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.types import Assistant, Dialogue, Json, Observation, Sample, System, ToolCall, User
from tests.corpora.rows import BOTH, NOTHING, ROWS, SONG, SUNNY

ALL = ("pythonic", "json", "react", "hermes")


def sample(row: Row, seed: int = 1) -> Sample:
    [one] = samples(row, "x", seed=seed, masked=0.0)
    return one


def answer(one: Sample) -> Assistant:
    turn = one.dialogue.turns[-1]
    assert isinstance(turn, Assistant)
    return turn


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_every_dialect_can_write_the_row_and_its_prompt_says_how(row: Row) -> None:
    found = list(spoken(sample(row), ALL, per_row=4, thoughts=1.0))
    assert sorted(one.dialect for one in found) == sorted(ALL)
    for one in found:
        [example] = format_of("chatml", one.dialect).examples(one.dialogue)
        assert any(encode(example, ByteTokenizer()).learned)
        told = "".join(p.text for p in example if not p.learned)
        assert DIALECTS[one.dialect].instructions(one.dialogue.tools) in told


def test_a_row_takes_as_many_dialects_as_asked_and_keeps_its_own_where_none_are_named() -> None:
    first, second = spoken(sample(SONG), ALL, per_row=2)
    assert (first.id, second.id) == ("r/4", f"r/4@{second.dialect}")
    assert [s.dialect for s in spoken(sample(SONG), ())] == [""]
    names = {s.dialect for n in range(40) for s in spoken(sample(SONG), ALL, seed=n)}
    assert names == set(ALL)


def test_where_no_tool_fits_the_answer_is_empty_or_in_words_as_the_dialect_has_it() -> None:
    by_name = {s.dialect: answer(s) for s in spoken(sample(NOTHING), ALL, per_row=4)}
    assert by_name["json"] == by_name["pythonic"] == Assistant()
    assert by_name["hermes"].text
    assert not by_name["hermes"].calls
    assert by_name["react"].text
    assert by_name["react"].thought


def test_thoughts_are_asked_for_except_where_the_dialect_does_so_itself() -> None:
    by_name = {s.dialect: s for s in spoken(sample(SUNNY), ALL, per_row=4, thoughts=1.0)}
    for name, one in by_name.items():
        first = one.dialogue.turns[0]
        assert answer(one).thought
        assert (isinstance(first, System) and THINK in first.text) == (name != "react")
    silent = {s.dialect: answer(s).thought for s in spoken(sample(SUNNY), ALL, per_row=4)}
    assert [name for name, thought in silent.items() if thought] == ["react"]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_a_thought_names_the_tools_and_only_what_was_said(row: Row) -> None:
    for seed in range(12):
        one = explained(sample(row), seed)
        turn = answer(one)
        request = one.dialogue.turns[0]
        assert isinstance(request, User)
        assert all(call.name in turn.thought for call in turn.calls)
        for quoted in re.findall(r'= "([^"]*)"', turn.thought):
            assert quoted.lower() in request.text.lower()


def test_thoughts_vary_and_say_how_often_a_tool_is_needed() -> None:
    wordings = {answer(explained(sample(BOTH), seed)).thought for seed in range(40)}
    assert len(wordings) >= 3
    assert all('"Corrin" and "Oldmere"' in text for text in wordings)


def test_what_an_earlier_result_gave_is_told_from_what_the_user_said() -> None:
    turns = (
        User("Find my order."),
        Assistant(calls=(ToolCall("find", {}),)),
        Observation('{"id": "K99"}', "find"),
        Assistant(calls=(ToolCall("cancel_order", {"order_id": "K99"}),)),
    )
    [*_, last] = explained(Sample("x", "x", Dialogue(turns, SUNNY.tools))).dialogue.turns
    assert isinstance(last, Assistant)
    assert 'From an earlier result: order_id = "K99".' in last.thought


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [
        ("York", "New York", True),
        ("York", "Yorkshire", False),
        (5, "5 apples", True),
        (5, "15 apples", False),
        (True, "true", False),
        ("", "x", False),
        ("C++", "in C++ please", True),
    ],
)
def test_a_value_is_said_only_as_a_whole_word(value: Json, text: str, there: bool) -> None:
    assert said(value, text) is there
