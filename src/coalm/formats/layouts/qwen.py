"""Qwen 2.5 and 3: ChatML's markers, and tools that answer in the user's place.

Neighbouring answers share one message. Each stands between `<tool_response>` tags, by the
dialect `hermes`, which brings them, or by the layout where a dialect shows answers bare.

Deviation D119: `<tool_call>`, `<tool_response>` and `<think>` are ordinary text here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.formats.layouts.base import Message, Role, joined
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class Qwen:
    """`<|im_start|>role`, a line break, the body, `<|im_end|>`, a line break."""

    name: str = "qwen"
    stop: str = "<|im_end|>"
    # The third is in no other ChatML vocabulary that is known here, and in Qwen's since 2.5.
    signs: tuple[str, ...] = ("<|im_start|>", "<|im_end|>", "<|object_ref_start|>")
    strangers: tuple[str, ...] = ()
    bare: tuple[str, str] = ("<tool_response>\n", "\n</tool_response>")

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """Neighbouring answers of tools as one."""
        return joined(said, ("tool",), "tool", "\n")

    def begin(self) -> list[Piece]:
        """Nothing: the first marker is the first turn's own."""
        return []

    def head(self, role: Role) -> list[Piece]:
        """`<|im_start|>role` and a line break; a tool's role is `user`."""
        named = "user" if role == "tool" else role
        return [Piece("<|im_start|>", control=True), Piece(f"{named}\n")]

    def tail(self, role: Role) -> list[Piece]:
        """`<|im_end|>` and a line break."""
        return [Piece(self.stop, control=True, learned=role == "assistant"), Piece("\n")]
