"""The dialogue state is what the calls' arguments add up to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.agent.state import entities_of, overview, state_of
from coalm.types import Assistant, Dialogue, Json, Observation, ToolCall, Turn, User


def called(api: str, /, **arguments: Json) -> Assistant:
    return Assistant("", "", (ToolCall(api, arguments),))


def state(*turns: Turn) -> dict[str, str]:
    return dict(state_of(Dialogue(turns)))


def test_the_state_adds_up_over_calls() -> None:
    found = state(
        User("A cheap place up north, please."),
        called("query_hotels", area="north", pricerange="cheap", stars="any"),
        Observation("[]", "query_hotels"),
        called("book_hotel", name="Worth House", people=2, day="Friday", stay="3 nights"),
        called("query_restaurants", food="Thai", area="dontcare"),
    )
    assert found == {
        "hotel-area": "north",
        "hotel-pricerange": "cheap",
        "hotel-name": "worth house",
        "hotel-book people": "2",
        "hotel-book day": "friday",
        "hotel-book stay": "3",
        "restaurant-food": "thai",
    }


def test_the_last_value_wins_and_an_open_one_takes_nothing_back() -> None:
    first, second = called("query_hotels", area="north"), called("query_hotels", area="south")
    assert state(first, second) == {"hotel-area": "south"}
    assert state(first, called("query_hotels", area="any")) == {"hotel-area": "north"}


def test_slots_are_named_and_spelt_as_in_multiwoz_24() -> None:
    assert state(
        called("query_hotels", type="guesthouse", internet=True, stars=4),
        called("query_attractions", type="swimmingpool"),
        called("query_trains", leaveAt="9:05", arrive_by="5 pm", trainID="TR1", day="Monday"),
        called("book_restaurant", name="Old Oak", time="18.30", people=4, day="monday"),
        called("book_taxi", departure="old oak", destination="ely", leave_at="22:00"),
    ) == {
        "hotel-type": "guest house",
        "hotel-internet": "yes",
        "hotel-stars": "4",
        "attraction-type": "swimming pool",
        "train-leaveat": "09:05",
        "train-arriveby": "17:00",
        "train-day": "monday",
        "restaurant-name": "old oak",
        "restaurant-book time": "18:30",
        "restaurant-book people": "4",
        "restaurant-book day": "monday",
        "taxi-departure": "old oak",
        "taxi-destination": "ely",
        "taxi-leaveat": "22:00",
    }


def test_the_train_that_is_bought_does_not_change_when_one_wanted_to_leave() -> None:
    assert state(
        called("query_trains", leave_at="09:00", day="monday"),
        called("buy_train_tickets", train_id="TR1", people=3, leave_at="09:17", day="monday"),
    ) == {"train-leaveat": "09:00", "train-day": "monday", "train-book people": "3"}


@pytest.mark.parametrize(
    "call",
    [
        called("query_hotels", area="cambridge"),
        called("query_hotels", wifi="yes"),
        called("query_hotels", area=["north"]),
        called("query_trains", leave_at="early"),
        called("book_hotel", people="a few"),
        called("find_unicorns", area="north"),
    ],
)
def test_what_no_slot_can_hold_is_left_out(call: Assistant) -> None:
    assert state(call) == {}


_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(
    st.sampled_from(["query_hotels", "book_restaurant", "query_trains", "book_taxi", "x"]),
    st.dictionaries(
        st.sampled_from(["area", "time", "people", "leave_at", "name", "stars", "day", "?"]), _JSON
    ),
)
def test_no_argument_can_break_the_state(name: str, arguments: dict[str, Json]) -> None:
    assert all(k and v for k, v in state(called(name, **arguments)).items() if v != "")


def test_what_was_offered_and_booked_is_read_off_the_answers() -> None:
    hits: Json = [{"name": n} for n in ("a", "b", "c", "d")]
    dialogue = Dialogue(
        (
            called("query_hotels", area="north"),
            Observation(json.dumps({"count": 4, "hits": hits}), "query_hotels"),
            Observation('{"booked": "a", "reference": "XY12"}', "book_hotel"),
            Observation("error: no such tool", "query_trains"),
            Observation('{"hits": "not a list"}', "somebody_elses_tool"),
        )
    )
    assert entities_of(dialogue) == {
        "hotel-offered": "a, b, c and 1 more",
        "hotel-booked": "a (XY12)",
    }
    assert overview(dialogue) == {"hotel-area": "north", **entities_of(dialogue)}
