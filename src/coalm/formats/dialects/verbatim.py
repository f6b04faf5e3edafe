"""Words as they stand: the dialect of rows that are given whole (Paper 4.1, as published).

Such a row is an instruction, an input and an output. What they hold, calls and thoughts
included, was put into words by whoever made the row, so nothing is added here.
"""

from dataclasses import dataclass

from coalm.errors import FormatError
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolSpec


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text and nothing else; a turn with a thought or a call is refused."""

    name: str = "verbatim"
    stops: tuple[str, ...] = ()
    as_given: bool = True

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """A `FormatError`: an instruction that is given whole has named its tools already."""
        named = ", ".join(tool.name for tool in tools[:3])
        raise FormatError(
            f"the dialect 'verbatim' cannot show tools ({named}); it is for rows that are given "
            "whole, choose pythonic, json, react or hermes"
        )

    def write(self, turn: Assistant) -> str:
        """The words; whatever else the turn holds is missed when they are read back."""
        return turn.text

    def read(self, text: str) -> Assistant | Malformed:
        """Words, whatever they are."""
        return Assistant(text)

    def observed(self, turn: Observation) -> str:
        """The tool's answer as it is."""
        return turn.text
