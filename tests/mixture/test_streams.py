"""Building in streams: processes, shards, broken records, near-duplicates, what is left out."""

from pathlib import Path
from typing import Any

import pytest

from coalm import shards, store
from coalm.errors import DataError
from coalm.mixture import CORPORA, DataSettings, Part, build
from coalm.types import Assistant, Dialogue, Sample, User

EVERY = tuple(Part(corpus=name) for name in CORPORA if name != "own")
WORDS = " ".join(f"word{n}" for n in range(60))


@pytest.fixture(autouse=True)
def _miniature(miniature: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


def _settings(*parts: Part, **others: Any) -> DataSettings:
    return DataSettings(parts=parts, **{"tokenizer": "bytes", "longest": 50_000, **others})


def _own(tmp_path: Path, *rows: Sample | str, name: str = "own.jsonl") -> Part:
    path = tmp_path / name
    lines = [r if isinstance(r, str) else store.compact(store.dump_sample(r)) for r in rows]
    path.write_text("".join(line + "\n" for line in lines))
    return Part(corpus="own", path=str(path))


def _talk(name: str, words: str = "", group: str = "") -> Sample:
    said = Dialogue((User(words or f"question {name}"), Assistant("answer")))
    return Sample(name, "own", said, group)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def _left_out(folder: Path) -> list[dict[str, Any]]:
    return [row for _, row in store.read_jsonl(folder / "left_out.jsonl")]


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    settings = _settings(*EVERY, near_duplicates=0.8, shard_rows=40)
    build(settings, tmp_path / "one", processes=1)
    build(settings, tmp_path / "three", processes=3)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "three")


def test_a_split_is_cut_into_shards_that_datasets_finds(tmp_path: Path) -> None:
    part = _own(tmp_path, *(_talk(str(n)) for n in range(100)))
    made = build(_settings(part, shard_rows=30, valid_share=0.1), tmp_path / "mix")
    names = [p.name for p in shards.shards(tmp_path / "mix", "train")]
    assert names == [shards.shard_name("train", n, 3) for n in range(3)]
    assert set(made.files) == {*names, shards.shard_name("valid", 0, 1)}
    rows = [s.id for split in shards.SPLITS for s in shards.read_split(tmp_path / "mix", split)]
    assert sorted(rows) == sorted(str(n) for n in range(100))
    assert rows != sorted(rows)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    part = _own(tmp_path, *(_talk(str(n)) for n in range(100)))
    build(_settings(part, shard_rows=30), tmp_path / "mix")
    (tmp_path / "mix" / shards.shard_name("train", 1, 4)).unlink()
    with pytest.raises(DataError, match="lacks train-00001-of-00004"):
        shards.shards(tmp_path / "mix", "train")


def test_broken_records_are_listed_up_to_max_errors(tmp_path: Path) -> None:
    part = _own(tmp_path, _talk("a"), "{", _talk("b"), '{"id": "c"}', _talk("d"))
    made = build(_settings(part, max_errors=2), tmp_path / "mix")
    assert made.train + made.valid == 3
    listed = [row for _, row in store.read_jsonl(tmp_path / "mix" / "errors.jsonl")]
    places = [row["place"].rpartition("/")[2] for row in listed]
    assert places == ["own.jsonl:2", "own.jsonl:4"]

    with pytest.raises(DataError, match=r"own\.jsonl:4.*2 errors; max_errors is 1"):
        build(_settings(part, max_errors=1), tmp_path / "less")
    with pytest.raises(DataError, match=r"own\.jsonl:2"):
        build(_settings(part), tmp_path / "none")
    assert not (tmp_path / "less").exists()
    assert not (tmp_path / "none").exists()


def test_errors_are_counted_once_however_often_a_part_is_read(tmp_path: Path) -> None:
    """So few of the rows fit that the part is looked at in several rounds."""
    rows = [_talk(str(n), "x" * (500 if n % 50 else 5)) for n in range(3_000)]
    part = _own(tmp_path, "{", *rows)
    wanted = Part(corpus="own", path=part.path, rows=40, longest=200)
    made = build(_settings(wanted, max_errors=1), tmp_path / "mix")
    assert made.train + made.valid == 1  # the short ones say the same
    assert len(list(store.read_jsonl(tmp_path / "mix" / "errors.jsonl"))) == 1


