"""MultiWOZ's own layout: releases as folders and zips, lists of ids, states out of metadata."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coalm import sources, store
from coalm.bench.multiwoz import upstream
from coalm.bench.multiwoz.turns import TEST, read_turns
from coalm.bench.multiwoz.upstream import dialogues, opened, released
from coalm.bench.multiwoz.upstream_states import spelt, state_of, turns
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found

NOTHING: Mapping[str, Any] = {
    "hotel": {
        "book": {"booked": [], "stay": "", "day": "", "people": ""},
        "semi": {"name": "not mentioned", "area": "", "internet": "", "type": ""},
    },
    "train": {"book": {"booked": [], "people": ""}, "semi": {"leaveAt": "", "arriveBy": ""}},
}


def metadata(**hotel: str) -> dict[str, Any]:
    state = json.loads(json.dumps(NOTHING))
    state["hotel"]["semi"] |= hotel
    return dict(state)


def dialogue(*states: Mapping[str, Any]) -> dict[str, Any]:
    log: list[dict[str, Any]] = []
    for at, state in enumerate(states):
        log.append({"text": f"Asking  {at} .", "metadata": {}})
        log.append({"text": f"Answer {at} .", "metadata": state})
    return {"goal": {"hotel": {"info": {"area": "north"}}, "message": []}, "log": log}


DATA = {
    "SNG0001.json": dialogue(metadata(), metadata(area="north", type="guesthouse")),
    "MUL0002.json": dialogue(metadata(area="south")),
    "PMUL1455.json": dialogue(metadata(area="east")),
    "SNG0003.json": dialogue(metadata(area="west")),
}


def release(folder: Path, endings: str = ".json") -> Path:
    folder.mkdir(parents=True)
    (folder / "data.json").write_text(json.dumps(DATA))
    (folder / f"testListFile{endings}").write_text("SNG0001.json\nPMUL1455.json\n")
    (folder / f"valListFile{endings}").write_text("MUL0002.json\n")
    (folder / "ontology.json").write_text("{}")
    for name in ("restaurant", "hotel", "attraction", "train", "taxi"):
        text = (MINIATURE / f"multiwoz/db/{name}_db.json").read_text()
        (folder / f"{name}_db.json").write_text(text)
    return folder


def packed(folder: Path, target: Path, top: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as file:
        for path in folder.iterdir():
            file.write(path, f"{top}{path.name}")
        file.writestr("__MACOSX/._data.json", "not this")
    return target


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Found:
    release(tmp_path / "mirror" / "MULTIWOZ2.4")
    monkeypatch.setenv("COALM_DATA", str(tmp_path / "mirror"))
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COALM_OFFLINE", "1")
    return sources.find("multiwoz")


def test_a_release_in_the_mirror_is_the_source(found: Found) -> None:
    assert found.real
    assert found.path(TEST).name == "data.json"
    assert [d.id for d in dialogues(found, "test")] == ["sng0001", "pmul1455"]
    assert [d.name for d in dialogues(found, "val")] == ["MUL0002"]
    assert [d.id for d in dialogues(found, "train")] == ["sng0003"]


def test_a_dialogue_is_given_as_it_was_published(found: Found) -> None:
    first = next(dialogues(found, "test"))
    assert first.goal == DATA["SNG0001.json"]["goal"]
    assert list(first.log) == DATA["SNG0001.json"]["log"]


def test_a_release_may_lie_in_a_data_folder_under_its_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(tmp_path / "m/data/mwz2.4")
    monkeypatch.setenv("COALM_DATA", str(tmp_path / "m"))
    assert [d.id for d in dialogues(sources.find("multiwoz"), "train")] == ["sng0003"]


def test_the_check_of_a_release_asks_for_no_checksums(found: Found) -> None:
    assert all(one.sound for one in sources.check(found.source))


def test_the_turns_of_a_release_are_those_of_state_tracking(found: Found) -> None:
    one, two = read_turns(found.path(TEST))  # PMUL1455 is left out
    assert (one.dialogue, one.turn, one.history, one.state) == (
        *("SNG0001", 0, (("", "asking 0 ."),)),
        {},
    )
    assert two.history[1] == ("answer 0 .", "asking 1 .")
    assert two.state == {"hotel-area": "north", "hotel-type": "guest house"}


@pytest.mark.parametrize("place", ["", "data/", "multiwoz/"])
def test_a_zipped_release_is_found_where_authors_and_downloads_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    packed(release(tmp_path / "plain"), tmp_path / f"m/{place}MULTIWOZ2.4.zip", "MULTIWOZ2.4/")
    monkeypatch.setenv("COALM_DATA", str(tmp_path / "m"))
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    assert [d.id for d in dialogues(sources.find("multiwoz"), "val")] == ["mul0002"]


@pytest.mark.parametrize("endings", [".json", ".txt"])
@pytest.mark.parametrize("top", ["", "MULTIWOZ2.4/", "data/mwz2.4/"])
def test_a_release_may_have_folders_at_its_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endings: str, top: str
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    file = packed(release(tmp_path / "plain", endings), tmp_path / "any.zip", top)
    assert [d.id for d in released(opened(file), "val")] == ["mul0002"]


def test_a_list_of_ids_may_be_json(tmp_path: Path) -> None:
    folder = release(tmp_path / "r")
    (folder / "valListFile.json").write_text('["sng0003.json"]')
    assert [d.id for d in released(folder, "val")] == ["sng0003"]


def test_a_release_by_another_version_s_name_has_no_states_of_2_4(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is MultiWOZ 2\.1 by its name"):
        list(turns(release(tmp_path / "MULTIWOZ2.1")))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"A": {"goal": {}, "log": [{"te', "not readable as JSON"),
        ('{"A": {"goal": {}, "log": []}', "cut off or broken"),
        ("[1, 2]", "not an object"),
        ('{"A": {"goal": {}}}', "A is not a MultiWOZ dialogue: KeyError"),
        ('{"A": {"goal": {}, "log": [{}]}}', "A is not a MultiWOZ dialogue"),
        ('{"A": {"goal": [], "log": []}}', "no goal or no text"),
        ('{"A": {"goal": {}, "log": []}, "a.json": {"goal": {}, "log": []}}', "there twice"),
        ("{1: 2}", "not readable as JSON"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "multiwoz/mwz21/test.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DataError, match=why) as caught:
        list(dialogues(Found(SOURCES["multiwoz"], tmp_path, "mirror"), "test"))
    assert "test.json" in str(caught.value)


def test_a_torn_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "multiwoz/mwz21/test.json.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("test.json", json.dumps(DATA))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"test\.json\.zip: not readable"):
        list(dialogues(Found(SOURCES["multiwoz"], tmp_path, "mirror"), "test"))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    nothing = Found(SOURCES["multiwoz"], tmp_path, "mirror")
    with pytest.raises(DataError, match=r"mwz21/val\.json is not there; set COALM_DATA"):
        list(dialogues(nothing, "val"))
    with pytest.raises(DataError, match="no train dialogues"):
        list(dialogues(nothing, "train"))
    folder = release(tmp_path / "r")
    (folder / "testListFile.json").unlink()
    with pytest.raises(DataError, match="no list of test ids"):
        list(released(folder, "train"))
    with pytest.raises(DataError, match=r"holds no data\.json"):
        opened(MINIATURE / "multiwoz" / "db")


def test_a_list_that_names_more_than_there_is_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "r")
    (folder / "testListFile.json").write_text("SNG0001.json\nSNG9999.json\n")
    with pytest.raises(DataError, match="holds 1 of the 2 dialogues"):
        list(released(folder, "test"))


@pytest.mark.parametrize(
    ("slot", "raw", "value"),
    [
        ("hotel-name", "alpha-milton guest house", "alpha milton guest house"),
        ("hotel-name", "city centre north b and b", "city centre north bed and breakfast"),
        ("hotel-name", "NOT(hamilton lodge)", "nothamilton lodge"),
        ("hotel-type", "guesthouse", "guest house"),
        ("hotel-internet", "free", "yes"),
        ("attraction-type", "night club", "nightclub"),
        ("restaurant-name", "restaurant one seven", "restaurant 17"),
        ("restaurant-name", "restaurant two two", "restaurant 2 two"),
        ("hotel-area", "do n't care", "dontcare"),
        ("train-leaveat", "09:15", "09:15"),
    ],
)
def test_values_are_spelt_as_state_tracking_spells_them(slot: str, raw: str, value: str) -> None:
    assert spelt(slot, raw) == value


@pytest.mark.parametrize("raw", ["north>south", "north|south", ["north", "south"]])
def test_alternatives_are_joined_by_a_bar(raw: Any) -> None:
    assert state_of(metadata(area=raw)) == {"hotel-area": "north|south"}


def test_the_miniature_has_goals() -> None:
    small = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
    assert upstream.release(small) is None
    assert [d.id for d in dialogues(small, "test")][:2] == ["mini0001", "mini0002"]


@pytest.mark.data
def test_the_metadata_of_the_real_2_1_dialogues_gives_the_published_states() -> None:
    found = sources.find("multiwoz")
    raw = {d.name: d for d in dialogues(found, "test")}
    assert len(raw) == 1000
    same = total = 0
    for _, row in store.read_jsonl(found.path(TEST)):
        for turn in row["turns"]:
            entry = raw[row["dialogue_id"]].log[2 * turn["turn_idx"] + 1]
            same += state_of(entry["metadata"]) == turn["state_21"]
            total += 1
    assert (same, total) == (7368, 7368)
