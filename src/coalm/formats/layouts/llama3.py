"""Llama 3: `<|start_header_id|>role<|end_header_id|>` ... `<|eot_id|>`.

Every assistant turn ends with `<|eot_id|>`, one that calls a tool as well; the
vendor's own template writes `<|eom_id|>` there only for its built-in tools.
"""

from dataclasses import dataclass

from coalm.formats.layouts.base import Role
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class Llama3:
    """The headers of Llama 3, 3.1, 3.2 and 3.3; a tool's answer has the role `ipython`."""

    name: str = "llama3"
    stop: str = "<|eot_id|>"

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
