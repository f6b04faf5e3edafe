"""Requests with a gap: what is cut is what is asked for, and what comes back completes the call."""

from dataclasses import replace

import pytest

from coalm.corpora.clarify import gap_of, make, question, without
from coalm.types import Assistant, Json, ToolCall, User
from tests.corpora.rows import BOTH, CANCEL, NOTHING, ORDER, RAINY, ROWS, SUNNY, WEATHER


@pytest.mark.parametrize(
    ("query", "value", "name", "left"),
    [
        ("Show weather reports for the town of Corrin.", "Corrin", "town", "Show weather reports."),
        ("Please cancel the order with ID 'A1'.", "A1", "order id", "Please cancel the order."),
        ("List a flight from Paris to London.", "Paris", "origin", "List a flight to London."),
        ("Run the app in public, using version '1.0'.", "1.0", "version", "Run the app in public."),
        ("How is the weather in Paris today? Thanks!", "Paris", "city", None),  # words follow
        ("Compare the weather in Paris and London.", "Paris", "city", None),
        ("Show me the road between Paris and London.", "London", "to", None),
        ("Find the book titled Ulysses written by Joyce.", "Joyce", "author", None),
        ("Create a graphic with a width of 8 and a height of 9.", "9", "height", None),
        ("Count the numbers from 5 to 10.", "5", "low", None),
        ("In Paris, how is the weather?", "Paris", "city", None),
        ("Weather in Paris, I mean Paris in Texas.", "Paris", "city", None),
    ],
)  # fmt: skip
def test_a_value_is_cut_out_where_the_rest_is_a_sentence(
    query: str, value: str, name: str, left: str | None
) -> None:
    assert without(query, value, name) == left


def test_the_model_asks_for_what_is_missing_and_calls_nothing() -> None:
    [sample] = make(CANCEL, "x", share=1.0, answered=0.0)
    asked, said = sample.dialogue.turns

    assert asked == User("Please cancel the order.")
    assert isinstance(said, Assistant)
    assert not said.calls
    assert "order id" in said.text
    assert sample.group == CANCEL.id


def test_once_the_user_gives_it_the_whole_call_follows() -> None:
    [sample] = make(CANCEL, "x", share=1.0, answered=1.0)
    _, _, given, done = sample.dialogue.turns

    assert isinstance(given, User)
    assert "QX77" in given.text
    assert done == Assistant(calls=CANCEL.answers)


def test_only_required_arguments_are_asked_for() -> None:
    gap = gap_of(SUNNY, 1)
    assert gap is not None
    assert (gap.argument, gap.query) == ("town", "What will the weather be on Friday?")


def test_a_default_or_another_able_tool_leaves_nothing_to_ask() -> None:
    schema: dict[str, Json] = {"type": "string", "description": "The town", "default": "Oldmere"}
    known = replace(WEATHER, parameters={**WEATHER.parameters, "properties": {"town": schema}})
    assert gap_of(replace(RAINY, tools=(known,)), 1) is None
    twin = replace(WEATHER, name="local_weather", parameters={"type": "object", "properties": {}})
    assert gap_of(replace(RAINY, tools=(WEATHER, twin)), 1) is None


def test_a_masked_name_is_nothing_to_ask_for() -> None:
    masked = replace(
        ORDER,
        parameters={"properties": {"xQ.7": {"description": "Which one"}}, "required": ["xQ.7"]},
    )
    row = replace(CANCEL, tools=(masked,), answers=(ToolCall(ORDER.name, {"xQ.7": "QX77"}),))
    assert gap_of(row, 1) is None


def test_rows_of_several_calls_or_none_are_left_alone() -> None:
    assert gap_of(BOTH, 1) is None
    assert gap_of(NOTHING, 1) is None


def test_a_question_names_the_argument_and_its_choices_in_many_wordings() -> None:
    schema: dict[str, Json] = {"type": "string", "enum": ["deck", "berth"]}
    spec = replace(ORDER, parameters={"properties": {"cabin_kind": schema}})
    said = {question(spec, "cabin_kind", str(n)) for n in range(60)}

    assert len(said) >= 6
    assert all("cabin kind" in text and "deck, berth" in text for text in said)


def test_a_seed_and_a_share_choose_the_rows() -> None:
    def ids(share: float, seed: int) -> list[str]:
        return [s.id for row in ROWS for s in make(row, "x", share=share, seed=seed)]

    assert ids(1.0, 1) == ids(1.0, 1) == [f"r/{n}/clarify" for n in (1, 2, 3, 4)]
    assert ids(0.0, 1) == []
