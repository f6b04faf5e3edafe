"""SGD as frozen values."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from coalm.corpora import sgd
from coalm.errors import DataError
from coalm.sources import MINIATURE, find

FOLDER = MINIATURE / "sgd/train"


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
