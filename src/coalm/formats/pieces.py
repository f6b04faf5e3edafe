"""Text on its way to a model: which of it may be control, and which of it is learned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that is tokenised on its own."""

    text: str
    control: bool = False
    """A marker of the layout, one special token. Text from data never is."""
    learned: bool = False
    """Carries loss."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Model output that is not a turn in this format; it is scored, never raised."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and beside each whether it is learned; both of one length."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]


class Tokenizer(Protocol):
    """Two doors into a vocabulary; text from data only ever uses the first."""

    def text(self, text: str) -> Sequence[int]:
        """Ids of ordinary text; never a special token, whatever the text contains."""
        ...

    def texts(self, texts: Sequence[str]) -> "tuple[NDArray[np.int32], NDArray[np.int64]]":
        """Ids of many ordinary texts, as `text` gives them, one text after the other.

        And the places where they begin and end: one more than texts, the first is 0.
        """
        ...

    def control(self, marker: str) -> int:
        """The id of one special token that a layout wrote."""
        ...


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbouring ordinary pieces of one kind as one, so that words are not cut between them."""
    whole: list[Piece] = []
    last = None
    for piece in pieces:
        if not piece.text:
            continue
        if last and not piece.control and not last.control and piece.learned == last.learned:
            last = whole[-1] = Piece(last.text + piece.text, learned=last.learned)
        else:
            last = piece
            whole.append(piece)
    return whole


def encode(pieces: Iterable[Piece], tokenizer: Tokenizer) -> Encoded:
    """Token ids and loss mask of a list of pieces."""
    ids: list[int] = []
    learned: list[bool] = []
    for piece in merged(pieces):
        part = [tokenizer.control(piece.text)] if piece.control else tokenizer.text(piece.text)
        ids.extend(part)
        learned.extend([piece.learned] * len(part))
    return Encoded(tuple(ids), tuple(learned))


def plain(pieces: Iterable[Piece]) -> str:
    """The text that a person would see if nothing were hidden, markers included."""
    return "".join(piece.text for piece in pieces)
