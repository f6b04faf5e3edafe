"""Granite 3: `<|start_of_role|>role<|end_of_role|>` ... `<|end_of_text|>` and a line break.

Deviation D121: no date and no system message of the vendor's own, and calls in a dialect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.formats.layouts.base import Message, Role
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class Granite:
    """The markers of Granite 3.0 to 3.3; a tool's answer has the role `tool`, as in 3.2 and 3.3."""

    name: str = "granite"
    stop: str = "<|end_of_text|>"
    signs: tuple[str, ...] = ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>")
    strangers: tuple[str, ...] = ()
    bare: tuple[str, str] = ("", "")

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """Each on its own."""
        return said

    def begin(self) -> list[Piece]:
        """Nothing: the first marker is the first turn's own."""
        return []

    def head(self, role: Role) -> list[Piece]:
        """The role between its two markers."""
        return [
            Piece("<|start_of_role|>", control=True),
            Piece(role),
            Piece("<|end_of_role|>", control=True),
        ]

    def tail(self, role: Role) -> list[Piece]:
        """`<|end_of_text|>` and a line break."""
        return [Piece(self.stop, control=True, learned=role == "assistant"), Piece("\n")]
