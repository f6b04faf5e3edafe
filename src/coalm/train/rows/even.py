"""Rows dealt out evenly: every process gets as many batches, and no row comes twice.

accelerate fills the last batches with rows from the beginning, which then count twice in a loss.
Here they are filled with a blank row that has nothing to learn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.train.rows.encoding import IGNORED

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Filled:
    """The rows' numbers in an order, then the blank row's up to a multiple."""

    order: Any
    """A sampler: the rows' numbers, with a length."""
    multiple: int

    def __len__(self) -> int:
        """How many numbers there are."""
        return -(-len(self.order) // self.multiple) * self.multiple

    def __iter__(self) -> Iterator[int]:
        """The numbers; the blank row is behind the last."""
        yield from self.order
        for _ in range(len(self) - len(self.order)):
            yield len(self.order)


@dataclass(frozen=True, slots=True)
class LongestFirst:
    """An order of rows in which a batch's are of similar length; always the same."""

    lengths: Sequence[int]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """The rows' numbers."""
        return iter(sorted(range(len(self.lengths)), key=lambda n: -self.lengths[n]))


def with_blank(rows: "Dataset", pad: int) -> "Dataset":
    """The rows and behind them a blank one: a token that nothing is learned from."""
    from datasets import Dataset, concatenate_datasets

    cells = {"input_ids": [pad], "labels": [IGNORED], "seq_lengths": [1]}
    blank = {name: [cells[name]] for name in rows.column_names}
    return concatenate_datasets([rows, Dataset.from_dict(blank, features=rows.features)])
