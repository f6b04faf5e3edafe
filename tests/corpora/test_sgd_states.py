"""SGD as state tracking: a conversation and its slots in, the state of one turn out."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from coalm.corpora import sgd, sgd_states, sgd_values
from coalm.corpora.sgd import SgdDialogue
from coalm.corpora.sgd_states import Asking, slot_name, stem, tracked
from coalm.corpora.states import read_state
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Sample, System, User

MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(MINI.path(sgd.ARCHIVE))
DIALOGUES = {d.id: d for d in sgd.dialogues(MINI.path(sgd.ARCHIVE))}
TURNS = [(d, turn) for d in DIALOGUES.values() for turn in range(len(d.exchanges))]
every_turn = pytest.mark.parametrize(("dialogue", "turn"), TURNS)
LIKE_MULTIWOZ = ("hotel", "restaurant", "travel", "bus", "event", "movie")


def listed(sample: Sample) -> list[str]:
    """The names of the slots that the model is told of, in their order."""
    told = sample.dialogue.turns[0]
    assert isinstance(told, System)
    _, _, lines = told.text.partition("\nSlots:\n")
    return [line.partition(": ")[0] for line in lines.splitlines()]


def state(sample: Sample) -> dict[str, str]:
    """The state that is to be written."""
    answer = sample.dialogue.turns[-1]
    assert isinstance(answer, Assistant)
    found = read_state(answer.text)
    assert found is not None
    return found


def domains(names: list[str]) -> set[str]:
    return {name.partition("-")[0] for name in names}


# --- what is asked and what is answered ---------------------------------------------------


def test_a_row_asks_about_one_turn_and_answers_with_listed_slots() -> None:
    sample = tracked(DIALOGUES["1_00000"], SERVICES, 1)
    asked = sample.dialogue.turns[1]

    assert isinstance(asked, User)
    assert asked.text.splitlines()[-1] == "User: In Harwell Bay, something about ships."
    assert state(sample) == {"museum-town": "Harwell Bay", "museum-theme": "ships"}
    assert (sample.id, sample.group) == ("sgd-dst/train/1_00000#1", "sgd/train/1_00000")


def test_the_state_of_one_service_is_kept_while_another_is_talked_to() -> None:
    dialogue = DIALOGUES["2_00001"]
    found = state(tracked(dialogue, SERVICES, len(dialogue.exchanges) - 1))

    assert found["ferrie-cabin"] == "berth"
    assert found["museum-theme"] == "science"


def test_truth_is_yes_and_the_listed_spelling_wins() -> None:
    free = tracked(DIALOGUES["2_00000"], SERVICES, 0).dialogue.turns
    rails = tracked(DIALOGUES["1_00001"], SERVICES, 0).dialogue.turns

    assert free[-1] == Assistant(
        '{"museum-free entry": "yes", "museum-theme": "painting", "museum-town": "Oldmere"}'
    )
    assert rails[-1] == Assistant('{"museum-theme": "railways", "museum-town": "Corrin"}')


def test_the_slots_and_the_answer_stand_in_the_order_of_their_names() -> None:
    for dialogue, turn in TURNS:
        sample = tracked(dialogue, SERVICES, turn, Asking(slots=12))
        assert listed(sample) == sorted(listed(sample))
        assert list(state(sample)) == sorted(state(sample))


def test_copies_ask_about_different_turns_and_a_seed_chooses_them() -> None:
    one = [s.id for s in sgd_states.read(MINI, seed=1, copies=2)]

    assert len(one) == len(set(one)) == 16
    assert one == [s.id for s in sgd_states.read(MINI, seed=1, copies=2)]
    assert one != [s.id for s in sgd_states.read(MINI, seed=2, copies=2)]


def test_the_first_turn_is_asked_about_only_where_it_is_alone(tmp_path: Path) -> None:
    for dialogue in DIALOGUES.values():
        turns = asked_about(MINI, dialogue.id)
        assert turns == list(range(1, len(dialogue.exchanges)))

    folder = tmp_path / "sgd" / "train"
    shutil.copytree(MINI.path(sgd.ARCHIVE), folder)
    file = folder / "dialogues_001.json"
    rows = json.loads(file.read_text())
    rows[0]["turns"] = rows[0]["turns"][:2]
    file.write_text(json.dumps(rows))
    assert asked_about(Found(SOURCES["sgd"], tmp_path, "miniature"), rows[0]["dialogue_id"]) == [0]


def asked_about(found: Found, dialogue: str) -> list[int]:
    """The turns of a dialogue that rows ask about, if there are as many rows as there can be."""
    rows = sgd_states.read(found, copies=99)
    return sorted(int(s.id.split("#")[1]) for s in rows if s.group == f"sgd/train/{dialogue}")


# --- names as MultiWOZ writes them --------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "domain"),
    [
        ("Restaurants_1", "restaurant"),
        ("Hotels_3", "hotel"),
        ("Buses_2", "bus"),
        ("Movies_1", "movie"),
        ("RentalCars_1", "rentalcar"),
        ("RideSharing_2", "ridesharing"),
        ("Services_3", "service"),
        ("Music_1", "music"),
        ("Media_1", "media"),
    ],
)
def test_a_service_s_domain_is_one_word_in_the_singular(service: str, domain: str) -> None:
    assert stem(service) == domain


@pytest.mark.parametrize(
    ("domain", "slot", "name"),
    [
        ("restaurant", "restaurant_name", "restaurant-name"),
        ("hotel", "check_in_date", "hotel-check in date"),
        ("bus", "business", "bus-business"),
        ("hotels_1", "hotel_name", "hotels_1-hotel name"),
    ],
)
def test_a_slot_s_name_says_its_domain_once(domain: str, slot: str, name: str) -> None:
    assert slot_name(domain, slot) == name


def test_two_services_of_one_domain_keep_their_numbers() -> None:
    museums = SERVICES["Museums_1"]
    names = sgd_values.domain_names({"Museums_1": museums, "Museums_2": museums, "Cars_1": museums})
    assert names == {"Museums_1": "museums_1", "Museums_2": "museums_2", "Cars_1": "car"}


# --- slots of services that the dialogue does not use --------------------------------------


@every_turn
@pytest.mark.parametrize("wanted", [0, 5, 9, 12, 17, 99])
def test_padding_reaches_the_wanted_count_or_all_there_is(
    dialogue: SgdDialogue, turn: int, wanted: int
) -> None:
    own = sum(len(SERVICES[name].inputs) for name in dialogue.services)
    there = sum(len(service.inputs) for service in SERVICES.values())
    found = listed(tracked(dialogue, SERVICES, turn, Asking(slots=wanted)))

    assert len(found) == len(set(found)) == max(own, min(wanted, there))


@every_turn
def test_strangers_never_belong_to_a_used_domain_and_the_own_slots_are_all_there(
    dialogue: SgdDialogue, turn: int
) -> None:
    own = listed(tracked(dialogue, SERVICES, turn))
    found = listed(tracked(dialogue, SERVICES, turn, Asking(slots=15)))

    assert set(own) <= set(found)
    assert domains(own) == {stem(name) for name in dialogue.services}
    assert not domains([name for name in found if name not in own]) & domains(own)


@every_turn
def test_an_answer_never_names_a_stranger(dialogue: SgdDialogue, turn: int) -> None:
    alone, padded = (tracked(dialogue, SERVICES, turn, Asking(slots=n)) for n in (0, 15))

    assert set(state(padded)) <= set(listed(alone))
    assert padded.dialogue.turns[1:] == alone.dialogue.turns[1:]


def test_a_second_service_of_a_used_domain_is_no_stranger() -> None:
    twice = {**SERVICES, "Museums_2": SERVICES["Museums_1"]}
    found = listed(tracked(DIALOGUES["1_00000"], twice, 0, Asking(slots=99)))

    assert len(found) == len(set(found)) == 17
    assert not [name for name in found if name.startswith("museums_2")]


def test_of_two_unused_services_of_one_domain_only_one_is_taken() -> None:
    twice = {**SERVICES, "Ferries_2": SERVICES["Ferries_1"]}
    found = listed(tracked(DIALOGUES["1_00000"], twice, 0, Asking(slots=99)))

    assert len(found) == len(set(found)) == 17


def test_the_seed_alone_chooses_the_strangers() -> None:
    def rows(seed: int) -> list[list[str]]:
        return [listed(tracked(d, SERVICES, turn, Asking(slots=9, seed=seed))) for d, turn in TURNS]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_reading_passes_the_count_and_the_seed_on() -> None:
    samples = list(sgd_states.read(MINI, seed=5, slots=12))

    assert {len(listed(s)) for s in samples} == {12, 13}  # one dialogue has 13 of its own
    for sample in samples:
        name, _, turn = sample.id.removeprefix("sgd-dst/train/").partition("#")
        assert sample == tracked(DIALOGUES[name], SERVICES, int(turn), Asking(slots=12, seed=5))


# --- only some domains --------------------------------------------------------------------


def kept(*names: str) -> set[str]:
    samples = sgd_states.read(MINI, domains=names)
    return {s.group.removeprefix("sgd/train/") for s in samples}


def test_a_dialogue_is_kept_if_all_its_services_belong_to_the_domains() -> None:
    assert kept("museum") == {"1_00000", "1_00001", "2_00000"}
    assert kept("museum", "ferrie") == {"1_00000", "1_00001", "1_00002", "2_00000", "2_00001"}
    assert kept("hotel") == set()


def test_without_domains_every_dialogue_is_kept() -> None:
    assert kept() == set(DIALOGUES)


def test_the_domains_do_not_change_the_rows_that_are_kept() -> None:
    every = {s.id: s for s in sgd_states.read(MINI, slots=12, copies=2)}
    for sample in sgd_states.read(MINI, slots=12, copies=2, domains=("repair",)):
        assert sample == every[sample.id]


# --- the real archive ---------------------------------------------------------------------


@pytest.mark.data
def test_no_two_real_slots_of_a_service_share_a_name() -> None:
    for name, service in sgd.schema(find("sgd").path(sgd.ARCHIVE)).items():
        names = [slot_name(stem(name), slot) for slot in service.slots]
        assert len(set(names)) == len(names), name


@pytest.mark.data
@pytest.mark.parametrize("slots", [0, 24])
def test_each_of_the_first_real_rows_is_a_state_of_its_listed_slots(slots: int) -> None:
    for sample in islice(sgd_states.read(find("sgd"), slots=slots), 200):
        names = listed(sample)
        assert set(state(sample)) <= set(names)
        assert len(names) == len(set(names)) >= slots


@pytest.mark.data
def test_the_real_rows_of_some_domains_name_no_other_in_their_answers() -> None:
    rows = list(islice(sgd_states.read(find("sgd"), slots=24, domains=LIKE_MULTIWOZ), 200))

    assert len(rows) == 200
    answered = {name for sample in rows for name in state(sample)}
    assert {"restaurant-time", "restaurant-city"} <= answered
    for name in answered:
        assert name.startswith(LIKE_MULTIWOZ), name


# --- several turns, plain values, open slots, other names, the older annotation -------------


def test_several_turns_in_a_row_are_answered_each_with_the_whole_state() -> None:
    dialogue = DIALOGUES["1_00001"]
    sample = tracked(dialogue, SERVICES, 3, Asking(together=3))
    turns = sample.dialogue.turns

    assert [type(t) for t in turns] == [System, User, Assistant, User, Assistant, User, Assistant]
    alone = [tracked(dialogue, SERVICES, turn).dialogue.turns[-1] for turn in (1, 2, 3)]
    assert [turns[2], turns[4], turns[6]] == alone
    assert isinstance(turns[3], User)
    assert turns[3].text == f"System: {dialogue.exchanges[1].system.text}\nUser: Yes, for the 5th."


@every_turn
def test_a_row_of_more_turns_than_there_are_begins_with_the_first(
    dialogue: SgdDialogue, turn: int
) -> None:
    turns = tracked(dialogue, SERVICES, turn, Asking(together=99)).dialogue.turns
    assert sum(isinstance(t, Assistant) for t in turns) == turn + 1


def test_plain_values_are_times_of_a_clock_and_the_slot_says_so() -> None:
    said = tracked(DIALOGUES["1_00001"], SERVICES, 3)
    plain = tracked(DIALOGUES["1_00001"], SERVICES, 3, Asking(plain=True))

    assert state(said)["museum-tour time"] == "two in the afternoon"
    assert state(plain)["museum-tour time"] == "14:00"
    assert isinstance(plain.dialogue.turns[0], System)
    assert (
        "museum-tour time: Hour at which the tour begins, hh:mm\n" in plain.dialogue.turns[0].text
    )


def test_a_time_that_is_not_clear_leaves_the_row_out_and_says_why() -> None:
    dialogue = DIALOGUES["1_00001"]
    last = dialogue.exchanges[3]
    [frame] = last.user.frames
    vague = replace(frame, state={**(frame.state or {}), "tour_time": ("lunch time",)})
    other = replace(last, user=replace(last.user, frames=(vague,)))
    changed = replace(dialogue, exchanges=(*dialogue.exchanges[:3], other))
    why: list[str] = []

    rows = list(sgd_states.make(changed, SERVICES, Asking(plain=True), copies=9, skip=why.append))
    assert {row.id[-1] for row in rows} == {"1", "2"}
    assert why == ["a time that cannot be read for sure"]


@every_turn
def test_open_slots_by_name_are_all_the_others(dialogue: SgdDialogue, turn: int) -> None:
    closed = tracked(dialogue, SERVICES, turn, Asking(slots=12))
    named = tracked(dialogue, SERVICES, turn, Asking(slots=12, name_open=True))

    assert list(state(named)) == listed(named) == listed(closed)
    assert {s: v for s, v in state(named).items() if v != "none"} == state(closed)
    assert isinstance(named.dialogue.turns[0], System)
    assert '"none" where it is open' in named.dialogue.turns[0].text


def test_a_share_of_the_rows_has_other_names_and_the_same_values() -> None:
    own = {s.id: s for s in sgd_states.read(MINI, copies=99)}
    renamed = {s.id: s for s in sgd_states.read(MINI, copies=99, renamed=1.0)}

    assert set(own) == set(renamed)
    assert [n for s in own.values() for n in listed(s)] != [
        n for s in renamed.values() for n in listed(s)
    ]
    for name, sample in own.items():
        assert sorted(state(sample).values()) == sorted(state(renamed[name]).values())
        assert sample.dialogue.turns[1] == renamed[name].dialogue.turns[1]


@pytest.mark.data
@pytest.mark.slow
def test_the_older_annotation_adds_its_dialogues() -> None:
    rows = list(sgd_states.read(find("sgd"), older=True))
    assert len(rows) == 12_174 + 3_968
    assert len({row.id for row in rows}) == len(rows)
