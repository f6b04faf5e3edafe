"""How samples are said in other tools' rows: nothing is lost that is not named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validate

from coalm.errors import RecipeError
from coalm.export import TARGETS, Manner, Said, Target, Unsaid, target
from coalm.export.base import JOINED, NOTHING_CALLED, answered
from coalm.export.openai import NAMES, SMALL, UNANSWERED
from coalm.export.sharegpt import PLAIN_TOOLS
from coalm.formats.dialects import DIALECTS
from coalm.formats.dialects import dialect as dialect_named
from coalm.formats.dialects.base import take_thought
from coalm.types import (
    Assistant,
    Dialogue,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    Turn,
    User,
)
from tests.export import schemas
from tests.formats.dialogues import anything, dialogues, text, tool
from tests.mixture.folders import BESIDE, CLOCK, NOTHING, TALK, TWICE, WHOLE

every = pytest.mark.parametrize("kind", TARGETS.values(), ids=lambda kind: kind.name)
SCHEMAS = {
    "coalm-it": schemas.COALM_IT,
    "openai": schemas.OPENAI,
    "sharegpt": schemas.SHAREGPT,
    "alpaca": schemas.ALPACA,
}
turns = st.one_of(
    st.builds(User, text),
    st.builds(System, text),
    st.builds(Observation, text, st.sampled_from(["", "find_bus"])),
    anything,
)
wild = st.builds(
    Sample,
    st.just("wild/1"),
    st.just("wild"),
    st.builds(
        Dialogue, st.lists(turns, max_size=6).map(tuple), st.sampled_from([(), (tool,), (CLOCK,)])
    ),
)
"""Samples of any shape, most of them of none that a corpus has."""
tame = dialogues().map(lambda d: Sample("tame/1", "tame", d))


def said(kind: str, sample: Sample, manner: Manner | None = None) -> Said:
    found = target(kind).say(sample, manner or Manner())
    assert isinstance(found, Said), found
    return found


def row(kind: str, sample: Sample, manner: Manner | None = None) -> dict[str, Any]:
    [one] = said(kind, sample, manner).rows
    return dict(one)


# --- each target, word for word -----------------------------------------------------------


def test_openai_has_calls_with_ids_and_thoughts_before_the_words() -> None:
    found = row("openai", TALK)

    assert found["messages"] == [
        {"role": "system", "content": "Today is Friday."},
        {"role": "user", "content": "Anything to Ely tonight?"},
        {
            "role": "assistant",
            "content": "<think>I need the buses.</think>",
            "tool_calls": [
                {
                    "id": "call00000",
                    "type": "function",
                    "function": {"name": "find_bus", "arguments": '{"to":"Ely"}'},
                }
            ],
        },
        {
            "role": "tool",
            "content": '{"bus": "TR9"}',
            "tool_call_id": "call00000",
            "name": "find_bus",
        },
        {"role": "assistant", "content": "<think>There is one.</think>\nThe TR9."},
        {"role": "user", "content": "Thanks!"},
        {"role": "assistant", "content": "Safe travels."},
    ]
    assert [t["function"]["name"] for t in found["tools"]] == ["find_bus", "clock"]


def test_openai_has_thoughts_in_a_field_where_that_is_asked_for() -> None:
    message = row("openai", TALK, Manner(thoughts="reasoning_content"))["messages"][4]
    assert message == {
        "role": "assistant",
        "content": "The TR9.",
        "reasoning_content": "There is one.",
    }


def test_openai_gives_each_of_several_calls_its_own_result() -> None:
    messages = row("openai", TWICE)["messages"]
    ids = [call["id"] for call in messages[1]["tool_calls"]]
    assert [m["tool_call_id"] for m in messages[2:4]] == ids == ["call00000", "call00001"]


def test_sharegpt_has_calls_and_results_as_turns() -> None:
    found = row("sharegpt", TALK)

    assert found["system"] == "Today is Friday."
    assert [t["from"] for t in found["conversations"]] == [
        "human",
        "function_call",
        "observation",
        "gpt",
        "human",
        "gpt",
    ]
    assert found["conversations"][1]["value"] == (
        '<think>\nI need the buses.\n</think>\n\n{"name": "find_bus", "arguments": {"to": "Ely"}}'
    )
    assert json.loads(found["tools"])[1]["name"] == "clock"


def test_sharegpt_has_several_calls_and_results_as_lists() -> None:
    found = said("sharegpt", TWICE)
    spoken = found.rows[0]["conversations"]

    assert [c["name"] for c in json.loads(spoken[1]["value"])] == ["clock", "find_bus"]
    assert json.loads(spoken[2]["value"]) == ["19:00", {"bus": "TR9"}]
    assert found.remarks == (JOINED,)


def test_alpaca_has_earlier_rounds_as_history_and_calls_as_text() -> None:
    found = row("alpaca", TALK)

    assert found["system"].startswith("Today is Friday.\n\n")
    assert "find_bus(to: string" in found["system"]
    assert found["history"] == [
        ["Anything to Ely tonight?", "Thought: I need the buses.\nAction: find_bus(to='Ely')"],
        ['Observation: {"bus": "TR9"}', "Thought: There is one.\nSystem: The TR9."],
    ]
    assert (found["instruction"], found["input"]) == ("Thanks!", "")
    assert found["output"] == "System: Safe travels."


def test_coalm_it_has_a_row_for_each_answer() -> None:
    rows = said("coalm-it", TALK).rows

    assert len(rows) == 3
    assert rows[1]["input"].startswith("User: Anything to Ely tonight?\nThought: I need")
    assert rows[1]["output"] == "Thought: There is one.\nSystem: The TR9."


@every
def test_a_row_given_whole_is_said_as_it_was(kind: Target) -> None:
    found = row(kind.name, WHOLE, Manner(dialect="hermes"))
    text = json.dumps(found)

    validate(found, SCHEMAS[kind.name])
    assert "hermes" not in text
    assert "tool_call" not in text
    if kind.name in ("coalm-it", "alpaca"):
        assert found["instruction"] == "Fill the slots."
        assert found["input"] == "User: a table"
    else:
        assert "Fill the slots.\\n\\nUser: a table" in text


# --- what cannot be said, and what should be known ----------------------------------------


def ask(*after: Turn, tools: tuple[ToolSpec, ...] = (CLOCK,)) -> Sample:
    return Sample("x", "own", Dialogue((User("Hi."), *after), tools))


CALL = Assistant(calls=(ToolCall("clock", {}),))


@pytest.mark.parametrize(
    ("kind", "sample", "reason"),
    [
        ("sharegpt", BESIDE, "words beside a call"),
        ("sharegpt", ask(Assistant("a"), Assistant("b")), "two turns of one side in a row"),
        ("alpaca", ask(User("b"), Assistant("b")), "two turns of one side in a row"),
        ("sharegpt", ask(System("s"), Assistant("b")), "a system message within the conversation"),
        ("openai", ask(Observation("r"), Assistant("b")), "a result that no call asked for"),
        ("openai", ask(Assistant("a</think>b", "t</think>u")), "hold the tags of a thought"),
        ("openai", ask(), "no answer to learn"),
        ("alpaca", ask(), "no answer to learn"),
        ("sharegpt", ask(), "no answer to learn"),
        ("coalm-it", ask(), "no answer to learn"),
    ],
)
def test_what_a_format_has_no_words_for_is_named(kind: str, sample: Sample, reason: str) -> None:
    found = target(kind).say(sample, Manner())
    assert isinstance(found, Unsaid)
    assert reason in found.reason


@every
def test_a_turn_that_a_dialect_cannot_write_is_named(kind: Target) -> None:
    sample = ask(Assistant("[clock()]"))
    found = kind.say(sample, Manner(dialect="pythonic"))
    assert found == Unsaid("a turn that the dialect pythonic cannot write and read back")


def spec(name: str = "f", **schema: Any) -> ToolSpec:
    return ToolSpec(name, "", {"type": "object", "properties": {"a": schema}, "required": []})


@pytest.mark.parametrize(
    ("kind", "sample", "remark"),
    [
        ("openai", NOTHING, NOTHING_CALLED),
        ("sharegpt", NOTHING, NOTHING_CALLED),
        ("openai", ask(CALL, User("And?"), Assistant("Noon.")), UNANSWERED),
        ("openai", ask(Assistant("a"), tools=(spec("Market Trends API"),)), NAMES),
        ("openai", ask(Assistant("a"), tools=(spec(default=8.8e-12),)), SMALL),
        ("sharegpt", ask(Assistant("a"), tools=(spec(enum=[1, 2]),)), PLAIN_TOOLS),
        ("openai", ask(Assistant("a"), User("b")), "turns behind the last answer"),
    ],
)
def test_what_a_reader_should_know_is_named(kind: str, sample: Sample, remark: str) -> None:
    assert any(remark in one for one in said(kind, sample).remarks)


def test_an_answer_without_words_or_calls_is_written_as_an_empty_list() -> None:
    assert row("openai", NOTHING)["messages"][-1]["content"] == "[]"
    assert row("sharegpt", NOTHING)["conversations"][-1]["value"] == "[]"
    assert row("alpaca", NOTHING)["output"] == "[]"
    assert row("coalm-it", NOTHING)["output"] == "[]"


def test_names_that_are_not_there_get_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="did you mean 'openai'"):
        target("opnai")
    with pytest.raises(RecipeError, match="did you mean 'hermes'"):
        Manner(dialect="hermse")
    with pytest.raises(RecipeError, match="no place for thoughts 'field'"):
        Manner(thoughts="field")


# --- laws ---------------------------------------------------------------------------------


def unwritten(found: dict[str, Any]) -> Dialogue:
    """The dialogue that an openai row says, read by its documentation alone."""
    turns: list[Turn] = []
    for message in found["messages"]:
        content = message["content"]
        match message["role"]:
            case "system":
                turns.append(System(content))
            case "user":
                turns.append(User(content))
            case "tool":
                turns.append(Observation(content, message.get("name", "")))
            case _:
                calls = tuple(
                    ToolCall(c["function"]["name"], json.loads(c["function"]["arguments"]))
                    for c in message.get("tool_calls", ())
                )
                thought, words = take_thought(content)
                thought = message.get("reasoning_content", thought)
                turns.append(Assistant("" if words == "[]" else words, thought, calls))
    tools = tuple(ToolSpec(**t["function"]) for t in found["tools"])
    return Dialogue(tuple(turns), tools)


@given(tame)
def test_an_openai_row_can_be_read_back_whole(sample: Sample) -> None:
    found = target("openai").say(sample, Manner())
    if isinstance(found, Said):
        assert unwritten(dict(found.rows[0])) == sample.dialogue


@given(wild)
def test_whatever_is_said_in_openai_is_all_there(sample: Sample) -> None:
    found = target("openai").say(sample, Manner())
    if isinstance(found, Said):
        there, remarks = answered(sample.dialogue)
        if not any(isinstance(t, Assistant) and t.text == "[]" for t in there.turns):
            assert unwritten(dict(found.rows[0])) == there
        assert set(remarks) <= set(found.remarks)


@every
@given(sample=st.one_of(tame, wild), dialect=st.sampled_from(["", "own", *DIALECTS]))
def test_every_row_is_as_its_reader_documents_it(
    kind: Target, sample: Sample, dialect: str
) -> None:
    found = kind.say(sample, Manner(dialect))
    if isinstance(found, Unsaid):
        assert found.reason
        return
    assert found.rows
    for one in found.rows:
        assert list(one) == list(kind.columns)
        assert json.loads(json.dumps(one)) == one
        if kind.name == "openai" and dialect:
            continue  # calls are text there, and results have no call to name
        if kind.name != "alpaca" or one["instruction"]:
            validate(one, SCHEMAS[kind.name])


@given(st.one_of(tame, wild))
def test_sides_take_turns_in_sharegpt_and_calls_are_json(sample: Sample) -> None:
    found = target("sharegpt").say(sample, Manner())
    if isinstance(found, Unsaid):
        return
    turns = found.rows[0]["conversations"]
    assert len(turns) % 2 == 0
    for place, turn in enumerate(turns):
        ours = turn["from"] in ("gpt", "function_call")
        assert ours == bool(place % 2)
        if turn["from"] == "function_call":
            value = turn["value"]
            if value.startswith("<think>\n"):
                value = value[value.rindex("\n</think>\n\n") :].removeprefix("\n</think>\n\n")
            validate(json.loads(value), schemas.FUNCTION_CALL)
    for listed in json.loads(found.rows[0]["tools"]):
        validate(listed, schemas.TOOL)


@given(tame, st.sampled_from(sorted(DIALECTS)))
def test_text_targets_learn_what_the_dialect_writes_and_reads(sample: Sample, name: str) -> None:
    spoken = dialect_named(name)
    answers = [t for t in sample.dialogue.turns if isinstance(t, Assistant)]
    alpaca, rows = (target(k).say(sample, Manner(name)) for k in ("alpaca", "coalm-it"))
    if isinstance(alpaca, Said):
        [one] = alpaca.rows
        written = [*(answer for _, answer in one["history"]), one["output"]]
        assert [spoken.read(text) for text in written] == answers
    if isinstance(rows, Said):
        assert [spoken.read(one["output"]) for one in rows.rows] == answers
