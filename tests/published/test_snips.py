"""SNIPS rows as published."""

import json
from collections import Counter
from pathlib import Path

import pytest

from coalm.corpora import snips as corpus
from coalm.errors import DataError
from coalm.formats import Row, format_of
from coalm.formats.rows import Rows
from coalm.published import snips
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Sample


def row(sample: Sample) -> Row:
    fmt = format_of("chatml", sample.dialect)
    assert isinstance(fmt, Rows)
    [found] = fmt.rows(sample.dialogue)
    return found


def folder(root: Path, domain: str, text: str, slots: dict[str, str], encoding: str) -> Found:
    """The original layout with one utterance: what is not a slot stands between the slots."""
    path = root / corpus.UPSTREAM / domain / f"train_{domain}_full.json"
    path.parent.mkdir(parents=True)
    parts = [{"text": text}, *({"text": v, "entity": k} for k, v in slots.items())]
    path.write_bytes(json.dumps({domain: [{"data": parts}]}, ensure_ascii=False).encode(encoding))
    return Found(SOURCES["snips"], root, "mirror")


def test_a_row_holds_the_users_line_and_the_state() -> None:
    first = next(snips.read(Found(SOURCES["snips"], MINIATURE, "miniature")))
    made = row(first)

    assert made.input == "User: put Silver Harbor on my Rainy Evenings playlist"
    label, _, state = made.output.partition(" ")
    assert label == "System:"
    assert json.loads(state) == {
        "domain": "AddToPlaylist",
        "slot_values": {
            "entity_name": "Silver Harbor",
            "playlist_owner": "my",
            "playlist": "Rainy Evenings",
        },
    }


def test_the_instruction_has_role_domains_slots_rule_task_and_one_sample() -> None:
    told = snips.instruction({"Music": ["artist", "album"], "Weather": ["city"]})
    role, domains, slots, rule, task, sample = told.split("\n\n")

    assert "state" in role
    assert "2 domains: Music, Weather." in domains
    assert slots.splitlines()[1:] == ["Music: artist, album", "Weather: city"]
    assert "capture no other slots" in rule
    assert task.startswith("Your task")
    assert sample.startswith("Sample output:\nSystem: {")


def test_a_latin_1_file_of_the_original_layout_gives_the_same_row(tmp_path: Path) -> None:
    slots = {"album": "cançó", "artist": "é"}
    [one] = snips.read(folder(tmp_path / "a", "PlayMusic", "hear ", slots, "latin-1"))
    [two] = snips.read(folder(tmp_path / "b", "PlayMusic", "hear ", slots, "utf-8"))

    assert row(one) == row(two)
    assert row(one).output.endswith('"slot_values": {"album": "cançó", "artist": "é"}}')


def test_a_file_that_only_an_emoji_keeps_from_being_utf_8_is_not_garbled(tmp_path: Path) -> None:
    found = folder(tmp_path, "PlayMusic", "hear ", {"album": "Té *"}, "utf-8")
    [path] = tmp_path.rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"*", b"\xed\xa0\xbc\xed\xbd\x95"))

    [one] = snips.read(found)
    assert row(one).input == "User: hear Té 🍕"


def test_a_slot_filled_twice_keeps_one_value(tmp_path: Path) -> None:
    path = tmp_path / corpus.UPSTREAM / "D" / "train_D_full.json"
    path.parent.mkdir(parents=True)
    parts = [{"text": "a", "entity": "s"}, {"text": " and "}, {"text": "b", "entity": "s"}]
    path.write_text(json.dumps({"D": [{"data": parts}]}))

    [one] = snips.read(Found(SOURCES["snips"], tmp_path, "mirror"))
    assert json.loads(row(one).output.removeprefix("System: "))["slot_values"] == {"s": "b"}


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "snips/dst_split/train.json"
    path.parent.mkdir(parents=True)
    whole = {"dialog_id": "a", "domain": "D", "utterance": "u", "slot_values": {}}
    path.write_text(json.dumps([whole, {"dialog_id": "b"}]))

    with pytest.raises(DataError, match=r"train\.json: record 2: lacks"):
        list(snips.read(Found(SOURCES["snips"], tmp_path, "mirror")))


@pytest.mark.data
def test_the_real_split_gives_13084_rows_of_7_domains_and_53_slots() -> None:
    rows = [row(s) for s in snips.read(find("snips"))]
    [told] = {r.instruction for r in rows}
    slots = told.split("\n\n")[2].splitlines()[1:]

    assert len(rows) == 13_084
    assert len(slots) == 7
    assert sum(line.count(",") + 1 for line in slots) == 53


@pytest.mark.data
def test_the_original_files_give_the_same_rows_for_the_same_utterances(tmp_path: Path) -> None:
    real = find("snips")
    (tmp_path / "snips").mkdir()
    (tmp_path / corpus.UPSTREAM).symlink_to(real.root / corpus.UPSTREAM)
    original = [row(s) for s in snips.read(Found(SOURCES["snips"], tmp_path, "mirror"))]
    split = [row(s) for s in snips.read(real)]

    assert len(original) == 13_784
    assert {r.instruction for r in original} == {r.instruction for r in split}
    # One emoji is missing in the split; in five more it has other blanks than the files.
    assert (Counter(split) - Counter(original)).total() == 6
