"""Single rows in each style: what they become, and what is said of those that are wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from coalm.corpora import own
from coalm.errors import DataError
from coalm.types import Assistant, Observation, System, ToolCall, User

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "unit": {"enum": ["C", "F"]},
            },
            "required": ["city"],
        },
    },
}

LOOK = '{"name": "get_weather", "arguments": {"city": "Ulm"}}'


def call(arguments: object, name: str = "get_weather", key: str = "c1") -> dict[str, Any]:
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), "tools": [WEATHER], **more}


def user(text: str = "Weather in Ulm?") -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None = "Fine.", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def result(text: str = "sunny", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": "c1", **more}


def faults(row: dict[str, Any], style: str = "") -> list[str]:
    return list(own.examine(row, style).faults)


def turns(row: dict[str, Any]) -> tuple[Any, ...]:
    return own.make("f:1", row).dialogue.turns


# --- what rows become ---


def test_results_find_their_calls_by_id_in_whatever_order() -> None:
    row = chat(
        user(),
        assistant(
            None, tool_calls=[call({"city": "Ulm"}, key="a"), call({"city": "X"}, "look", "b")]
        ),
        result("two", tool_call_id="b"),
        result("one", tool_call_id="a"),
        assistant(),
        tools=[WEATHER, {"name": "look", "parameters": {"city": {"type": "str"}}}],
    )
    assert turns(row)[2:4] == (Observation("two", "look"), Observation("one", "get_weather"))


def test_the_old_layout_with_functions_is_read_as_well() -> None:
    row = {
        "functions": [WEATHER["function"]],
        "messages": [
            user(),
            assistant(None, function_call={"name": "get_weather", "arguments": '{"city": "Ulm"}'}),
            {"role": "function", "name": "get_weather", "content": "sunny"},
            assistant(),
        ],
    }
    assert turns(row)[1] == Assistant(calls=(ToolCall("get_weather", {"city": "Ulm"}),))


@pytest.mark.parametrize(
    "said",
    [
        {"content": "Fine.", "reasoning_content": "It is sunny."},
        {"content": "Fine.", "thought": "It is sunny."},
        {"content": "<think>\nIt is sunny.\n</think>\n\nFine."},
        {
            "content": [{"type": "text", "text": "Fi"}, {"type": "text", "text": "ne."}],
            "reasoning": "It is sunny.",
        },
    ],
)
def test_a_thought_is_taken_from_where_people_put_it(said: dict[str, Any]) -> None:
    row = chat(user(), {"role": "assistant", **said})
    assert turns(row)[1] == Assistant("Fine.", "It is sunny.")


def test_words_and_the_call_after_them_are_one_turn() -> None:
    row = {
        "tools": json.dumps([WEATHER]),
        "system": "Be brief.",
        "conversations": [
            {"from": "human", "value": "Ulm?"},
            {"from": "gpt", "value": "Let me look."},
            {"from": "function_call", "value": LOOK},
            {"from": "observation", "value": {"sky": "blue"}},
            {"from": "gpt", "value": "Blue."},
        ],
    }  # fmt: skip
    assert turns(row) == (
        System("Be brief."),
        User("Ulm?"),
        Assistant("Let me look.", calls=(ToolCall("get_weather", {"city": "Ulm"}),)),
        Observation('{"sky":"blue"}', "get_weather"),
        Assistant("Blue."),
    )


def test_messages_with_roles_of_their_own_for_calls_are_sharegpt() -> None:
    row = chat(
        user(),
        {"role": "tool_call", "content": LOOK},
        {"role": "tool_response", "content": "sunny"},
        assistant(),
    )
    assert own.recognise(row) == ("sharegpt", "messages")
    assert turns(row)[2] == Observation("sunny", "get_weather")


def test_a_schema_is_kept_word_for_word_and_other_layouts_become_one() -> None:
    flat = {"name": "f", "parameters": {"n": {"type": "int", "default": 3}}}
    bare = {"name": "g"}
    sample = own.make("f:1", chat(user(), assistant(), tools=[WEATHER, flat, bare]))
    first, second, third = sample.dialogue.tools
    assert first.parameters == WEATHER["function"]["parameters"]
    assert second.properties == {"n": {"type": "integer", "default": 3}}
    assert third.properties == {}


def test_a_stated_style_is_not_guessed() -> None:
    row = {"messages": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}
    assert own.make("f:1", row).dialogue.turns[1] == Assistant("Hello")
    assert faults(row, "openai") == ["messages[0]: lacks 'role'", "messages[1]: lacks 'role'"]
    with pytest.raises(DataError, match="did you mean 'sharegpt'"):
        own.make("f:1", row, "sharegtp")


def test_a_row_without_an_id_gets_one_from_what_is_said() -> None:
    one, two = chat(user(), assistant()), chat(user("Bonn?"), assistant())
    assert own.make("a:1", one).id == own.make("b:9", one).id != own.make("a:1", two).id
    assert own.make("a:1", one | {"id": 7}).id == "7"


def test_the_example_of_the_documents_is_sound() -> None:
    page = (Path(__file__).parents[3] / "docs/own-data.md").read_text()
    row = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert own.make("docs:1", row).dialogue.turns[1].text == ""
    assert not own.examine(row).doubts


# --- what is wrong with rows ---


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "holds no conversation: neither 'messages'"),
        ({"prompt": "x"}, "but 'prompt'"),
        ({"messages": "hi"}, "messages: it is a string that is not JSON"),
        ({"messages": {}}, "messages: it is an object, not a list"),
        ({"messages": []}, "no turns at all"),
        (chat(user()), "no assistant turn, so there is nothing to learn"),
        (chat(user(), {"role": "bot", "content": "x"}), "messages[1]: the role 'bot' is none of"),
        (chat(user(), {"content": "x"}), "messages[1]: lacks 'role'"),
        (chat(user(), assistant(7)), "messages[1]: content is a number, not a string"),  # type: ignore[arg-type]
        (chat(user(), assistant("")), "messages[1]: the assistant says nothing"),
        (chat(user(), assistant(), assistant()), "messages[2]: two assistant turns in a row"),
        (chat(user(), result(), assistant()), "messages[1]: answers the call 'c1', which nobody"),
        (chat(user(), result(tool_call_id=None), assistant()), "[1]: the result of no call"),
        (
            chat(user(), assistant(None, tool_calls=[call({"city": "Ulm"})]), user()),
            "messages[2]: a call before it has no result",
        ),
        (
            chat(
                user(),
                assistant(None, tool_calls=[call({"city": "Ulm"}), call({"city": "X"}, key="c2")]),
                result(),
                assistant(),
            ),
            "messages[3]: 2 calls before it have only 1 results",
        ),
        (
            chat(user(), {"role": "system", "content": "x"}, assistant()),
            "messages[1]: a system message after the conversation has begun",
        ),
        (
            chat(user(), assistant(None, tool_calls=[call('{"city": "Ulm"')])),
            "messages[1]: tool_calls[0]: arguments is a string that is not JSON",
        ),
        (
            chat(user(), assistant(None, tool_calls=[call("[1]")])),
            "messages[1]: tool_calls[0]: arguments is a list, not an object",
        ),
        (chat(user(), assistant(tool_calls={})), "[1]: tool_calls is an object, not a list"),
        (chat(user(), assistant(weight=0)), "every assistant turn is learned"),
        (
            chat({"role": "user", "content": [{"type": "image_url"}]}, assistant()),
            "messages[0]: a part of content is 'image_url'; only text can be learned",
        ),
        (chat(user("a\ud800"), assistant()), "messages[0]: holds half of a character"),
        (chat(user("a\0"), assistant()), "messages[0]: holds a NUL character"),
        (
            chat(user(), assistant(None, tool_calls=[call({"city": "Ulm", "days": float("nan")})])),
            "get_weather: nan is no number that JSON can write",
        ),
        (chat(user(), assistant(), id=[1]), "id: is neither a string nor a number"),
        (chat(user(), assistant(), tools="[{"), "tools: the list is a string that is not JSON"),
        (chat(user(), assistant(), tools=[{}]), "tools[0]: lacks 'name'"),
        (chat(user(), assistant(), tools=[WEATHER] * 2), "tools: 'get_weather' is listed 2 times"),
    ],
)
def test_each_fault_of_a_row_is_said_with_its_place(row: dict[str, Any], said: str) -> None:
    found = faults(row)
    assert any(said in why for why in found), found


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("get_wether", {"city": "Ulm"}, "calls 'get_wether', .*; did you mean 'get_weather'?"),
        ("get_weather", {"town": "Ulm"}, "has no parameter 'town'"),
        ("get_weather", {"city": "Ulm", "day": 1}, "no parameter 'day'; did you mean 'days'?"),
        ("get_weather", {}, "lacks the required argument 'city'"),
        ("get_weather", {"city": 5}, r"'city' is a number \(5\), not string"),
        ("get_weather", {"city": "Ulm", "days": "2"}, r"'days' is a string \('2'\), not integer"),
        ("get_weather", {"city": "Ulm", "days": True}, "is a boolean"),
        ("get_weather", {"city": "Ulm", "unit": "K"}, "'K', not one of"),
        ("get_weather", {"city": None}, "is null"),
    ],
)
def test_a_call_that_does_not_fit_its_tool_is_a_fault(
    name: str, arguments: dict[str, Any], said: str
) -> None:
    row = chat(user(), assistant(None, tool_calls=[call(arguments, name)]))
    with pytest.raises(DataError, match=f"f:1: messages\\[1\\]: .*{said}"):
        own.make("f:1", row)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"type": "integer"}, 2.0, True),
        ({"type": "integer"}, 2.5, False),
        ({"type": "number"}, 2, True),
        ({"type": ["string", "null"]}, None, True),
        ({"type": "string", "nullable": True}, None, True),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, [1], True),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, 1, False),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], False),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {}, False),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 1}, False),
        ({"type": "uuid"}, "x", True),
        ({}, object, True),
    ],
)
def test_values_are_held_against_their_schema(schema: object, value: object, fits: bool) -> None:
    from coalm.corpora.own.fitting import unlike

    assert (not list(unlike(value, schema))) == fits


def test_a_tool_may_take_what_it_does_not_name() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": True}
    tool = {"name": "f", "parameters": schema}
    row = chat(user(), assistant(None, tool_calls=[call({"x": 1}, "f")]), tools=[tool])
    assert not faults(row)


def test_all_faults_of_a_row_are_said_and_one_is_raised() -> None:
    row = chat(user(), assistant(None, tool_calls=[call("{"), call({})]), {"role": "x"}, tools=[{}])
    assert len(faults(row)) == 3
    with pytest.raises(DataError, match=r"^f:1: tools\[0\]: lacks 'name' \(and 2 more\)$"):
        own.make("f:1", row)


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ({"role": "assistant", "txt": "Hi"}, "no field 'txt'; did you mean 'text'?"),
        ({"role": "user"}, "Field required"),
        ({"role": "gpt", "text": "Hi"}, "the role 'gpt' is none of system, user, assistant, tool"),
        ({"role": "assistant", "calls": [{"name": "f", "args": {}}]}, "no field 'args'"),
        ({"role": "assistant", "calls": [{"name": "f"}]}, "calls.0.arguments: Field required"),
        ("Hi", "it is a string that is not JSON|it is a string, not an object"),
    ],
)
def test_a_typo_in_our_own_schema_is_not_lost_in_silence(turn: object, said: str) -> None:
    found = faults({"turns": [{"role": "user", "text": "Hi"}, turn]})
    assert found
    with pytest.raises(DataError, match=said):
        own.make("f:1", {"turns": [{"role": "user", "text": "Hi"}, turn]})


def test_what_is_allowed_but_odd_is_a_doubt() -> None:
    row = chat(user(), user(), assistant(), user())
    found = own.examine(row)
    assert found.sample is not None
    assert found.doubts == (
        "messages[3]: the conversation does not end with the assistant",
        "messages[1]: two user turns in a row",
    )


def test_places_are_those_of_the_row_and_not_of_its_turns() -> None:
    row = {
        "system": "Be brief.",
        "tools": [WEATHER],
        "conversations": [
            {"from": "human", "value": "Hi"},
            {"from": "gpt", "value": "Let me look."},
            {"from": "function_call", "value": '{"name": "look", "arguments": {}}'},
            {"from": "human", "value": "Well?"},
            {"from": "gpt", "value": ""},
        ],
    }
    assert faults(row) == [
        "conversations[3]: a call before it has no result",
        "conversations[1]: calls 'look', which no tool of the row is called",
        "conversations[4]: the assistant says nothing, thinks nothing and calls nothing",
    ]
