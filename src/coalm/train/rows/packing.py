"""Rows side by side: several in one of a fixed length, none of them cut, little space wasted.

Best fit, longest first: each row goes where the least space is left over. The field calls the
places bins. A model must not look from one row into its neighbour: the lengths are kept beside
the tokens, so that positions begin anew with each row and attention can be kept apart.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bins:
    """Which rows stand together; bins in the order of their first rows, rows in their own."""

    rows: "NDArray[np.int64]"
    """The numbers of the rows, bin after bin."""
    ends: "NDArray[np.int64]"
    """Bin number `n` has `rows[ends[n] : ends[n + 1]]`; the first is 0."""
    too_long: int
    """Rows longer than a bin: left out whole, in none of the bins."""

    def __len__(self) -> int:
        """How many bins there are."""
        return len(self.ends) - 1


def pack(lengths: "Sequence[int] | NDArray[np.int64]", capacity: int) -> Bins:
    """Put rows of these lengths into as few bins of `capacity` tokens as best fit finds.

    Deterministic. A row of no tokens is in no bin, and one of more than `capacity` neither.
    """
    import numpy as np

    sizes = np.asarray(lengths, np.int64)
    some = np.flatnonzero((sizes > 0) & (sizes <= capacity))
    longest_first = some[np.argsort(-sizes[some], kind="stable")]
    # Bins are numbered as they are opened, by the longest row; then by their first row.
    opened = np.empty(len(sizes), np.int64)
    opened[longest_first] = _best_fit(sizes[longest_first].tolist(), capacity)
    _, first, bins = np.unique(opened[some], return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[bins]
    order = np.argsort(place, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(place))])
    return Bins(some[order], ends.astype(np.int64), int((sizes > capacity).sum()))


def _best_fit(sizes: Sequence[int], capacity: int) -> list[int]:
    """The bin of each row; the sizes fall."""
    left = 0  # bit n is set if a bin has room for exactly n more
    with_room: dict[int, deque[int]] = {}
    found: list[int] = []
    opened = 0
    for size in sizes:
        roomy = left >> size
        if roomy:
            room = size + (roomy & -roomy).bit_length() - 1
            bins = with_room[room]
            number = bins.popleft()
            if not bins:
                left ^= 1 << room
        else:
            room, number = capacity, opened
            opened += 1
        found.append(number)
        rest = room - size
        if rest:
            bins = with_room.setdefault(rest, deque())
            if not bins:
                left ^= 1 << rest
            bins.append(number)
    return found


def positions(lengths: "Sequence[int] | NDArray[np.int64]") -> "NDArray[np.int64]":
    """Position ids of rows of these lengths side by side: each counts from 0."""
    import numpy as np

    sizes = np.asarray(lengths, np.int64)
    ends = np.cumsum(sizes)
    return np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
