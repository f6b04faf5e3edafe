"""What a layout is: whose markers stand around a turn."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal, Protocol

from coalm.formats.pieces import Piece

Role = Literal["system", "user", "assistant", "tool"]
Message = tuple[Role, str]
"""Who says what, before any marker stands around it."""


class Layout(Protocol):
    """The turn markers of one family of models."""

    def __hash__(self) -> int:
        """A layout is a frozen value, so that its markers need to be made only once."""
        ...

    @property
    def name(self) -> str:
        """The name in recipes."""
        ...

    @property
    def stop(self) -> str:
        """The marker with which the model ends its turn."""
        ...

    @property
    def signs(self) -> tuple[str, ...]:
        """Markers by which a tokenizer of the family is known: it has all of them."""
        ...

    @property
    def strangers(self) -> tuple[str, ...]:
        """Markers that none of the family has: its relatives do, who write turns otherwise."""
        ...

    @property
    def bare(self) -> tuple[str, str]:
        """What stands around a tool's answer that the dialect shows as it is.

        Empty where the layout has a role, or markers, for tools.
        """
        ...

    def messages(self, said: Sequence[Message]) -> Sequence[Message]:
        """The messages as the family has them, some joined; never across an assistant's."""
        ...

    def begin(self) -> list[Piece]:
        """What stands before the first turn."""
        ...

    def head(self, role: Role) -> list[Piece]:
        """What stands before the body of a turn."""
        ...

    def tail(self, role: Role) -> list[Piece]:
        """What stands after it; the assistant's `stop` is learned, nothing behind it is."""
        ...


def joined(said: Sequence[Message], roles: Sequence[Role], role: Role, by: str) -> list[Message]:
    """Neighbouring messages of these roles as one of that role."""
    found: list[Message] = []
    for alike, group in groupby(said, key=lambda message: message[0] in roles):
        messages = list(group)
        if alike:
            messages = [(role, by.join(text for _, text in messages))]
        found += messages
    return found
