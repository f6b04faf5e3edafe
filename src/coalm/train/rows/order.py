"""The order of the rows in each epoch: the same, whether the run was interrupted or not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """A sampler for a `DataLoader`; what it draws depends on the seed and the epoch alone.

    transformers draws the order from the generator of dropout too. In a run that goes on in its
    second epoch that one is not where it had been, and rows would come twice or never.
    """

    lengths: Sequence[int]
    """The tokens of each row."""
    together: int
    """Rows of similar length that come one after another; 1 for any order."""
    seed: int
    epoch: Callable[[], int]
    """The number of the epoch that begins, from 0."""

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """The numbers of the rows, in the order of the epoch."""
        import torch
        from transformers.trainer_pt_utils import get_length_grouped_indices

        seeded = torch.Generator().manual_seed(self.seed + self.epoch())
        if self.together == 1:
            return iter(torch.randperm(len(self.lengths), generator=seeded).tolist())
        drawn: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call, unused-ignore]
            self.lengths, self.together, generator=seeded
        )
        return iter(drawn)
