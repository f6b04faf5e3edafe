"""How calls are compared: names, arguments, types, and the mistake in a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.calls import Counts, compare
from coalm.types import Json, ToolCall, ToolSpec

TOOL = ToolSpec(
    "Book",
    "",
    {
        "type": "object",
        "properties": {
            "room": {"type": "string"},
            "nights": {"type": "integer"},
            "guests": {"type": "array", "items": {"type": "string"}},
            "late": {"type": "boolean"},
            "price": {"type": "number"},
        },
        "required": [],
    },
)


def book(**arguments: Json) -> ToolCall:
    return ToolCall("Book", arguments)


names = st.sampled_from(["Book", "Cancel", "Find"])
values: st.SearchStrategy[Json] = st.one_of(
    st.text(max_size=4), st.integers(0, 3), st.booleans(), st.none()
)
arguments = st.dictionaries(st.sampled_from(["room", "nights", "late"]), values, max_size=3)
calls = st.lists(st.builds(ToolCall, names, arguments), max_size=4)


@given(calls)
def test_calls_are_equal_to_themselves_in_any_order(some: list[ToolCall]) -> None:
    match = compare(some, list(reversed(some)))

    assert match.exact
    assert (match.names.fp, match.names.fn) == (0, 0)
    assert (match.arguments.fp, match.arguments.fn) == (0, 0)


@given(calls, calls)
def test_every_call_and_argument_is_counted_once(
    gold: list[ToolCall], said: list[ToolCall]
) -> None:
    match = compare(gold, said)

    assert match.names.tp + match.names.fn == len(gold)
    assert match.names.tp + match.names.fp == len(said)
    assert match.arguments.tp + match.arguments.fn == sum(len(c.arguments) for c in gold)
    assert match.arguments.tp + match.arguments.fp == sum(len(c.arguments) for c in said)
    wrong = match.names.fp + match.names.fn + match.arguments.fp + match.arguments.fn
    assert match.exact == (wrong == 0)


@pytest.mark.parametrize(
    ("gold", "said", "kind"),
    [
        ([book(room="1")], [], "no call"),
        ([], [book(room="1")], "needless call"),
        ([book(room="1")], [book(room="1"), book(room="1")], "wrong count"),
        ([book(room="1")], [ToolCall("Cancel", {"room": "1"})], "wrong function"),
        ([book(room="1", nights="2")], [book(room="1")], "missing argument"),
        ([book(room="1")], [book(room="1", late=True)], "extra argument"),
        ([book(room="1")], [book(room=1)], "wrong type"),
        ([book(room="1")], [book(room="2")], "wrong argument"),
        ([book(room="1")], [book(room=" 1 ")], ""),
        ([], [], ""),
    ],
)
def test_the_first_mistake_is_named(gold: list[ToolCall], said: list[ToolCall], kind: str) -> None:
    match = compare(gold, said, [TOOL])

    assert match.kind == kind
    assert bool(match.note) == bool(kind)


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        (book(nights="2"), book(nights=2)),
        (book(late="False"), book(late=False)),
        (book(late="true"), book(late=True)),
        (book(price="3"), book(price=3)),
        (book(price="3.5"), book(price=3.5)),
        (book(guests="['Ann', 'Bo']"), book(guests=["Ann", "Bo"])),
        (book(guests='["Ann"]'), book(guests=["Ann"])),
        (book(guests="['\\d']"), book(guests=["\\d"])),
        (book(guests="['it\\'s']"), book(guests=["it's"])),
    ],
)
def test_a_gold_text_may_be_said_in_the_declared_type(gold: ToolCall, said: ToolCall) -> None:
    assert compare([gold], [said], [TOOL]).exact
    assert compare([gold], [gold], [TOOL]).exact
    assert compare([gold], [said]).kind == "wrong type"


@pytest.mark.parametrize(
    "said", [book(guests=["Bo", "Ann"]), book(guests=["Ann"]), book(guests="['Ann','Bo']")]
)
def test_a_list_that_reads_otherwise_is_wrong(said: ToolCall) -> None:
    assert compare([book(guests="['Ann', 'Bo']")], [said], [TOOL]).kind == "wrong argument"


@pytest.mark.parametrize("gold", ["[", "not a list", "[\\d", "{'a': }"])
def test_a_gold_text_that_spells_no_list_is_just_text(gold: str) -> None:
    assert compare([book(guests=gold)], [book(guests=["a"])], [TOOL]).kind == "wrong argument"


def test_true_is_not_one() -> None:
    assert compare([book(late=True)], [book(late=1)]).kind == "wrong argument"
    assert compare([book(nights=1)], [book(nights=True)]).kind == "wrong argument"


def test_a_wrong_value_counts_on_both_sides() -> None:
    match = compare([book(room="1", nights="2")], [book(room="1", nights="3")])

    assert match.names == Counts(1, 0, 0)
    assert match.arguments == Counts(1, 1, 1)


def test_the_arguments_of_another_function_are_all_wrong() -> None:
    match = compare([book(room="1")], [ToolCall("Cancel", {"room": "1"})])

    assert match.names == Counts(0, 1, 1)
    assert match.arguments == Counts(0, 1, 1)


def test_equal_calls_find_each_other_before_their_namesakes_do() -> None:
    gold = [book(room="1"), book(room="2")]
    match = compare(gold, [book(room="2"), book(room="3")])

    assert match.arguments == Counts(1, 1, 1)
    assert match.note == "Book.room is '1', not '3'"
