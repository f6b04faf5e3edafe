"""Mistral v0.3: `[INST]` ... `[/INST]` answer `</s>`, and `[TOOL_RESULTS]` for tools.

There is no role for the operator, whose words stand before the user's with an empty line
between. No blank is written beside a marker: the family's tokenizer puts one before each
run of text, so the ids are the vendor's.

Deviation D120: the operator's words stand in the first user message, not in the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.formats.layouts.base import Message, Role, joined
from coalm.formats.pieces import Piece


@dataclass(frozen=True, slots=True)
class Mistral:
    """The markers of Mistral 7B Instruct v0.3 and Mixtral 8x22B Instruct (tokenizer v3)."""

    name: str = "mistral"
    stop: str = "</s>"
    signs: tuple[str, ...] = ("<s>", "</s>", "[INST]", "[/INST]", "[TOOL_RESULTS]")
    # Later tokenizers have a message of its own for the operator.
    strangers: tuple[str, ...] = ("[SYSTEM_PROMPT]",)
    bare: tuple[str, str] = ("", "")

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """Neighbouring words of operator and user as one message of the user's."""
        return joined(said, ("system", "user"), "user", "\n\n")

    def begin(self) -> list[Piece]:
        """`<s>`, once."""
        return [Piece("<s>", control=True)]

    def head(self, role: Role) -> list[Piece]:
        """`[INST]` or `[TOOL_RESULTS]`; nothing before the assistant's words."""
        match role:
            case "assistant":
                return []
            case "tool":
                return [Piece("[TOOL_RESULTS]", control=True)]
            case _:
                return [Piece("[INST]", control=True)]

    def tail(self, role: Role) -> list[Piece]:
        """`[/INST]`, `[/TOOL_RESULTS]` or `</s>`."""
        match role:
            case "assistant":
                return [Piece(self.stop, control=True, learned=True)]
            case "tool":
                return [Piece("[/TOOL_RESULTS]", control=True)]
            case _:
                return [Piece("[/INST]", control=True)]
