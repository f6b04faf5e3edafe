"""How two dialogue states are compared, rule by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.state import Normalise, compare, first_alternatives

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
    assert compare({"x": "centre"}, {"x": "Center"}, Normalise(centre=True)).joint


def test_slot_names_are_read_like_values() -> None:
    assert compare({"hotel-area": "north"}, {" Hotel-Area": "north"}).joint


def test_gold_alternatives_become_the_first() -> None:
    assert first_alternatives({"a": "x|y", "b": "z"}) == {"a": "x", "b": "z"}
