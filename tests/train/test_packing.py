"""Packing: no row cut or lost, as few bins as plain best fit finds, the same ones each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.train.rows.packing import Bins, pack, positions

lengths = st.lists(st.integers(0, 40), max_size=60)
capacities = st.integers(1, 32)


def contents(bins: Bins) -> list[list[int]]:
    return [bins.rows[a:b].tolist() for a, b in zip(bins.ends, bins.ends[1:], strict=False)]


def plainly(sizes: list[int], capacity: int) -> list[int]:
    """Best fit, longest first, by looking at every bin: how full each becomes."""
    full: list[int] = []
    for size in sorted(sizes, reverse=True):
        fits = [n for n, used in enumerate(full) if used + size <= capacity]
        if fits:
            full[max(fits, key=lambda n: full[n])] += size
        else:
            full.append(size)
    return sorted(full)


@given(lengths, capacities)
def test_each_row_that_fits_is_in_one_bin_and_no_bin_is_too_full(
    sizes: list[int], capacity: int
) -> None:
    bins = pack(sizes, capacity)
    assert sorted(bins.rows) == [n for n, size in enumerate(sizes) if 0 < size <= capacity]
    assert bins.too_long == sum(size > capacity for size in sizes)
    for rows in contents(bins):
        assert 0 < sum(sizes[row] for row in rows) <= capacity


@given(lengths, capacities)
def test_bins_are_filled_as_by_looking_at_every_one_of_them(
    sizes: list[int], capacity: int
) -> None:
    fitting = [size for size in sizes if 0 < size <= capacity]
    filled = [sum(sizes[row] for row in rows) for rows in contents(pack(sizes, capacity))]
    assert sorted(filled) == plainly(fitting, capacity)


@given(lengths, capacities)
def test_rows_keep_their_order_and_bins_that_of_their_first_rows(
    sizes: list[int], capacity: int
) -> None:
    found = contents(pack(sizes, capacity))
    assert all(rows == sorted(rows) for rows in found)
    assert found == sorted(found)


def test_a_row_takes_the_bin_that_it_leaves_the_least_space_in() -> None:
    assert contents(pack([3, 9, 7, 1, 5], 10)) == [[0, 2], [1, 3], [4]]


def test_positions_begin_anew_with_each_row() -> None:
    assert positions([3, 1, 2]).tolist() == [0, 1, 2, 0, 0, 1]
    assert positions([]).tolist() == []


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=10)
def test_a_hundred_thousand_rows_waste_under_a_thousandth(seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(20, 2_000, 100_000)
    assert sizes.sum() / (len(pack(sizes, 4_096)) * 4_096) > 0.999


@pytest.mark.slow
def test_trl_packs_the_same_rows_together() -> None:
    pa = pytest.importorskip("pyarrow")
    datasets = pytest.importorskip("datasets")
    trl = pytest.importorskip("trl")
    sizes = np.random.default_rng(7).integers(1, 300, 900)
    ends = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    column = pa.ListArray.from_arrays(ends, pa.array(np.zeros(int(sizes.sum())), pa.int32()))
    rows = datasets.Dataset(pa.table({"input_ids": column}))
    theirs = trl.pack_dataset(rows, 512, "bfd")["seq_lengths"]
    ours = [[int(sizes[row]) for row in bin_] for bin_ in contents(pack(sizes, 512))]
    assert sorted(map(sorted, ours)) == sorted(map(sorted, theirs))
