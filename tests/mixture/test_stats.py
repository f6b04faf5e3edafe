"""Numbers of a data folder: counted from its rows, tokens from its manifest or anew."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coalm import shards
from coalm.errors import DataError
from coalm.formats import encode, format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.mixture import stats as counting
from coalm.mixture.stats import Measure, stats
from coalm.types import Assistant, Dialogue, Sample, ToolCall, User
from tests.mixture.folders import BESIDE, CLOCK, EVERY, TALK, TWICE, data_folder

BYTES = Measure("bytes", ByteTokenizer(), "chatml", "json")


def test_turns_calls_thoughts_and_tools_are_counted_by_corpus_and_in_all(tmp_path: Path) -> None:
    found = stats(data_folder(tmp_path / "mix", of=2))

    assert set(found.corpora) == {s.corpus for s in EVERY}
    talk, twice = found.corpora["sgd-cra"], found.corpora["toolace"]
    assert (talk.users, talk.assistants, talk.tools, talk.most_tools) == (2, 3, 2, 2)
    assert (talk.with_calls, talk.with_thoughts, talk.parallel) == (1, 1, 0)
    assert (twice.with_thoughts, twice.parallel) == (0, 1)
    total = found.total
    assert (total.rows, total.with_calls, total.parallel, total.without_calls) == (5, 3, 1, 1)
    assert total.functions == {"find_bus": 2, "clock": 2}
    assert total.dialects == {"react": 1, "verbatim": 1, "": 3}
    assert found.licences["CC-BY-SA-4.0"] == ("sgd-cra",)


def test_groups_are_counted_once_also_across_corpora(tmp_path: Path) -> None:
    other = replace(TALK, id="x", corpus="sgd-dst")
    found = stats(data_folder(tmp_path / "mix", [TALK, other, replace(other, id="y")]))

    assert len(found.corpora["sgd-dst"].groups) == 1
    assert len(found.total.groups) == 1


def test_tokens_come_from_the_manifest_without_a_tokenizer(tmp_path: Path) -> None:
    found = stats(data_folder(tmp_path / "mix"))

    assert found.total.tokens == 1000
    assert found.total.lengths == {128: 5}
    assert found.measured == "tokenizer bytes, as built"
    assert not found.notes


def test_tokens_are_counted_anew_where_asked(tmp_path: Path) -> None:
    found = stats(data_folder(tmp_path / "mix", [TALK, TWICE]), measure=BYTES)
    texts = [
        encode(text, ByteTokenizer())
        for sample in (TALK, TWICE)
        for text in format_of("chatml", sample.dialect or "json").examples(sample.dialogue)
    ]

    assert found.total.tokens == sum(len(t.ids) for t in texts)
    assert found.total.learned == sum(sum(t.learned) for t in texts)
    assert sum(found.total.lengths.values()) == 2


def test_one_split_alone_has_no_tokens_of_the_manifest(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", [TALK], [TWICE, BESIDE])
    found = stats(folder, ("valid",))

    assert found.total.rows == 2
    assert found.total.tokens is None
    assert found.measured == ""


def test_a_manifest_that_does_not_fit_its_shards_is_told(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix")
    shards.write_samples(folder / shards.shard_name("train", 0, 1), EVERY[:3])
    found = stats(folder)

    assert any("says 5 rows and the shards hold 3" in note for note in found.notes)
    assert found.total.rows == 3


def test_rare_names_are_forgotten_rather_than_kept_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "NAMES", 20)
    rows = [
        Sample(
            f"hammer/train/{n}",
            "hammer",
            Dialogue(
                (
                    User("go"),
                    Assistant(calls=(ToolCall(f"masked{n}", {}), ToolCall("clock", {}))),
                ),
                (CLOCK,),
            ),
        )
        for n in range(100)
    ]
    total = stats(data_folder(tmp_path / "mix", rows)).total

    assert len(total.functions) <= 20
    assert total.functions["clock"] == 100
    assert total.functions.total() + total.forgotten == 200


def test_tokens_of_a_corpus_whose_rows_do_not_fit_are_not_made_up(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", [TALK, TWICE])
    shards.write_samples(folder / shards.shard_name("train", 0, 1), [TALK, TALK, TWICE])
    found = stats(folder)

    assert found.corpora["sgd-cra"].tokens is None
    assert found.corpora["toolace"].tokens == 200
    assert found.total.tokens is None
    assert any("sgd-cra: its tokens are not in the manifest" in note for note in found.notes)


@pytest.mark.parametrize("turns", ["{", '{"a": 1}', '["x"]', '[{"text": "no role"}]'])
def test_a_broken_row_is_named_with_its_shard_and_number(turns: str, tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", [TALK])
    row = {"id": "a", "corpus": "c", "group": "", "dialect": "", "turns": turns, "tools": "[]"}
    shards.write_rows(folder / shards.shard_name("train", 0, 1), [row])

    with pytest.raises(DataError, match=r"train-00000-of-00001\.parquet:1: a broken row"):
        stats(folder)


def test_a_missing_shard_and_a_torn_one_are_named(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", of=2)
    torn = folder / shards.shard_name("train", 1, 2)
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(DataError, match="00001-of-00002"):
        stats(folder)
    torn.unlink()
    with pytest.raises(DataError, match=r"lacks train-00001-of-00002\.parquet"):
        stats(folder)


def test_the_numbers_are_json(tmp_path: Path) -> None:
    found = stats(data_folder(tmp_path / "mix"))
    plain = json.loads(json.dumps(found.total.plain(top=1)))

    assert plain["rows"] == 5
    assert plain["within"]["50%"] == 255
    assert len(plain["functions"]) == 1
