"""Selections by service and domain, and splits for services that training has not seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.corpora.sgd import Service, SgdDialogue
from coalm.cra.select import EVERYTHING, Selection, selection, unseen_domains, unseen_services
from coalm.errors import RecipeError

NAMES = ("Hotels_1", "Hotels_2", "Hotels_3", "Buses_1", "Buses_2", "Weather_1", "Homes_1")
SERVICES = {name: Service(name, "", {}, {}) for name in NAMES}
used = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


def dialogue(*services: str) -> SgdDialogue:
    return SgdDialogue("1", services, ())


def test_everything_is_kept_where_nothing_is_asked_for() -> None:
    assert EVERYTHING.keeps(dialogue("Hotels_1", "Weather_1"))


def test_an_empty_list_of_a_recipe_asks_for_nothing() -> None:
    assert selection() == EVERYTHING
    assert selection(["Hotels_1"], without_domains=["bus"]) == Selection(
        services=frozenset({"Hotels_1"}), without_domains=frozenset({"bus"})
    )


def test_all_services_of_a_dialogue_must_be_among_those_chosen() -> None:
    only = Selection(services=frozenset({"Hotels_1", "Buses_1"}))
    assert only.keeps(dialogue("Hotels_1", "Buses_1"))
    assert not only.keeps(dialogue("Hotels_1", "Weather_1"))


def test_a_domain_stands_for_all_its_services() -> None:
    only = Selection(domains=frozenset({"hotel"}))
    assert only.keeps(dialogue("Hotels_1", "Hotels_3"))
    assert not only.keeps(dialogue("Hotels_1", "Buses_1"))


def test_one_service_that_is_left_out_is_enough_to_leave_a_dialogue_out() -> None:
    assert not Selection(without_services=frozenset({"Buses_2"})).keeps(
        dialogue("Hotels_1", "Buses_2")
    )
    assert not Selection(without_domains=frozenset({"bus"})).keeps(dialogue("Hotels_1", "Buses_2"))
    assert Selection(without_domains=frozenset({"bus"})).keeps(dialogue("Hotels_1"))


def test_a_name_that_the_schema_lacks_gets_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="did you mean 'Hotels_1'"):
        Selection(services=frozenset({"Hotel_1"})).known(SERVICES)
    with pytest.raises(RecipeError, match="no domain 'hotels'"):
        Selection(without_domains=frozenset({"hotels"})).known(SERVICES)
    Selection(domains=frozenset({"hotel"}), services=frozenset({"Homes_1"})).known(SERVICES)


@given(used, st.floats(0, 1), st.integers(0, 9))
def test_what_is_seen_and_what_is_not_never_meet(names: list[str], share: float, seed: int) -> None:
    for split in (
        unseen_services(SERVICES, share=share, seed=seed),
        unseen_domains(SERVICES, share=share, seed=seed),
    ):
        one = dialogue(*names)
        side = split.side(one)
        assert split.seen.keeps(one) == (side == "seen")
        assert split.unseen.keeps(one) == (side == "unseen")


@given(st.floats(0, 1), st.integers(0, 99))
def test_an_unseen_service_has_a_seen_relative(share: float, seed: int) -> None:
    held = unseen_services(SERVICES, share=share, seed=seed).services
    for name in held:
        kind = name.rpartition("_")[0]
        assert any(n.startswith(kind) and n not in held for n in NAMES)


def test_an_unseen_domain_is_unseen_as_a_whole() -> None:
    held = unseen_domains(SERVICES, share=0.5, seed=1).services
    for kind in ("Hotels", "Buses"):
        inside = {n for n in NAMES if n.startswith(kind)}
        assert inside <= held or not inside & held


def test_nothing_held_out_leaves_no_unseen_dialogue() -> None:
    none = unseen_services(SERVICES, share=0.0)
    assert none.side(dialogue("Hotels_1")) == "seen"
    assert not none.unseen.keeps(dialogue("Hotels_1"))
