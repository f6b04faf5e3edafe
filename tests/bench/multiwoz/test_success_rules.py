"""The corpus evaluator's rules, one by one."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.multiwoz.goals import DomainGoal, Fact, Goal
from coalm.bench.multiwoz.success import (
    LAB,
    STANDARD,
    Judged,
    Turn,
    Venues,
    judge,
    open_venues,
    read_state,
)
from coalm.bench.multiwoz.success.active import active_domains
from coalm.bench.multiwoz.success.fuzzy import alike, partial_ratio
from coalm.bench.multiwoz.success.placeholders import facts, named_domains, unknown_placeholders
from coalm.bench.multiwoz.success.values import minutes, spelt
from coalm.sources import MINIATURE, SOURCES, Found

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
TOWN = open_venues(SMALL)


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ("[name] [value_name] [hotel_name] [Restaurant_Name]", {"NAME"}),
        ("[trainid]", {"TRAINID"}),
        ("[train_trainID] [value_id] [id] [train] [train_id]", {"TRAINID"}),
        ("[postcode]s , [ref] [taxi_phone]", {"POST", "REFERENCE", "PHONE"}),
        ("[value_address][hotel_phone]", {"ADDRESS", "PHONE"}),
        ("[price range] [entrance fee] [value_choice] [restaurant_id]", set()),
        ("name NAME [ name ] [hotel name] [taxi_reference] (name)", set()),
    ],
)
def test_placeholders_are_told_in_every_published_spelling(response: str, found: set[str]) -> None:
    assert facts(response) == found


def test_placeholders_that_count_for_nothing_are_told() -> None:
    said = ["[hotel name] and [name]", "[Hotel Name]"]
    assert unknown_placeholders(said) == {"hotel name": 2}
    assert named_domains("[hotel_name] [value_area] [train_id] [foo_bar]") == ("hotel", "train")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [  # as fuzzywuzzy 0.18 with python-Levenshtein 0.12.2 has them
        ("pizza hut city centre", "pizza hut", 100),
        ("city centre north b and b", "city centre north bed and breakfast", 92),
        ("caffe uno", "cafe uno", 88),
        ("a", "", 0),
        ("", "", 100),
        ("ask restaurant", "ask", 100),
        ("christ's college", "christ college", 86),
        ("alexander bed and breakfast", "alexander b & b", 80),
        ("abcb", "bcab", 75),
    ],
)
def test_names_are_as_alike_as_the_evaluator_finds_them(one: str, other: str, ratio: int) -> None:
    assert partial_ratio(one, other) == ratio
    assert alike(one, other) == (ratio >= 90)


@given(st.text(alphabet="abc ", max_size=14), st.text(alphabet="abc ", max_size=14))
def test_the_quick_look_rules_out_nothing_that_is_alike(one: str, other: str) -> None:
    assert alike(one, other) == (partial_ratio(one, other) >= 90)


@pytest.mark.parametrize(
    ("slot", "value", "found"),
    [
        ("arrive", "by 5pm", "17:00"),
        ("leave", "after 9:05", "09:05"),
        ("leave", "1715", "17:15"),
        ("leave", "9", "09:00"),
        ("arrive", "12:30 p.m.", "24:30"),
        ("arrive", "lunch", "12:00"),
        ("arrive", "", "00:00"),
        ("arrive", "x:30 pm", "0x:30"),
        ("name", "Nando's", "nandos"),
        ("name", "A&B", "a and b"),
        ("food", "Intalian", "italian"),
        ("type", "guest house", "guesthouse"),
        ("parking", "free", "yes"),
        ("area", "Centre", "Centre"),
    ],
)
def test_values_are_spelt_as_the_databases_have_them(slot: str, value: str, found: str) -> None:
    assert spelt(slot, value) == found


def test_the_lab_knows_a_bed_and_breakfast_by_both_names() -> None:
    assert spelt("name", "x bed and breakfast", LAB) == "x b and b"
    assert spelt("name", "x bed and breakfast", STANDARD) == "x bed and breakfast"
    assert minutes("09:30") == 570
    assert minutes("soon") == 0


def test_slots_have_one_name() -> None:
    state = {"hotel": {"price range": "cheap"}, "train": {"leaveAt": "9:15", "arrive by": "noon"}}
    assert read_state(state) == {
        "hotel": {"pricerange": "cheap"},
        "train": {"leave": "09:15", "arrive": "12:00"},
    }


def _ids(domain: str, **constraints: str | None) -> set[str]:
    return set(TOWN.ids(domain, TOWN.search(domain, constraints)))


def test_a_search_is_narrowed_by_what_the_database_has_and_by_nothing_else() -> None:
    everything = _ids("hotel")
    assert len(everything) == 6
    assert _ids("hotel", area="dontcare", people="3", area2="x", stars=None) == everything
    assert _ids("hotel", area="nowhere") == set()
    assert _ids("hotel", area="") == set()
    assert _ids("taxi", leave="10:00") == set()
    assert _ids("hotel", name="granary") == {"1"}


def test_trains_run_between_the_hours() -> None:
    day = {"departure": "cambridge", "destination": "norwich", "day": "thursday"}
    assert _ids("train", leave="13:00", **day) == {"TR3174", "TR3211", "TR3248"}
    assert _ids("train", arrive="15:00", **day) == {"TR3137", "TR3174"}
    assert _ids("train", arrive="whenever", **day) == set()


def test_an_unknown_fact_and_a_lacking_column_rule_nothing_out() -> None:
    rows = [{"id": "1", "name": "a", "phone": "5"}, {"id": "2", "name": "b"}]
    town = Venues({"restaurant": rows}, STANDARD)
    assert town.ids("restaurant", town.search("restaurant", {"phone": "5"})) == {"1", "2"}
    assert town.ids("restaurant", town.search("restaurant", {"phone": "6"})) == {"2"}


def test_trains_of_one_id_are_one() -> None:
    rows = [
        {"trainID": "TR1", "day": "monday", "leaveAt": "09:00"},
        {"trainID": "TR1", "day": "friday", "leaveAt": "10:00"},
    ]
    town = Venues({"train": rows}, STANDARD)
    monday, friday = (town.search("train", {"day": day}) for day in ("monday", "friday"))
    assert monday == friday


def test_the_domain_that_changes_is_the_one_talked_about() -> None:
    states: list[Mapping[str, Mapping[str, str | None]]] = [
        {},
        {"hotel": {"area": "north"}},
        {"hotel": {"area": "north"}},
        {"hotel": {"area": "north"}, "train": {"day": "monday"}, "taxi": {"a": "1", "b": "2"}},
        {"hotel": {"area": "north"}, "train": {"day": "monday"}, "taxi": {"a": "1", "b": "2"}},
        {"train": {"day": "friday"}, "hotel": {"area": "south"}},
    ]
    assert active_domains(states) == [(), ("hotel",), ("hotel",), ("taxi",), ("train",), ("train",)]


def _goal(domain: str, *wanted: Fact, **informable: str) -> Goal:
    return {domain: DomainGoal(informable, frozenset(wanted))}


def _judge(goal: Goal, *turns: tuple[str, Any], booked: Any = None) -> Judged:
    read = [Turn(response, state, tuple(goal)) for response, state in turns]
    return judge(goal, read, TOWN, booked or [()] * len(turns))


CENTRE = {"restaurant": {"area": "centre"}}


def test_a_venue_that_the_state_allows_must_fit_the_goal() -> None:
    assert _judge(_goal("restaurant", area="centre"), ("[name]", CENTRE)).inform
    assert not _judge(_goal("restaurant", area="centre"), ("[name]", {"restaurant": {}})).inform
    assert not _judge(_goal("restaurant", area="centre"), ("hello", CENTRE)).inform
    assert not _judge(_goal("restaurant", area="centre"), ("[name]", {})).inform
    assert not _judge(_goal("restaurant", area="north"), ("[name]", CENTRE)).inform


def test_the_last_offer_counts_unless_a_later_one_covers_the_first() -> None:
    narrow = {"restaurant": {"name": "walnut tree"}}
    wide: dict[str, Any] = {"restaurant": {}}
    goal = _goal("restaurant", area="centre")
    assert _judge(goal, ("[name]", wide), ("[name]", narrow)).inform
    assert _judge(goal, ("[name]", narrow), ("[name]", wide)).inform
    assert not _judge(goal, ("[name]", narrow), ("[name]", {})).inform


@pytest.mark.parametrize("domain", ["taxi", "police", "hospital"])
def test_where_there_is_nothing_to_find_inform_is_free(domain: str) -> None:
    assert _judge(_goal(domain), ("hello", {})).inform


def test_a_venue_that_the_user_names_needs_no_offer() -> None:
    assert _judge(_goal("hotel", name="granary hotel"), ("hello", {})).inform


def test_a_train_needs_to_be_named_only_if_it_is_asked_for_and_must_be_right_if_named() -> None:
    constraints = {"departure": "ely", "destination": "cambridge"}
    asked, free = (_goal("train", *f, **constraints) for f in (("TRAINID",), ()))
    assert _judge(free, ("hello", {})).inform
    assert not _judge(asked, ("hello", {})).inform
    assert not _judge(free, ("[train_id]", {"train": {"departure": "cambridge"}})).inform
    assert _judge(asked, ("[train_id]", {"train": constraints})).success


def test_success_is_inform_and_everything_that_was_asked_for() -> None:
    goal = _goal("restaurant", "PHONE", "ADDRESS", area="centre")
    half = _judge(goal, ("[name] [phone]", CENTRE))
    assert half.inform
    assert not half.success
    assert half.domains["restaurant"].missing == {"ADDRESS"}
    assert _judge(goal, ("[name] [phone]", CENTRE), ("[address]", CENTRE)).success
    uninformed = _judge(goal, ("[phone] [address]", CENTRE))
    assert not uninformed.succeeded("restaurant")


def test_a_reference_counts_only_after_the_booking() -> None:
    goal = _goal("hotel", "REFERENCE", name="x")
    turns: tuple[tuple[str, Any], ...] = (("[reference]", {}), ("ok", {}))
    assert not _judge(goal, *turns, booked=[(), ("hotel",)]).success
    assert _judge(goal, *turns, booked=[("hotel",), ("hotel",)]).success


def test_a_response_counts_for_the_domains_it_is_about() -> None:
    goal = {**_goal("taxi", "PHONE"), **_goal("hotel", "PHONE", name="x")}
    judged = judge(goal, [Turn("[phone]", {}, ("taxi",))], TOWN, [()])
    assert not judged.domains["taxi"].missing
    assert judged.domains["hotel"].missing == {"PHONE"}


def test_turns_beyond_the_bookings_are_not_looked_at() -> None:
    goal = _goal("taxi", "PHONE")
    assert not judge(goal, [Turn("hi", {}, ()), Turn("[phone]", {}, ("taxi",))], TOWN, [()]).success


def test_silence_never_succeeds_where_something_is_asked_for() -> None:
    facts_wanted: tuple[Fact, ...] = ("PHONE", "REFERENCE")
    for fact in facts_wanted:
        goal = _goal("taxi", fact)
        assert not _judge(goal, ("", {}), ("", {}), booked=[("taxi",)] * 2).success


_VALUES = (
    st.none() | st.text(max_size=6) | st.sampled_from(["5pm", "x:1pm", "dontcare", "²", "1715"])
)
_STATES = st.dictionaries(
    st.sampled_from(["hotel", "restaurant", "train", "taxi", "nothing"]),
    st.dictionaries(st.sampled_from(["area", "name", "arrive", "leave", "food", "id"]), _VALUES),
    max_size=3,
)


@given(
    st.lists(st.tuples(st.text(max_size=20) | st.sampled_from(["[name]", "[id]"]), _STATES)),
    st.booleans(),
)
def test_garbage_is_judged_and_nothing_is_changed(
    turns: list[tuple[str, dict[str, dict[str, str | None]]]], given_domains: bool
) -> None:
    goal = {**_goal("hotel", "PHONE", area="north"), **_goal("train", "TRAINID", leave="09:00")}
    before = repr(turns)
    active = ("hotel", "train") if given_domains else None
    judged = judge(
        goal, [Turn(r, read_state(s), active) for r, s in turns], TOWN, [("hotel",)] * len(turns)
    )
    assert judged.success <= judged.inform
    assert repr(turns) == before
