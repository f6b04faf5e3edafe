"""SGD as frozen values, and as state tracking."""

import json
import shutil
import tarfile
from itertools import islice
from pathlib import Path

import pytest

from coalm.corpora import sgd, sgd_states
from coalm.corpora.states import read_state
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, User

FOLDER = MINIATURE / "sgd/train"
MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")


def test_a_dialogue_is_read_with_its_call_and_results() -> None:
    first = next(sgd.dialogues(FOLDER))
    frame = first.exchanges[1].system.frames[0]

    assert first.services == ("Museums_1",)
    assert frame.call is not None
    assert frame.call.arguments == {"town": "Harwell Bay", "theme": "ships"}
    assert len(frame.results) == 3


def test_the_inputs_of_a_service_are_the_slots_of_its_intents() -> None:
    museums = sgd.schema(FOLDER)["Museums_1"]
    assert "tour_date" in museums.inputs
    assert "phone_number" not in museums.inputs
    assert museums.intents["BookTour"].transactional


def test_an_archive_reads_as_its_folder_does(tmp_path: Path) -> None:
    archive = tmp_path / "train.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(FOLDER, "train")

    assert sgd.schema(archive) == sgd.schema(FOLDER)
    assert list(sgd.dialogues(archive)) == list(sgd.dialogues(FOLDER))


def test_a_broken_dialogue_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "schema.json", tmp_path)
    rows = json.loads((FOLDER / "dialogues_001.json").read_text())
    del rows[2]["turns"][1]["utterance"]
    (tmp_path / "dialogues_001.json").write_text(json.dumps(rows))

    with pytest.raises(DataError, match=r"dialogues_001\.json: dialogue 3: lacks 'utterance'"):
        list(sgd.dialogues(tmp_path))


def test_broken_json_and_missing_files_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no dialogues_"):
        list(sgd.dialogues(tmp_path))
    (tmp_path / "dialogues_001.json").write_text('[{"dialogue_id": ')
    with pytest.raises(DataError, match=r"dialogues_001\.json.*line 1"):
        list(sgd.dialogues(tmp_path))
    (tmp_path / "train.tar.gz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="archive"):
        list(sgd.dialogues(tmp_path / "train.tar.gz"))


def test_a_state_row_asks_about_one_turn_and_answers_with_listed_slots() -> None:
    dialogue = next(sgd.dialogues(FOLDER))
    sample = sgd_states.tracked(dialogue, sgd.schema(FOLDER), 1)
    asked, answered = sample.dialogue.turns[1:]

    assert isinstance(asked, User)
    assert asked.text.splitlines()[-1] == "User: In Harwell Bay, something about ships."
    assert isinstance(answered, Assistant)
    assert read_state(answered.text) == {"museums-town": "Harwell Bay", "museums-theme": "ships"}
    assert sample.group == "sgd/train/1_00000"


def test_the_state_of_one_service_is_kept_while_another_is_talked_to() -> None:
    dialogue = next(d for d in sgd.dialogues(FOLDER) if d.id == "2_00001")
    last = sgd_states.tracked(dialogue, sgd.schema(FOLDER), len(dialogue.exchanges) - 1)
    answered = last.dialogue.turns[-1]

    assert isinstance(answered, Assistant)
    state = read_state(answered.text)
    assert state is not None
    assert state["ferries-cabin"] == "berth"
    assert state["museums-theme"] == "science"


def test_truth_is_yes_and_the_listed_spelling_wins() -> None:
    dialogues = {d.id: d for d in sgd.dialogues(FOLDER)}
    services = sgd.schema(FOLDER)
    free = sgd_states.tracked(dialogues["2_00000"], services, 0).dialogue.turns
    rails = sgd_states.tracked(dialogues["1_00001"], services, 0).dialogue.turns

    assert free[-1] == Assistant(
        '{"museums-town": "Oldmere", "museums-theme": "painting", "museums-free entry": "yes"}'
    )
    assert rails[-1] == Assistant('{"museums-town": "Corrin", "museums-theme": "railways"}')


def test_copies_ask_about_different_turns_and_a_seed_chooses_them() -> None:
    one = [s.id for s in sgd_states.read(MINI, seed=1, copies=2)]

    assert len(one) == len(set(one)) == 16
    assert one == [s.id for s in sgd_states.read(MINI, seed=1, copies=2)]
    assert one != [s.id for s in sgd_states.read(MINI, seed=2, copies=2)]


def test_two_services_of_one_domain_keep_their_numbers() -> None:
    museums = sgd.schema(FOLDER)["Museums_1"]
    names = sgd_states.domain_names({"Museums_1": museums, "Museums_2": museums, "Cars_1": museums})
    assert names == {"Museums_1": "museums_1", "Museums_2": "museums_2", "Cars_1": "cars"}


@pytest.mark.data
@pytest.mark.slow
def test_the_real_archive_has_12174_dialogues_and_33963_calls() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    dialogues = calls = 0
    for dialogue in sgd.dialogues(path):
        dialogues += 1
        calls += sum(f.call is not None for e in dialogue.exchanges for f in e.system.frames)
    assert (len(services), dialogues, calls) == (26, 12_174, 33_963)


@pytest.mark.data
def test_each_of_the_first_real_rows_reads_back_as_a_state_of_its_listed_slots() -> None:
    for sample in islice(sgd_states.read(find("sgd")), 200):
        told, _, answered = sample.dialogue.turns
        assert isinstance(answered, Assistant)
        state = read_state(answered.text)
        assert state is not None
        assert all(f"\n{name}: " in told.text for name in state)