def test_rows_that_are_left_out_are_listed_with_reason_evidence_and_place(tmp_path: Path) -> None:
    almost = WORDS.replace("word30 ", "other ")
    rows = [_talk("a", WORDS), _talk("b", WORDS), _talk("c", almost), _talk("d", "x " * 900)]
    part = _own(tmp_path, *rows, _talk("e"), _talk("e", "another question"))
    settings = _settings(part, near_duplicates=0.7, longest=1_000, decontaminate_ngram=13)
    made = build(settings, tmp_path / "mix", held_out={"exam": ["question e", "never said so"]})
    listed = {row["reason"]: row for row in _left_out(tmp_path / "mix")}

    assert set(listed) == {
        "the same as another row",
        "almost the same as another row",
        "the id of another row",
        "too long",
    }
    same, almost_same = (listed[f"{how} same as another row"] for how in ("the", "almost the"))
    assert {same["id"], same["evidence"]} == {"a", "b"}
    assert {almost_same["id"], almost_same["evidence"].partition(",")[0]} == {"c", same["evidence"]}
    assert "similarity 0." in almost_same["evidence"]
    assert listed["too long"]["evidence"] == "1827 tokens"
    assert listed["too long"]["place"].endswith("own.jsonl:4")
    assert made.parts[0].dropped == dict.fromkeys(sorted(listed), 1)
    assert made.left_out == "left_out.jsonl"


def test_words_of_a_benchmark_are_the_evidence(tmp_path: Path) -> None:
    part = _own(tmp_path, _talk("a", f"well {WORDS} indeed"), _talk("b"))
    build(_settings(part), tmp_path / "mix", held_out={"exam": [WORDS]})
    [row] = _left_out(tmp_path / "mix")
    assert row["reason"] == "repeats exam"
    assert row["evidence"] == " ".join(WORDS.split()[:13])


def test_variants_of_one_dialogue_are_no_near_duplicates(tmp_path: Path) -> None:
    almost = WORDS.replace("word30 ", "other ")
    part = _own(tmp_path, _talk("a", WORDS, "g"), _talk("b", almost, "g"))
    made = build(_settings(part, near_duplicates=0.7, valid_share=0.0), tmp_path / "mix")
    assert made.train == 2


def test_a_near_duplicate_in_a_later_part_goes(tmp_path: Path) -> None:
    almost = WORDS.replace("word30 ", "other ")
    one = _own(tmp_path, _talk("a", WORDS), name="one.jsonl")
    two = _own(tmp_path, _talk("b", almost), _talk("c"), name="two.jsonl")
    made = build(_settings(one, two, near_duplicates=0.7), tmp_path / "mix")
    assert [p.kept for p in made.parts] == [1, 1]


def test_a_row_may_come_in_several_dialects_in_one_group(tmp_path: Path) -> None:
    part = Part(corpus="hammer", dialect="json, hermes, pythonic", dialects_each=2)
    build(_settings(part), tmp_path / "mix")
    rows = [s for split in shards.SPLITS for s in shards.read_split(tmp_path / "mix", split)]
    by_group: dict[str, set[str]] = {}
    for sample in rows:
        by_group.setdefault(sample.group, set()).add(sample.dialect)
    assert rows
    assert len({s.id for s in rows}) == len(rows)
    assert {len(found) for found in by_group.values()} == {2}


def test_own_rows_may_come_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    shards.write_samples(path, [_talk(str(n)) for n in range(5)])
    made = build(_settings(Part(corpus="own", path=str(path))), tmp_path / "mix")
    assert made.train + made.valid == 5


@pytest.mark.slow
@pytest.mark.data
def test_snips_is_complete_and_two_processes_build_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COALM_DATA")
    settings = _settings(Part(corpus="snips"), valid_share=0.0)
    made = build(settings, tmp_path / "one")
    assert made.train == 12_932
    assert made.parts[0].dropped == {"the same as another row": 152}
    build(settings, tmp_path / "two", processes=2)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
