"""The paper's own rows: instruction, input, output (Paper 4.1, CoALM-IT as published).

One row for each assistant turn. The instruction holds the task, the tools and the
conversation so far; the input holds the user's line and what has been thought, done
and seen since; the output is the turn. A row is shown to a model as the released
recipes do: one user message, instruction and input with an empty line between.
"""

from dataclasses import dataclass
from typing import assert_never

from coalm.formats.chat import checked, opening_text, understood
from coalm.formats.dialects import Dialect
from coalm.formats.layouts import Layout
from coalm.formats.pieces import Malformed, Piece
from coalm.types import Assistant, Dialogue, Observation, System, Turn, User


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the published data."""

    instruction: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A layout and a dialect around instruction, input and output."""

    layout: Layout
    dialect: Dialect

    @property
    def name(self) -> str:
        """`layout/dialect/rows`."""
        return f"{self.layout.name}/{self.dialect.name}/rows"

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings at which sampling ends; the layout's marker ends it as a token."""
        return self.dialect.stops

    def examples(self, dialogue: Dialogue, since: int = 0) -> list[list[Piece]]:
        """The training texts of a dialogue: one for each assistant turn."""
        return [
            [
                *self.prompt(dialogue.until(i)),
                Piece(checked(self.dialect, turn), learned=True),
                *self.layout.tail("assistant"),
            ]
            for i, turn in enumerate(dialogue.turns)
            if isinstance(turn, Assistant) and i >= since
        ]

    def prompt(self, dialogue: Dialogue) -> list[Piece]:
        """The dialogue so far as one user message, ready for the assistant to speak."""
        row = self._asked(dialogue)
        text = "\n\n".join(part for part in (row.instruction, row.input) if part)
        return [
            *self.layout.begin(),
            *self.layout.head("user"),
            Piece(text),
            *self.layout.tail("user"),
            *self.layout.head("assistant"),
        ]

    def read(self, text: str) -> Assistant | Malformed:
        """The turn that a model's output means."""
        return understood(self.dialect, text)

    def rows(self, dialogue: Dialogue) -> list[Row]:
        """The dialogue as rows, one for each assistant turn."""
        found = []
        for i, turn in enumerate(dialogue.turns):
            if isinstance(turn, Assistant):
                asked = self._asked(dialogue.until(i))
                found.append(Row(asked.instruction, asked.input, checked(self.dialect, turn)))
        return found

    def _asked(self, dialogue: Dialogue) -> Row:
        turns = dialogue.turns
        turns = turns[1:] if turns and isinstance(turns[0], System) else turns
        users = [i for i, turn in enumerate(turns) if isinstance(turn, User)]
        now = users[-1] if users else 0
        earlier = "\n".join(self._line(turn) for turn in turns[:now])
        instruction = [opening_text(dialogue, self.dialect)]
        if earlier:
            instruction.append(f"Conversation so far:\n{earlier}")
        latest = "\n".join(self._line(turn) for turn in turns[now:])
        return Row("\n\n".join(part for part in instruction if part), latest, "")

    def _line(self, turn: Turn) -> str:
        match turn:
            case System(text):
                return text
            case User(text):
                return text if self.dialect.as_given else f"User: {text}"
            case Observation():
                return self.dialect.observed(turn)
            case Assistant():
                return self.dialect.write(turn)
            case _:
                assert_never(turn)
