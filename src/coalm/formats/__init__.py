"""Dialogue <-> text, and which of it is learned: the one hinge of the project.

A format is a layout (whose turn markers) and a dialect (how a call is written). The
same object writes the training text, writes the prompt, names the stop and reads the
reply; there is no second chat template anywhere.
"""

from typing import Protocol

from coalm.formats.chat import Chat
from coalm.formats.dialects import AS_GIVEN, DIALECTS, Dialect, dialect
from coalm.formats.layouts import LAYOUTS, Layout, layout
from coalm.formats.pieces import Encoded, Malformed, Piece, Tokenizer, encode, merged, plain
from coalm.formats.rows import Row, Rows
from coalm.types import Assistant, Dialogue

__all__ = [
    "AS_GIVEN",
    "DIALECTS",
    "LAYOUTS",
    "Chat",
    "Encoded",
    "Format",
    "Malformed",
    "Piece",
    "Row",
    "Rows",
    "Tokenizer",
    "encode",
    "format_of",
    "merged",
    "plain",
]


class Format(Protocol):
    """How dialogues become text for a model, and its text becomes turns."""

    @property
    def name(self) -> str:
        """The name in logs and outcomes."""
        ...

    @property
    def layout(self) -> Layout:
        """Whose turn markers; its `stop` ends a turn."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How a call is written."""
        ...

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings at which sampling ends, beside the layout's own marker."""
        ...

    def examples(self, dialogue: Dialogue, since: int = 0) -> list[list[Piece]]:
        """The training texts of a dialogue; together they learn each assistant turn once.

        Turns before number `since` are only read.
        """
        ...

    def prompt(self, dialogue: Dialogue) -> list[Piece]:
        """The dialogue so far, ready for the assistant to speak."""
        ...

    def read(self, text: str) -> Assistant | Malformed:
        """The turn that a model's output means; never raises."""
        ...


def format_of(layout_name: str, dialect_name: str, *, rows: bool = False) -> Format:
    """The format with these names; `rows` gives the paper's instruction / input / output.

    Rows that are given whole, in dialect `verbatim`, are always shown as rows.
    """
    spoken = dialect(dialect_name)
    kind = Rows if rows or spoken.as_given else Chat
    return kind(layout(layout_name), spoken)
