"""One builder for state requests, and a reader that takes what models write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.multiwoz.slots import SLOTS
from coalm.corpora.states import MANY, Slot, read_state, state_request, write_state
from coalm.types import System, User

AREA = Slot("hotel-area", "area of town", ("north", "south"))


def test_the_request_names_each_slot_with_its_values_and_the_talk_so_far() -> None:
    request = state_request([AREA], [("", "A hotel please"), ("Where?", "up\nnorth")])

    told, asked = request.turns
    assert isinstance(told, System)
    assert told.text.splitlines()[-1] == "hotel-area: area of town (north / south)"
    assert asked == User("User: A hotel please\nSystem: Where?\nUser: up north")


def test_the_example_in_the_request_is_of_no_slot_that_could_be_copied() -> None:
    told = state_request([AREA], [("", "hi")]).turns[0]

    assert isinstance(told, System)
    instruction, _, _ = told.text.partition("\nSlots:\n")
    assert '{"domain-slot": "value"}' in instruction
    assert not [slot.name for slot in SLOTS if slot.name in instruction]


def test_a_slot_of_very_many_values_is_shown_without_them() -> None:
    many = Slot("train-day", "day", tuple(str(n) for n in range(MANY + 1)))
    told = state_request([many], [("", "hi")]).turns[0]

    assert told.text.endswith("train-day: day")


@given(st.dictionaries(st.text(min_size=1), st.text().map(str.strip)))
def test_a_state_that_is_written_is_read_back(state: dict[str, str]) -> None:
    assert read_state(write_state(state)) == state


def test_a_state_is_written_as_ordinary_json_on_one_line() -> None:
    assert write_state({"hotel-area": "north", "hotel-name": "Café"}) == (
        '{"hotel-area": "north", "hotel-name": "Café"}'
    )
    assert write_state({}) == "{}"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ('```json\n{"hotel-area": "north"}\n```', {"hotel-area": "north"}),
        ('The state {is}: {"hotel-stars": 4, "hotel-parking": true}.', {"hotel-stars": "4"}),
        ('{"hotel-area": null}', {}),
    ],
)
def test_fences_words_and_other_types_do_not_hide_a_state(
    answer: str, state: dict[str, str]
) -> None:
    found = read_state(answer)
    assert found is not None
    assert {k: v for k, v in found.items() if k != "hotel-parking"} == state
    assert found.get("hotel-parking", "yes") == "yes"


@pytest.mark.parametrize("answer", ["", "north", "[1, 2]", '{"hotel-area": "no', "{" * 9000])
def test_an_answer_without_an_object_is_no_state(answer: str) -> None:
    assert read_state(answer) is None


@pytest.mark.parametrize("levels", [100, 990, 1010, 1100, 1500, 2800])
@pytest.mark.parametrize(("opened", "closed"), [('{"a": ', "}"), ("[", "]")])
def test_an_object_of_any_depth_is_read_or_not_but_never_an_error(
    levels: int, opened: str, closed: str
) -> None:
    inside = opened * levels + "1" + closed * levels
    found = read_state('{"hotel-area": ' + inside + "}")
    assert found is None or all(isinstance(value, str) for value in found.values())


@given(st.text())
def test_reading_a_state_never_raises(text: str) -> None:
    read_state(text)
    read_state("{" + text + "}")
