"""ChatML: `<|im_start|>role` ... `<|im_end|>`, as SmolLM2 and many others read it."""

from dataclasses import dataclass

from coalm.formats.layouts.base import Role
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class ChatML:
    """`<|im_start|>role`, a line break, the body, `<|im_end|>`, a line break."""

    name: str = "chatml"
    stop: str = "<|im_end|>"

    def begin(self) -> list[Piece]:
        """Nothing: the first marker is the first turn's own."""
        return []

    def head(self, role: Role) -> list[Piece]:
        """`<|im_start|>role` and a line break."""
        return [Piece("<|im_start|>", control=True), Piece(f"{role}\n")]

    def tail(self, role: Role) -> list[Piece]:
        """`<|im_end|>` and a line break."""
        return [Piece(self.stop, control=True, learned=role == "assistant"), Piece("\n")]
