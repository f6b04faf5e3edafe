"""`alpaca`: instruction, input, output, system and history, as LLaMA-Factory documents them.

It knows no tools, so calls, results and thoughts are text in a dialect, and the tools
stand in the system message. A tool's result stands where the user's words do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coalm.errors import FormatError
from coalm.export.base import (
    JOINED,
    Column,
    Manner,
    Said,
    Unsaid,
    alternating,
    answered,
    cannot_write,
    dataset_info,
    given_whole,
    whole_row,
    written,
)
from coalm.types import Sample

RESULTS = "results of tools stand where the user's words do"


@dataclass(frozen=True, slots=True)
class Alpaca:
    """One row for a conversation: its last round, and the earlier ones as history."""

    name: str = "alpaca"
    columns: Mapping[str, Column] = field(
        default_factory=lambda: {
            "instruction": "text",
            "input": "text",
            "output": "text",
            "system": "text",
            "history": "pairs",
        }
    )
    readers: str = "LLaMA-Factory, which learns the answers in `history` as well"

    def say(self, sample: Sample, manner: Manner) -> Said | Unsaid:
        """A row of the whole conversation; all its answers are there to be learned."""
        if given_whole(sample):
            found = whole_row(sample)
            if found is None:
                return Unsaid("a row given whole that is not instruction, input and output")
            return Said((self._row(*found),))
        spoken = manner.spoken(sample)
        dialogue, remarks = answered(sample.dialogue)
        try:
            opening, turns = written(dialogue, spoken)
        except FormatError:
            return cannot_write(spoken)
        sides = alternating(turns)
        if isinstance(sides, Unsaid):
            return sides
        rounds, joined = sides
        asked = [text for role, text in rounds if role != "assistant"]
        answers = [text for role, text in rounds if role == "assistant"]
        history = [list(pair) for pair in zip(asked[:-1], answers[:-1], strict=True)]
        if joined:
            remarks = (*remarks, JOINED)
        if any(role == "tool" for role, _ in rounds):
            remarks = (*remarks, RESULTS)
        return Said((self._row(asked[-1], "", answers[-1], opening, history),), remarks)

    def _row(
        self,
        instruction: str,
        given: str,
        output: str,
        system: str = "",
        history: list[list[str]] | None = None,
    ) -> Mapping[str, object]:
        values = (instruction, given, output, system, history or [])
        return dict(zip(self.columns, values, strict=True))

    def beside(self, name: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """LLaMA-Factory's entry."""
        columns = {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        }
        return {"dataset_info.json": dataset_info(name, files, {"columns": columns})}
