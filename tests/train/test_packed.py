"""Packed rows on disk hold the encoded rows, whole, in order, with their lengths."""

from pathlib import Path

import pytest

from coalm import shards
from coalm.train.rows import packed
from coalm.train.rows.encoding import IGNORED, EncodedRows, Encoding, encode_split
from coalm.train.rows.packed import Counts, PackedRows, pack_split
from coalm.types import Assistant, Dialogue, Sample, User


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


def encoded(tmp_path: Path, rows: int = 40) -> EncodedRows:
    samples = [
        Sample(f"r{n}", "x", Dialogue((User("hi " * n), Assistant("ok " * (n % 7 + 1)))))
        for n in range(rows)
    ]
    shards.write_samples(tmp_path / shards.shard_name("train", 0, 1), samples, batch=7)
    how = Encoding(None, "chatml", "json", False, 10_000)
    return encode_split(tmp_path, "train", how, processes=1)


def apart(found: PackedRows) -> list[tuple[list[int], list[int]]]:
    """The rows as they were before they were packed."""
    rows = []
    for row in found.dataset():
        start = 0
        for length in row["seq_lengths"]:
            end = start + length
            rows.append((row["input_ids"][start:end], row["labels"][start:end]))
            start = end
        assert start == len(row["input_ids"]) == len(row["labels"])
        assert start <= found.capacity
    return rows


def whole(rows: EncodedRows) -> list[tuple[list[int], list[int]]]:
    return [(row["input_ids"], row["labels"]) for row in rows.dataset()]


@pytest.mark.parametrize("window", [1, 900, 10**9], ids=["row groups", "some", "all at once"])
def test_every_row_is_there_once_with_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(packed, "WINDOW", window)
    monkeypatch.setattr(packed, "WRITTEN", 3)
    rows = encoded(tmp_path)
    found = pack_split(rows, 300)
    assert sorted(apart(found)) == sorted(whole(rows))
    assert found.counts == Counts(
        len(found.dataset()), rows.rows, rows.tokens, rows.learned, too_long=0
    )
    assert found.waste == 1 - rows.tokens / (found.counts.rows * 300)


def test_the_window_is_all_that_is_held_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = encoded(tmp_path)
    monkeypatch.setattr(packed, "WINDOW", 900)
    sizes = [window.num_rows for window in packed._windows(rows.path)]
    assert sum(sizes) == rows.rows
    assert len(sizes) > 2


def test_a_row_longer_than_a_packed_row_is_left_out_whole_and_counted(tmp_path: Path) -> None:
    rows = encoded(tmp_path)
    found = pack_split(rows, 100)
    short = [row for row in whole(rows) if len(row[0]) <= 100]
    assert sorted(apart(found)) == sorted(short)
    assert found.counts.too_long == rows.rows - len(short) > 0
    assert found.counts.learned == sum(label != IGNORED for _, labels in short for label in labels)


def test_nothing_to_pack_is_no_rows_and_no_waste(tmp_path: Path) -> None:
    found = pack_split(encoded(tmp_path), 1)
    assert (found.counts.rows, found.counts.too_long, found.waste) == (0, 40, 0.0)


def test_a_second_time_nothing_is_packed_and_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = encoded(tmp_path)
    first = pack_split(rows, 300)
    before = first.path.read_bytes()
    first.path.unlink()
    assert pack_split(rows, 300) == first
    assert first.path.read_bytes() == before

    def never(*_: object) -> None:
        raise AssertionError("packed again")

    monkeypatch.setattr(packed, "_pack", never)
    assert pack_split(rows, 300) == first
    with pytest.raises(AssertionError, match="packed again"):
        pack_split(rows, 301)


def test_packing_that_is_stopped_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = encoded(tmp_path)
    before = sorted(rows.path.parent.iterdir())

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packed, "_side_by_side", stopped)
    with pytest.raises(KeyboardInterrupt):
        pack_split(rows, 300)
    assert sorted(rows.path.parent.iterdir()) == before


@pytest.mark.slow
def test_trls_collator_lets_positions_begin_anew_with_each_row(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from coalm.train.rows.packing import positions

    rows = pack_split(encoded(tmp_path), 300).dataset()
    batch = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)([rows[0], rows[1]])
    expected = positions(rows[0]["seq_lengths"] + rows[1]["seq_lengths"])
    assert batch["position_ids"].flatten().tolist() == expected.tolist()
