"""The same services under other names: every name new in one way, nothing else changed."""

from collections.abc import Mapping

import pytest

from coalm.corpora import sgd
from coalm.corpora.schema_words import intent_words, slot_words, spelt
from coalm.corpora.sgd import Service, SgdDialogue
from coalm.corpora.sgd_values import values_of
from coalm.corpora.sgd_variants import Variant, variant_of, variants
from coalm.sources import MINIATURE, SOURCES, Found, find

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(MINI.path(sgd.ARCHIVE))
DIALOGUES = list(sgd.dialogues(MINI.path(sgd.ARCHIVE)))
VARIANTS = variants(SERVICES, 42)


def sound(variant: Variant, services: Mapping[str, Service]) -> None:
    """Each name is new to its kind, and each service is as large as before."""
    assert len(variant.services) == len(services)
    for name, service in services.items():
        names = variant.names[name]
        other = variant.services[names.service]
        assert set(names.slots) == set(service.slots)
        assert len(set(names.slots.values())) == len(service.slots)
        assert len(set(names.intents.values())) == len(service.intents)
        for slot in service.slots.values():
            assert other.slots[names.slots[slot.name]].values == slot.values
        for intent in service.intents.values():
            renamed = other.intents[names.intents[intent.name]]
            assert renamed.transactional == intent.transactional
            assert set(renamed.required) == {names.slots[s] for s in intent.required}
            assert dict(renamed.optional) == {names.slots[s]: v for s, v in intent.optional.items()}


def test_every_variant_is_sound_and_no_two_are_alike() -> None:
    for variant in VARIANTS:
        sound(variant, SERVICES)
    assert len({repr(variant.names) for variant in VARIANTS}) == len(VARIANTS)


def test_a_seed_makes_the_same_variants_again() -> None:
    assert [v.names for v in variants(SERVICES, 42)] == [v.names for v in VARIANTS]
    assert [v.names for v in variants(SERVICES, 43)] != [v.names for v in VARIANTS]
    assert variant_of(VARIANTS, 1, "x") is variant_of(VARIANTS, 1, "x")


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda d: d.id)
def test_the_words_and_values_of_a_dialogue_stay(dialogue: SgdDialogue) -> None:
    for variant in VARIANTS:
        other = variant.dialogue(dialogue)
        assert [e.user.text for e in other.exchanges] == [e.user.text for e in dialogue.exchanges]
        own = values_of(dialogue.exchanges, SERVICES)
        new = values_of(other.exchanges, variant.services)
        assert new == {
            variant.names[service].service: {
                variant.names[service].slots[slot]: value for slot, value in values.items()
            }
            for service, values in own.items()
        }
        calls = [f.call for e in dialogue.exchanges for f in e.system.frames if f.call]
        others = [f.call for e in other.exchanges for f in e.system.frames if f.call]
        assert [list(c.arguments.values()) for c in calls] == [
            list(c.arguments.values()) for c in others
        ]


def test_names_come_in_three_spellings() -> None:
    assert [spelt(("show", "date"), s) for s in ("snake", "camel", "joined")] == [
        "show_date",
        "showDate",
        "showdate",
    ]


def test_a_name_that_no_table_has_is_still_varied_by_rule() -> None:
    assert ("dogs", "count") in slot_words("number_of_dogs")
    assert ("date", "of", "tour") in slot_words("tour_date")
    assert slot_words("theme") == [("theme",)]


def test_what_changes_something_is_not_called_a_look_up() -> None:
    assert ("look", "up", "ride") in intent_words("GetRide")
    assert intent_words("GetRide", transactional=True) == [
        ("get", "ride"),
        ("order", "ride"),
        ("request", "ride"),
    ]


@pytest.mark.data
def test_the_real_schema_s_variants_are_sound_and_tell_times_apart() -> None:
    from coalm.corpora.sgd_values import told

    services = sgd.schema(find("sgd").path(sgd.ARCHIVE))
    for variant in variants(services, 42):
        sound(variant, services)
        for name, service in services.items():
            names = variant.names[name]
            for slot in service.slots.values():
                new = variant.services[names.service].slots[names.slots[slot.name]]
                assert told(slot).endswith(", hh:mm") == told(new).endswith(", hh:mm")
