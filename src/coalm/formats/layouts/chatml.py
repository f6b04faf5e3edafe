"""ChatML: `<|im_start|>role` ... `<|im_end|>`, as SmolLM2 and many others read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.formats.layouts.base import Message, Role
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class ChatML:
    """`<|im_start|>role`, a line break, the body, `<|im_end|>`, a line break."""

    name: str = "chatml"
    stop: str = "<|im_end|>"
    signs: tuple[str, ...] = ("<|im_start|>", "<|im_end|>")
    strangers: tuple[str, ...] = ()
    bare: tuple[str, str] = ("", "")

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """Each on its own."""
        return said

    def begin(self) -> list[Piece]:
        """Nothing: the first marker is the first turn's own."""
        return []

    def head(self, role: Role) -> list[Piece]:
        """`<|im_start|>role` and a line break."""
        return [Piece("<|im_start|>", control=True), Piece(f"{role}\n")]

    def tail(self, role: Role) -> list[Piece]:
        """`<|im_end|>` and a line break."""
        return [Piece(self.stop, control=True, learned=role == "assistant"), Piece("\n")]
