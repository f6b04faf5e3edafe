"""ToolACE rows with history."""

import json
from typing import Any

import pytest

from coalm.corpora.records import Record
from coalm.errors import DataError
from coalm.formats import Row, format_of
from coalm.formats.rows import Rows
from coalm.published import toolace
from coalm.sources import find
from coalm.types import Sample

FUNCTIONS = '[{"name": "Hive Status", "parameters": {}}, {"name": "price", "parameters": {}}]'
CALL, PRICE = '[Hive Status(id="3")]', "[price(kind='acacia')]"


def said(side: str, text: str, **more: object) -> dict[str, object]:
    return {"from": side, "value": text, **more}


TALK = (
    said("user", "How is hive 3?"),
    said("assistant", CALL),
    said("tool", '{"calm": true}'),
    said("assistant", "Calm."),
    said("user", "And acacia honey?"),
    said("assistant", PRICE),
)


def record(*messages: dict[str, object], **changes: object) -> Record:
    value: dict[str, Any] = {
        "system": f"Their words. {FUNCTIONS} More of them.",
        "conversations": list(messages),
        "index": 4,
        **changes,
    }
    return Record("toolace.jsonl:5", 5, value)


def row(sample: Sample) -> Row:
    fmt = format_of("chatml", sample.dialect)
    assert isinstance(fmt, Rows)
    [found] = fmt.rows(sample.dialogue)
    return found


def test_each_turn_that_calls_is_a_row_and_the_rest_is_history() -> None:
    first, second = toolace.make(record(*TALK))

    assert row(first).input == "User: How is hive 3?"
    assert row(first).output == CALL
    assert "conversation so far" not in row(first).instruction
    assert row(second).input == "User: And acacia honey?"
    assert row(second).output == PRICE
    assert row(second).instruction.endswith(
        "The conversation so far:\nUser: How is hive 3?\nSystem: "
        f'{CALL}\nTool: {{"calm": true}}\nSystem: Calm.'
    )
    assert (first.id, second.id) == ("toolace/train/4#1", "toolace/train/4#5")
    assert first.group == second.group == "toolace/train/4"


def test_the_functions_stand_in_the_instruction_as_the_source_has_them() -> None:
    [first, _] = toolace.make(record(*TALK))
    told = row(first).instruction

    assert f"The functions, as JSON:\n{FUNCTIONS}\n\n" in told
    assert "[first_function(name=value, other=value)" in told
    assert "Their words" not in told


def test_a_second_call_before_the_answer_has_the_first_in_its_input() -> None:
    _, second = toolace.make(record(*TALK[:3], said("assistant", PRICE)))
    assert row(second).input == f'User: How is hive 3?\nSystem: {CALL}\nTool: {{"calm": true}}'


@pytest.mark.parametrize("words", ["[see (above)]", f"{CALL} is what I would ask.", "price(1)"])
def test_words_about_calls_are_no_call(words: str) -> None:
    assert not list(toolace.make(record(TALK[0], said("assistant", words))))


def test_a_lost_call_is_no_row_and_neither_is_what_follows_it() -> None:
    why: list[str] = []
    lost = said("assistant", "[API(x=1)]", restored=False)
    kept = said("assistant", CALL, restored=True)
    made = list(toolace.make(record(TALK[0], kept, *TALK[2:5], lost, *TALK[4:]), why.append))

    assert [row(s).output for s in made] == [CALL]
    assert why == ["a call or an answer that the source lost"] * 2


def test_an_answer_that_is_empty_is_lost_too() -> None:
    why: list[str] = []
    talk = (TALK[0], said("assistant", ""), *TALK[4:])
    assert not list(toolace.make(record(*talk), why.append))
    assert len(why) == 1


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (record(*TALK, system="no functions"), "no list of functions"),
        (record(*TALK, system='[{"name": "x"'), "jsonl:5"),
        (record(said("assistant", CALL)), "does not begin with the user"),
        (record(said("user", "a"), said("teacher", "b")), "unknown side 'teacher'"),
        (record(*TALK, conversations=None), "'conversations' is NoneType"),
    ],
)
def test_a_dialogue_that_cannot_be_read_is_named(broken: Record, why: str) -> None:
    with pytest.raises(DataError, match=why):
        list(toolace.make(broken))


@pytest.mark.data
def test_the_hundred_dialogues_give_171_rows() -> None:
    why: list[str] = []
    made = list(toolace.read(find("toolace"), skip=why.append))

    assert (len(made), len(why)) == (171, 10)
    for sample in made:
        functions = row(sample).instruction.split("as JSON:\n")[1].split("\n\nWrite calls")[0]
        names = [one["name"] for one in json.loads(functions)]
        assert row(sample).output.startswith(tuple(f"[{name}(" for name in names))
