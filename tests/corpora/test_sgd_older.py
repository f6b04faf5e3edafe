"""SGD's annotation of 2019: read as far as it goes, and named where it is broken."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from coalm.corpora import sgd, sgd_older
from coalm.corpora.chunks import Fault
from coalm.corpora.records import Record
from coalm.corpora.sgd_states import tracked
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant

SERVICES = sgd.schema(Found(SOURCES["sgd"], MINIATURE, "miniature").path(sgd.ARCHIVE))
OLD = {
    "dialogue_id": "9_00001",
    "services": ["Museums_1"],
    "turns": [
        {
            "speaker": "USER",
            "utterance": "A museum in Corrin, please.",
            "frames": [
                {
                    "service": "Museums_1",
                    "slots": [{"slot": "town", "start": 12, "exclusive_end": 18}],
                    "state": {
                        "active_intent": "FindMuseum",
                        "requested_slots": [],
                        "slot_values": {"town": ["Corrin"]},
                    },
                }
            ],
        },
        {
            "speaker": "SYSTEM",
            "utterance": "What should it show?",
            "frames": [
                {
                    "service": "Museums_1",
                    "slots": [],
                    "actions": [{"act": "REQUEST", "slot": "theme", "values": ["ships"]}],
                }
            ],
        },
    ],
}


def archive(folder: Path, rows: object, name: str = "train_2019/dialogues_001.json") -> Path:
    """An archive as the source has it, with one file inside."""
    inside = folder / "file.json"
    inside.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    path = folder / "older.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        made.add(inside, name)
    return path


def test_a_dialogue_without_user_acts_and_calls_still_has_its_state(tmp_path: Path) -> None:
    [dialogue] = sgd_older.dialogues(archive(tmp_path, [OLD]))

    assert dialogue.exchanges[0].system.frames[0].acts[0].canonical == ("ships",)
    assert tracked(dialogue, SERVICES, 0).dialogue.turns[-1] == Assistant(
        '{"museum-town": "Corrin"}'
    )
    assert sgd_older.misfit(dialogue, SERVICES) == ""


def test_the_development_set_is_not_trained_on(tmp_path: Path) -> None:
    path = archive(tmp_path, [OLD], "dev_2019/dialogues_001.json")
    [fault] = sgd_older.chunks(path)
    assert isinstance(fault, Fault)
    assert "no train_2019/*.json inside" in fault.why


def test_a_broken_dialogue_is_named_with_its_number(tmp_path: Path) -> None:
    path = archive(tmp_path, [OLD, {**OLD, "turns": OLD["turns"][:1]}])
    with pytest.raises(DataError, match=r"dialogues_001\.json: dialogue 2: user and system"):
        list(sgd_older.dialogues(path))


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path, [OLD])
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="not readable as an archive"):
        list(sgd_older.dialogues(path))


def test_what_the_schema_does_not_have_is_told() -> None:
    [dialogue] = [sgd_older.upgraded(Record("x", 1, OLD))]
    [frame] = dialogue.exchanges[0].user.frames
    user = replace(dialogue.exchanges[0].user, frames=(replace(frame, state={"colour": ("red",)}),))
    other = replace(dialogue, exchanges=(replace(dialogue.exchanges[0], user=user),))

    assert sgd_older.misfit(other, SERVICES) == "a slot that the schema does not have"
    assert sgd_older.misfit(dialogue, {}) == "a service that the schema does not have"
