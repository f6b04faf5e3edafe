"""Llama 3: `<|start_header_id|>role<|end_header_id|>` ... `<|eot_id|>`.

Every assistant turn ends with `<|eot_id|>`, one that calls a tool as well; the
vendor's own template writes `<|eom_id|>` there only for its built-in tools.

Deviation D121: no date and no system message of the vendor's own, and calls in a dialect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.formats.layouts.base import Message, Role
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class Llama3:
    """The headers of Llama 3, 3.1, 3.2 and 3.3; a tool's answer has the role `ipython`."""

    name: str = "llama3"
    stop: str = "<|eot_id|>"
    signs: tuple[str, ...] = (
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
    )
    strangers: tuple[str, ...] = ()
    bare: tuple[str, str] = ("", "")

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """Each on its own."""
        return said

    def begin(self) -> list[Piece]:
        """`<|begin_of_text|>`, once."""
        return [Piece("<|begin_of_text|>", control=True)]

    def head(self, role: Role) -> list[Piece]:
        """The role between its two header markers, and an empty line."""
        return [
            Piece("<|start_header_id|>", control=True),
            Piece("ipython" if role == "tool" else role),
            Piece("<|end_header_id|>", control=True),
            Piece("\n\n"),
        ]

    def tail(self, role: Role) -> list[Piece]:
        """`<|eot_id|>`."""
        return [Piece(self.stop, control=True, learned=role == "assistant")]
