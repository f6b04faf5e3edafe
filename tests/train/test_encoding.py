"""Samples become ids and labels on disk: exactly what the format says is learned."""

from pathlib import Path

import pytest

from coalm import shards
from coalm.errors import DataError
from coalm.formats import format_of
from coalm.train.rows import encoding
from coalm.train.rows.encoding import IGNORED, EncodedRows, Encoding, encode_split
from coalm.types import Assistant, Dialogue, Sample, ToolCall, User

TALK = Dialogue(
    (User("hi"), Assistant("hello"), User("call"), Assistant(calls=(ToolCall("f", {}),)))
)


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


def _folder(tmp_path: Path, *samples: Sample, batch: int = 2_000) -> Path:
    shards.write_samples(tmp_path / shards.shard_name("train", 0, 1), samples, batch=batch)
    return tmp_path


def _encoded(
    tmp_path: Path,
    *samples: Sample,
    longest: int = 10_000,
    dialect: str = "json",
    rows: bool = False,
    shorten: bool = True,
) -> EncodedRows:
    how = Encoding(None, "chatml", dialect, rows, longest, shorten)
    return encode_split(_folder(tmp_path, *samples), "train", how)


def _columns(found: EncodedRows) -> tuple[list[list[int]], list[list[int]]]:
    data = found.dataset()
    return list(data["input_ids"]), list(data["labels"])


def test_labels_are_the_ids_that_are_learned_and_ignored_elsewhere(tmp_path: Path) -> None:
    found = _encoded(tmp_path, Sample("a", "x", TALK))
    [ids], [labels] = _columns(found)
    kept = [i for i in labels if i != IGNORED]
    assert all(label in (IGNORED, i) for i, label in zip(ids, labels, strict=True))
    end = ids[-2]  # the end marker, before the last line break
    assert bytes(i for i in kept if i < 256) == b'hello[{"name": "f", "arguments": {}}]'
    assert kept.count(end) == 2
    assert (found.rows, found.learned, found.tokens) == (1, len(kept), len(ids))


def test_a_sample_is_written_in_its_own_dialect(tmp_path: Path) -> None:
    own = _columns(_encoded(tmp_path, Sample("a", "x", TALK, dialect="react")))
    assert own != _columns(_encoded(tmp_path, Sample("a", "x", TALK)))
    assert own == _columns(_encoded(tmp_path, Sample("a", "x", TALK), dialect="react"))


def test_a_row_that_is_too_long_is_left_out_whole_and_counted(tmp_path: Path) -> None:
    samples = (Sample("a", "x", TALK), Sample("b", "x", TALK))
    found = _encoded(tmp_path, *samples, longest=20, shorten=False)
    assert (found.rows, found.too_long) == (0, 2)
    assert _encoded(tmp_path, *samples, longest=20).too_long == 4  # answers, then


def test_a_row_without_anything_to_learn_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 'b' has nothing to learn"):
        _encoded(tmp_path, Sample("a", "x", TALK), Sample("b", "x", Dialogue((User("hi"),))))


def test_the_papers_rows_are_one_for_each_assistant_turn(tmp_path: Path) -> None:
    assert _encoded(tmp_path, Sample("a", "x", TALK), rows=True).rows == 2
    assert len(format_of("chatml", "json", rows=True).examples(TALK)) == 2


def test_a_second_time_nothing_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _encoded(tmp_path, Sample("a", "x", TALK))

    def never(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(encoding, "encode_rows", never)
    assert _encoded(tmp_path, Sample("a", "x", TALK)) == first
    with pytest.raises(AssertionError, match="encoded again"):
        _encoded(tmp_path, Sample("a", "x", TALK), longest=9_999)
    with pytest.raises(AssertionError, match="encoded again"):
        _encoded(tmp_path, Sample("a", "x", TALK), Sample("b", "x", TALK))


@pytest.mark.slow
def test_processes_change_nothing_and_a_limit_takes_the_first_rows(tmp_path: Path) -> None:
    talks = [Sample(f"r{n}", "x", TALK.then(User(str(n)), Assistant("ok"))) for n in range(50)]
    folder, how = _folder(tmp_path, *talks, batch=7), Encoding(None, "chatml", "json", False, 999)
    one = encode_split(folder, "train", how, processes=1).path.read_bytes()
    (tmp_path / "cache").rename(tmp_path / "first")
    assert encode_split(folder, "train", how, processes=2).path.read_bytes() == one
    first = encode_split(folder, "train", how, limit=20)
    assert _columns(first)[0] == _columns(encode_split(folder, "train", how))[0][:20]
