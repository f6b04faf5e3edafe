"""Values on disk: what is written is read back, whole or not at all."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings

from coalm import shards, store
from coalm.errors import DataError
from coalm.types import Assistant, Dialogue, Observation, Sample, System, ToolCall, User, identical
from tests.formats.dialogues import dialogues, tool

TALK = Dialogue(
    (
        System("s"),
        User(""),
        Assistant("", "hm", (ToolCall("f", {"a": [1, 1.0, True, None, {"b": "é"}]}),)),
        Observation("", "f"),
        Assistant("ok"),
    ),
    (tool,),
)


def sample(dialogue: Dialogue = TALK, name: str = "x/1") -> Sample:
    return Sample(name, "x", dialogue, "g", "react")


@given(d=dialogues())
@settings(max_examples=50)
def test_a_sample_comes_back_as_it_went(d: Dialogue) -> None:
    row = json.loads(json.dumps(store.dump_sample(sample(d))))
    assert identical(store.load_sample(row), sample(d))


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl"])
def test_files_of_samples_come_back_in_order(tmp_path: Path, name: str) -> None:
    samples = [sample(name=f"x/{i}") for i in range(2500)]
    path = tmp_path / name
    if path.suffix == ".parquet":
        assert shards.write_samples(path, samples) == 2500
    else:
        store.append(path, map(store.dump_sample, samples))
    assert list(shards.read_samples(path)) == samples


def test_a_broken_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "turns": []}\n{"id": \n')
    with pytest.raises(DataError, match=r"rows\.jsonl:2: not a JSON object"):
        list(shards.read_samples(path))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"turns": []}', "lacks the column 'id'"),
        ('{"id": "a", "turns": [{"role": "usr", "text": "x"}]}', "turn 0"),
        ('{"id": "a", "turns": "[}"}', "row 'a'"),
        ('{"id": "a", "turns": [], "tools": [{"name": "f"}]}', "tool 0"),
    ],
)
def test_a_row_that_is_no_sample_is_named(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(row + "\n")
    with pytest.raises(DataError, match=said) as error:
        list(shards.read_samples(path))
    assert f"{path}:1" in str(error.value)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"rows\.parquet: not a readable parquet"):
        list(shards.read_samples(path))


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "a", "turns": []}\n' * 99)[:-20])
    with pytest.raises(DataError, match=r"rows\.jsonl\.gz"):
        list(shards.read_samples(path))


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    _write_half(path)
    assert not list(path.parent.iterdir())
    store.write_text(path, "whole")
    assert path.read_text() == "whole"


def _write_half(path: Path) -> None:
    with suppress(RuntimeError), store.atomic(path) as file:
        file.write("half")
        raise RuntimeError


def test_the_torn_last_line_of_a_log_is_dropped_and_the_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    store.append(path, [{"n": 1}, {"n": 2}])
    with path.open("a") as file:
        file.write('{"n": ')
    assert store.read_log(path) == [{"n": 1}, {"n": 2}]
    store.append(path, [{"n": 3}])
    assert [row["n"] for row in store.read_log(path)] == [1, 2, 3]


def test_a_log_broken_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"n": 1}\nbroken\n{"n": 2}\n')
    with pytest.raises(DataError, match="broken"):
        store.read_log(path)


def test_a_hash_changes_with_the_value_and_not_with_the_order_of_keys() -> None:
    assert store.content_hash({"a": 1, "b": 2}) == store.content_hash({"b": 2, "a": 1})
    assert store.content_hash({"a": 1}) != store.content_hash({"a": 2})
