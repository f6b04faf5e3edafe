"""Rows are dealt out evenly, and one step takes the same ones however many processes share it."""

import pytest

from coalm.train.rows.even import Filled, LongestFirst, with_blank
from coalm.train.rows.order import Order


def dealt(rows: int, batch: int, accumulate: int, processes: int) -> list[set[int]]:
    """The rows of each step, as accelerate deals a sampler's batches out."""
    from accelerate.data_loader import BatchSamplerShard  # type: ignore[import-untyped, unused-ignore]
    from torch.utils.data import BatchSampler

    lengths = [(37 * n) % 101 for n in range(rows)]
    order = Order(lengths, together=batch * accumulate * processes, seed=1, epoch=lambda: 0)
    filled = Filled(order, batch * processes)
    batches = BatchSampler(filled, batch, drop_last=False)  # type: ignore[arg-type, unused-ignore]
    shares = [list(BatchSamplerShard(batches, processes, rank)) for rank in range(processes)]
    assert len({len(share) for share in shares}) == 1
    steps = range(0, len(shares[0]), accumulate)
    return [
        {n for share in shares for some in share[at : at + accumulate] for n in some} - {rows}
        for at in steps
    ]


@pytest.mark.parametrize("rows", [8, 21, 40, 43, 64])
def test_a_step_takes_the_same_rows_in_any_number_of_processes(rows: int) -> None:
    alone = dealt(rows, 2, 4, 1)
    assert set.union(*alone) == set(range(rows))
    assert dealt(rows, 2, 2, 2) == alone
    assert dealt(rows, 2, 1, 4) == alone
    assert dealt(rows, 1, 2, 4) == alone


def test_no_row_comes_twice() -> None:
    filled = Filled(LongestFirst([3, 9, 5]), 4)
    assert list(filled) == [1, 2, 0, 3]
    assert len(filled) == 4
    assert list(Filled(LongestFirst([3, 9, 5, 1]), 4)) == [1, 2, 0, 3]


def test_the_blank_row_teaches_nothing() -> None:
    from datasets import Dataset, Features, List, Value

    kind = Features({name: List(Value("int32")) for name in ("input_ids", "labels", "seq_lengths")})
    rows = Dataset.from_dict(
        {"input_ids": [[5, 6]], "labels": [[-100, 6]], "seq_lengths": [[2]]}, features=kind
    )
    found = with_blank(rows, 9)
    assert len(found) == 2
    assert found[1] == {"input_ids": [9], "labels": [-100], "seq_lengths": [1]}
    assert found.features == rows.features
