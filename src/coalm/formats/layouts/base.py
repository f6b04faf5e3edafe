"""What a layout is: whose markers stand around a turn."""

from typing import Literal, Protocol

from coalm.formats.pieces import Piece

Role = Literal["system", "user", "assistant", "tool"]


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

    def begin(self) -> list[Piece]:
        """What stands before the first turn."""
        ...

    def head(self, role: Role) -> list[Piece]:
        """What stands before the body of a turn."""
        ...

    def tail(self, role: Role) -> list[Piece]:
        """What stands after it; the assistant's `stop` is learned, nothing behind it is."""
        ...
