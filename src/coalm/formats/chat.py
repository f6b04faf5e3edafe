"""Formats that write one turn after another: a layout around a dialect."""

from dataclasses import dataclass, replace
from functools import cache
from typing import assert_never

from coalm.errors import FormatError
from coalm.formats.dialects import Dialect
from coalm.formats.layouts import Layout, Message, Role
from coalm.formats.pieces import Malformed, Piece
from coalm.types import Assistant, Dialogue, Observation, System, Turn, User, identical


@dataclass(frozen=True, slots=True)
class Chat:
    """A layout and a dialect; a dialogue is one training text, all its answers learned.

    A prompt is always a prefix of the training text that continues it, so a model
    is trained on exactly what it will be shown.
    """

    layout: Layout
    dialect: Dialect

    @property
    def name(self) -> str:
        """`layout/dialect`."""
        return f"{self.layout.name}/{self.dialect.name}"

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings at which sampling ends; the layout's marker ends it as a token."""
        return self.dialect.stops

    def examples(self, dialogue: Dialogue, since: int = 0) -> list[list[Piece]]:
        """The training texts of a dialogue: one."""
        return [self._written(dialogue, since)]

    def prompt(self, dialogue: Dialogue) -> list[Piece]:
        """The dialogue so far, ready for the assistant to speak."""
        return [*self._written(dialogue), *self.layout.head("assistant")]

    def read(self, text: str) -> Assistant | Malformed:
        """The turn that a model's output means."""
        return understood(self.dialect, text)

    def _written(self, dialogue: Dialogue, since: int = 0) -> list[Piece]:
        opening = opening_text(dialogue, self.dialect)
        said: list[Message] = [("system", opening)] if opening else []
        first = dialogue.turns[:1]
        rest = dialogue.turns[1:] if first and isinstance(first[0], System) else dialogue.turns
        said += map(self._said, rest)
        only_read = sum(isinstance(turn, Assistant) for turn in dialogue.turns[:since])
        pieces = self.layout.begin()
        for role, text in self.layout.messages(said):
            head, tail = _around(self.layout, role)
            whole = [*head, Piece(text, learned=role == "assistant"), *tail]
            if role == "assistant" and only_read:
                only_read -= 1
                whole = [replace(piece, learned=False) for piece in whole]
            pieces += whole
        return pieces

    def _said(self, turn: Turn) -> Message:
        match turn:
            case System(text):
                return "system", text
            case User(text):
                return "user", text
            case Observation():
                return "tool", self._observed(turn)
            case Assistant():
                return "assistant", checked(self.dialect, turn)
            case _:
                assert_never(turn)

    def _observed(self, turn: Observation) -> str:
        """A tool's answer so that it can be told from what a user says."""
        shown = self.dialect.observed(turn)
        before, behind = self.layout.bare
        return f"{before}{shown}{behind}" if shown == turn.text else shown


@cache
def _around(layout: Layout, role: Role) -> tuple[list[Piece], list[Piece]]:
    """A layout's markers; made once, for a corpus has millions of them."""
    return layout.head(role), layout.tail(role)


def opening_text(dialogue: Dialogue, dialect: Dialect) -> str:
    """The operator's words, then the dialect's own about the tools."""
    first = dialogue.turns[0] if dialogue.turns else None
    parts = [first.text] if isinstance(first, System) else []
    if dialogue.tools:
        parts.append(dialect.instructions(dialogue.tools))
    return "\n\n".join(parts)


def understood(dialect: Dialect, text: str) -> Assistant | Malformed:
    """The turn that a text means; `Malformed` too where it could not be written again.

    A reply joins the dialogue that the next prompt is written from, so what is read
    must be something that can be said.
    """
    turn = dialect.read(text)
    if isinstance(turn, Assistant) and not identical(dialect.read(dialect.write(turn)), turn):
        return Malformed(text, "it cannot be written again as it was read")
    return turn


def checked(dialect: Dialect, turn: Assistant) -> str:
    """The turn as written, refused with a `FormatError` if it would not be read back whole."""
    text = dialect.write(turn)
    found = dialect.read(text)
    # Where there is no call all parts are text, and equal is identical.
    if found != turn or (turn.calls and not identical(found, turn)):
        raise FormatError(f"{dialect.name} cannot write {turn!r} so that it is read back")
    return text
