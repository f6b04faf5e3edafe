"""How two dialogue states are compared, rule by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.multiwoz.fuzzy import alike
from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.state import (
    NORMALISATIONS,
    Normalise,
    compare,
    first_alternatives,
    normalise,
)
from coalm.errors import RecipeError

states = st.dictionaries(
    st.sampled_from(sorted(NAMES)),
    st.sampled_from(["north", "dontcare", "old mill", "5", "none"]),
    max_size=6,
)
BARE = Normalise(case=False, spaces=False, dontcare=False, absent=False)


@given(states)
def test_a_state_matches_itself(state: dict[str, str]) -> None:
    assert compare(state, state).joint
    assert compare(state, state, BARE).joint


@given(states, states)
def test_every_slot_is_counted_on_its_side(gold: dict[str, str], said: dict[str, str]) -> None:
    match, rules = compare(gold, said), Normalise()

    assert len(match.right) + len(match.missing) == len(rules.state(gold))
    assert len(match.right) + len(match.extra) == len(rules.state(said))
    assert match.joint == (rules.state(gold) == rules.state(said))
    assert 0.0 <= match.slot_accuracy <= 1.0


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [
        ("north", "North ", True),
        ("old mill", "old  mill", True),
        ("old mill", "the old mill", False),
        ("dontcare", "don't care", True),
        ("dontcare", "do not care", True),
        ("dontcare", "any", False),
        ("centre", "center", False),
        ("09:15", "9:15", False),
        ("a|b", "b", True),
        ("a|b", "a", True),
        ("a|b", "c", False),
        ("a|b", "a|b", False),
        ("a", "a|b", False),
    ],
)
def test_little_is_forgiven(gold: str, said: str, right: bool) -> None:
    assert compare({"hotel-area": gold}, {"hotel-area": said}).joint is right


@pytest.mark.parametrize("nothing", ["", "none", "None", "not mentioned", " "])
def test_a_value_that_means_nothing_is_a_slot_left_out(nothing: str) -> None:
    assert compare({}, {"hotel-area": nothing}).joint
    assert compare({"hotel-area": "north"}, {"hotel-area": nothing}).extra == {}


def test_dontcare_is_a_value_of_its_own() -> None:
    assert not compare({"hotel-area": "dontcare"}, {}).joint
    assert not compare({}, {"hotel-area": "dontcare"}).joint


def test_slot_accuracy_counts_a_slot_once_whatever_is_wrong_with_it() -> None:
    gold = {"hotel-area": "north", "hotel-type": "hotel"}

    assert compare(gold, {**gold, "hotel-stars": "4"}).slot_accuracy == pytest.approx(29 / 30)
    assert compare(gold, {"hotel-type": "hotel"}).slot_accuracy == pytest.approx(29 / 30)
    assert compare(gold, {**gold, "hotel-area": "south"}).slot_accuracy == pytest.approx(29 / 30)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Normalise(case=False), "NORTH"),
        (Normalise(spaces=False), " north"),
    ],
)
def test_a_rule_can_be_switched_off(rules: Normalise, said: str) -> None:
    assert compare({"hotel-area": "north"}, {"hotel-area": said}).joint
    assert not compare({"hotel-area": "north"}, {"hotel-area": said}, rules).joint


def test_the_other_rules_can_be_switched_as_well() -> None:
    assert not compare({"x": "dontcare"}, {"x": "don't care"}, Normalise(dontcare=False)).joint
    assert not compare({}, {"x": "none"}, Normalise(absent=False)).joint
    assert compare({}, {"x": ""}, Normalise(absent=False)).joint


@pytest.mark.parametrize(
    ("rule", "slot", "gold", "said"),
    [
        ("ampersand", "restaurant-name", "salt and pepper", "Salt & Pepper"),
        ("breakfast", "hotel-name", "abbey bed and breakfast", "abbey b and b"),
        ("breakfast", "hotel-name", "abbey bed and breakfast", "abbey B&B"),
        ("punctuation", "attraction-name", "saint annes hall", "saint anne's hall"),
        ("punctuation", "attraction-name", "saint annes hall", "saint anne 's hall"),
        ("punctuation", "restaurant-name", "the two a", "the two-a"),
        ("the", "restaurant-name", "copper lantern", "the copper lantern"),
        ("the", "taxi-departure", "the copper lantern", "copper lantern"),
        ("centre", "hotel-area", "centre", "city center"),
        ("times", "taxi-leaveat", "05:15", "5:15"),
        ("times", "train-arriveby", "17:15", "after 5:15 pm"),
        ("times", "restaurant-book time", "09:00", "9 am"),
        ("types", "hotel-type", "guest house", "guesthouse"),
        ("types", "attraction-type", "museum", "museums"),
        ("types", "attraction-type", "concert hall", "concerthall"),
        ("numbers", "hotel-book people", "2", "two people"),
        ("numbers", "hotel-stars", "4", "4-star"),
        ("prices", "hotel-pricerange", "moderate", "moderately priced"),
        ("truths", "hotel-parking", "yes", "free"),
        ("blanks", "hotel-name", "cityroomz", "city roomz"),
    ],
)
def test_a_named_rule_forgives_what_it_says_and_is_off(
    rule: str, slot: str, gold: str, said: str
) -> None:
    assert rule not in Normalise().names
    assert not compare({slot: gold}, {slot: said}).joint
    assert compare({slot: gold}, {slot: said}, normalise([rule])).joint
    others = set(NORMALISATIONS) - {rule, "blanks"}
    assert not compare({slot: gold}, {slot: said}, normalise(others)).joint


@pytest.mark.parametrize(
    ("slot", "gold", "said"),
    [
        ("restaurant-name", "05:15", "5:15"),
        ("taxi-leaveat", "05:15", "17:15"),
        ("train-leaveat", "dontcare", "any"),
        ("restaurant-name", "the", "thee"),
        ("hotel-type", "hotel", "guest house"),
        ("hotel-book stay", "2", "3 nights"),
    ],
)
def test_no_rule_forgives_more_than_its_slots(slot: str, gold: str, said: str) -> None:
    assert not compare({slot: gold}, {slot: said}, normalise(["all"])).joint


def test_rules_are_switched_by_name() -> None:
    assert normalise() == Normalise()
    assert normalise(["times"], ["case"]).names == ("spaces", "dontcare", "absent", "times")
    assert normalise(["all"]).names == NORMALISATIONS
    assert normalise([], ["all"]).names == ()
    with pytest.raises(RecipeError, match="'times'"):
        normalise(["time"])
    with pytest.raises(RecipeError, match="both switched on and off"):
        normalise(["the"], ["the"])


def test_with_every_rule_a_normalised_value_stays_as_it_is() -> None:
    rules = normalise(["all"])
    for slot in NAMES:
        for value in ("the b & b", "5.15", "City Center", "guesthouse", "two", "the"):
            once = rules.value(slot, value)
            assert rules.value(slot, once) == once


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [
        ("old mill", "the old mill house", True),
        ("the old mill house", "old mill", True),
        ("north", "south", False),
        ("a|old mill", "the old mill", True),
        ("old mill", "old mile", False),
        ("dontcare", "any", False),
        ("", "x", False),
    ],
)
def test_fuzzily_a_part_is_as_good_as_the_whole(gold: str, said: str, right: bool) -> None:
    assert compare({"hotel-name": gold}, {"hotel-name": said}, same=alike).joint is right


@given(st.text(max_size=12), st.text(max_size=12))
def test_what_is_strictly_right_is_fuzzily_right(gold: str, said: str) -> None:
    strict = compare({"hotel-name": gold}, {"hotel-name": said})
    fuzzy = compare({"hotel-name": gold}, {"hotel-name": said}, same=alike)

    assert set(strict.right) <= set(fuzzy.right)


def test_fuzzy_hedging_pays_as_it_does_in_the_labs_evaluator() -> None:
    """Known and said in the protocol's page: one more reason for the strict headline."""
    everywhere = {"hotel-area": "north south east west centre"}

    assert compare({"hotel-area": "east"}, everywhere, same=alike).joint
    assert not compare({"hotel-area": "east"}, everywhere).joint


def test_slot_names_are_read_like_values() -> None:
    assert compare({"hotel-area": "north"}, {" Hotel-Area": "north"}).joint


def test_gold_alternatives_become_the_first() -> None:
    assert first_alternatives({"a": "x|y", "b": "z"}) == {"a": "x", "b": "z"}
