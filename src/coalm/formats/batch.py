"""Many texts at once: the same ids and masks as `encode` gives, as arrays and faster.

A tokenizer takes a list of texts in one call, and blocks that repeat from row to row
(instructions, lists of tools) are tokenised once. No token is a Python object.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from coalm.formats.pieces import Piece, Tokenizer, merged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Arrays:
    """Token ids of texts one after the other, and beside each whether it is learned."""

    ids: "NDArray[np.int32]"
    learned: "NDArray[np.bool_]"


@dataclass(frozen=True, slots=True)
class Texts:
    """Many texts in one row of tokens."""

    tokens: Arrays
    ends: "NDArray[np.int64]"
    """Text number `n` is the tokens from `ends[n]` to `ends[n + 1]`; the first is 0."""

    @property
    def lengths(self) -> "NDArray[np.int64]":
        """The number of tokens of each text."""
        return self.ends[1:] - self.ends[:-1]

    @property
    def learned(self) -> "NDArray[np.int64]":
        """How many of each text's tokens are learned."""
        import numpy as np

        return np.diff(np.concatenate([[0], np.cumsum(self.tokens.learned)])[self.ends])

    def only(self, chosen: "NDArray[np.bool_]") -> Self:
        """Some of the texts, in their order."""
        import numpy as np

        kept = np.repeat(chosen, self.lengths)
        tokens = Arrays(self.tokens.ids[kept], self.tokens.learned[kept])
        return replace(
            self, tokens=tokens, ends=np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        )

    def __iter__(self) -> Iterator[Arrays]:
        """One text after another, without copying."""
        ends = self.ends.tolist()
        for start, end in pairwise(ends):
            yield Arrays(self.tokens.ids[start:end], self.tokens.learned[start:end])


def encode_all(texts: Sequence[Sequence[Piece]], tokenizer: Tokenizer) -> Texts:
    """Token ids and loss masks of many lists of pieces, in their order."""
    import numpy as np

    plain: dict[str, int] = {}
    markers: dict[str, int] = {}
    which: list[int] = []  # of the plain texts, or -1 and below, of the markers
    learned: list[bool] = []
    ends = [0]
    for pieces in texts:
        for piece in merged(pieces):
            if piece.control:
                which.append(-1 - markers.setdefault(piece.text, len(markers)))
            else:
                which.append(plain.setdefault(piece.text, len(plain)))
            learned.append(piece.learned)
        ends.append(len(which))
    ids, places = tokenizer.texts(list(plain))
    control = np.array([tokenizer.control(marker) for marker in markers], np.int32)
    ids = np.concatenate([ids, control])
    places = np.concatenate([places, places[-1] + np.arange(1, len(markers) + 1)])
    chosen = np.array(which, np.int64)
    chosen = np.where(chosen < 0, len(plain) - 1 - chosen, chosen)
    starts, lengths = places[chosen], places[chosen + 1] - places[chosen]
    written = np.concatenate([[0], np.cumsum(lengths)])
    at = np.arange(written[-1]) + np.repeat(starts - written[:-1], lengths)
    return Texts(
        Arrays(ids[at], np.repeat(np.array(learned, bool), lengths)),
        written[np.array(ends)],
    )
