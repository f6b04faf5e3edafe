"""Two data folders held against each other: settings, sources, every row's fate."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coalm.errors import DataError
from coalm.mixture.diff import FATES, _Fates, _Row, difference
from coalm.mixture.manifest import write
from coalm.types import Assistant, Sample
from tests.mixture.folders import BESIDE, EVERY, NOTHING, TALK, TWICE, data_folder, manifest, part


def changed(sample: Sample) -> Sample:
    return replace(sample, dialogue=sample.dialogue.then(Assistant("And goodbye.")))


def test_a_folder_equals_itself_however_it_is_sharded(tmp_path: Path) -> None:
    one, two = data_folder(tmp_path / "one"), data_folder(tmp_path / "two", of=3)
    found = difference(one, two)

    assert found.equal
    assert sum(fates["same"] for fates in found.rows.values()) == len(EVERY)
    assert not found.settings
    assert not found.sources


def test_each_row_has_its_fate(tmp_path: Path) -> None:
    one = data_folder(tmp_path / "one", [TALK, TWICE, NOTHING], [])
    two = data_folder(tmp_path / "two", [changed(TALK), BESIDE], [TWICE])
    found = difference(one, two, examples=3)

    fates = {corpus: Counter(told) for corpus, told in found.rows.items()}
    assert +fates["sgd-cra"] == {"changed": 1}
    assert +fates["toolace"] == {"moved": 1}
    assert +fates["hammer"] == {"only in A": 1}
    assert +fates["glaive"] == {"only in B": 1}
    assert not found.equal
    assert {(e.id, e.fate, e.columns) for e in found.examples} == {
        (TALK.id, "changed", ("turns",)),
        (TWICE.id, "moved", ()),
        (NOTHING.id, "only in A", ()),
        (BESIDE.id, "only in B", ()),
    }


def test_so_many_examples_are_named_and_no_more(tmp_path: Path) -> None:
    many = [replace(TALK, id=str(n)) for n in range(9)]
    one, two = data_folder(tmp_path / "one", [TWICE]), data_folder(tmp_path / "two", many)
    assert len([e for e in difference(one, two, examples=2).examples if e.fate == "only in B"]) == 2


def test_settings_are_matched_by_corpus_and_a_lone_part_is_one_difference(tmp_path: Path) -> None:
    one, two = data_folder(tmp_path / "one", [TALK]), data_folder(tmp_path / "two", [TALK])
    for folder, parts in (
        (one, [{"corpus": "snips", "rows": 5, "copies": 1}, {"corpus": "glaive", "rows": None}]),
        (two, [{"corpus": "glaive", "rows": 7}]),
    ):
        recipe = {"parts": parts, "tokenizer": "bytes", "layout": "chatml", "out": folder.name}
        write(folder, manifest(folder, [TALK], [], recipe=recipe))
    found = {s.name: (s.one, s.other) for s in difference(one, two).settings}

    assert found == {"parts.snips": ("there", None), "parts.glaive.rows": (None, 7)}


def test_sources_of_other_contents_are_named(tmp_path: Path) -> None:
    one = data_folder(tmp_path / "one", [TALK])
    other = part("sgd-cra", 1, files={"sgd-cra.json": "1" * 64, "b": "2"}, origin="download")
    two = data_folder(tmp_path / "two", [TALK], parts=(other,))

    assert difference(one, two).sources == (
        "sgd-cra: mirror in A, download in B",
        "sgd-cra: b was read for B only",
        "sgd-cra: sgd-cra.json has other contents",
    )


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    one = data_folder(tmp_path / "one")
    with pytest.raises(DataError, match=r"nowhere has no manifest\.json"):
        difference(one, tmp_path / "nowhere")


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=12)


@given(rows, rows)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_row_of_both_folders_has_exactly_one_fate(
    one: list[tuple[int, int, bool]], two: list[tuple[int, int, bool]]
) -> None:
    fates = _Fates()
    for key, content, side in one:
        fates.first(_Row(key, content << 1 | side, "c", {}))
    for key, content, side in two:
        fates.second(_Row(key, content << 1 | side, "c", {}))
    found = Counter(fates.counted().get("c", dict.fromkeys(FATES, 0)))

    both = found["same"] + found["moved"] + found["changed"]
    assert both + found["only in A"] == len(one)
    assert both + found["only in B"] == len(two)
    assert found["same"] <= (Counter(one) & Counter(two)).total()
    if Counter(one) == Counter(two):
        assert found["same"] + found["moved"] == len(one)
