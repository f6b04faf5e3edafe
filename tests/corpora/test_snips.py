"""SNIPS as state tracking."""

import json
from pathlib import Path

import pytest

from coalm.corpora import snips
from coalm.corpora.chunks import Chunk
from coalm.corpora.records import Record, parsed
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, System, User

MINI = Found(SOURCES["snips"], MINIATURE, "miniature")


def _found(root: Path) -> Found:
    return Found(SOURCES["snips"], root, "mirror")


def _sound(chunk: Chunk) -> list[Record]:
    return [r for r in parsed(chunk) if isinstance(r, Record)]


def test_a_sample_is_instruction_utterance_and_state() -> None:
    told, said, answered = next(snips.read(MINI)).dialogue.turns

    assert isinstance(told, System)
    assert "PlayMusic: album, artist, genre, music_item" in told.text
    assert said == User("put Silver Harbor on my Rainy Evenings playlist")
    assert isinstance(answered, Assistant)
    assert json.loads(answered.text) == {
        "domain": "AddToPlaylist",
        "slot_values": {
            "entity_name": "Silver Harbor",
            "playlist_owner": "my",
            "playlist": "Rainy Evenings",
        },
    }


def test_the_instruction_lists_the_slots_that_occur_and_no_others() -> None:
    rows = [snips.Utterance("1", "x", "B", {"t": "x"}), snips.Utterance("2", "y", "A", {})]
    assert snips.pairs(rows) == {"A": [], "B": ["t"]}


def test_the_original_layout_is_read_where_the_split_is_missing(tmp_path: Path) -> None:
    for domain, word, encoding in (("GetWeather", "rain", "utf-8"), ("PlayMusic", "é", "latin-1")):
        path = tmp_path / snips.UPSTREAM / domain / f"train_{domain}_full.json"
        path.parent.mkdir(parents=True)
        data = [{"text": "hear "}, {"text": word, "entity": "thing"}, {"text": " now\n"}]
        text = json.dumps({domain: [{"data": data}]}, ensure_ascii=False)
        path.write_bytes(text.encode(encoding))

    weather, music = snips.utterances(_found(tmp_path))
    assert (weather.text, weather.domain, weather.slots) == (
        "hear rain now",
        "GetWeather",
        {"thing": "rain"},
    )
    assert music.slots == {"thing": "é"}


def test_a_record_without_slot_values_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "snips/dst_split/train.json"
    path.parent.mkdir(parents=True)
    whole = {"dialog_id": "a", "domain": "D", "utterance": "u", "slot_values": {}}
    path.write_text(json.dumps([whole, {k: whole[k] for k in ("dialog_id", "domain")}]))

    with pytest.raises(DataError, match=r"train\.json: record 2: lacks"):
        list(snips.read(_found(tmp_path)))


def test_a_folder_without_snips_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no utterances"):
        list(snips.read(_found(tmp_path)))


@pytest.mark.data
def test_the_real_split_has_13084_rows_and_53_pairs() -> None:
    found = find("snips")
    rows = list(snips.read(found))

    assert len(rows) == len({s.id for s in rows}) == 13_084
    assert sum(map(len, snips.pairs(snips.utterances(found)).values())) == 53


@pytest.mark.data
def test_the_original_files_hold_13784_utterances_of_the_same_53_pairs() -> None:
    found = find("snips")
    chunks = list(snips._upstream(found.root / snips.UPSTREAM))
    rows = [snips.utterance(r) for c in chunks if isinstance(c, Chunk) for r in _sound(c)]

    assert len(chunks) == 7
    assert len(rows) == 13_784
    assert sum(map(len, snips.pairs(rows).values())) == 53
