"""`coalm-it`: instruction, input and output, the columns of the published data (Paper 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coalm.errors import FormatError
from coalm.export.base import (
    NO_ANSWER,
    Column,
    Manner,
    Said,
    Unsaid,
    cannot_write,
    dataset_info,
    given_whole,
    whole_row,
)
from coalm.formats.layouts import layout
from coalm.formats.rows import Rows
from coalm.types import Sample


@dataclass(frozen=True, slots=True)
class CoalmIt:
    """One row for each answer, the conversation before it in the instruction."""

    name: str = "coalm-it"
    columns: Mapping[str, Column] = field(
        default_factory=lambda: {"instruction": "text", "input": "text", "output": "text"}
    )
    readers: str = "trainers that read CoALM-IT, oumi's published recipes among them"

    def say(self, sample: Sample, manner: Manner) -> Said | Unsaid:
        """A row for each answer; one that was given whole is the row that it was."""
        if given_whole(sample):
            found = whole_row(sample)
            if found is None:
                return Unsaid("a row given whole that is not instruction, input and output")
            return Said((dict(zip(self.columns, found, strict=True)),))
        spoken = manner.spoken(sample)
        try:
            # Rows are text alone, so the layout, which frames them, does not matter.
            rows = Rows(layout("chatml"), spoken).rows(sample.dialogue)
        except FormatError:
            return cannot_write(spoken)
        said = tuple(
            {"instruction": r.instruction, "input": r.input, "output": r.output} for r in rows
        )
        return Said(said) if said else NO_ANSWER

    def beside(self, name: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """LLaMA-Factory's entry for the rows, which it knows as alpaca."""
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        return {"dataset_info.json": dataset_info(name, files, {"columns": columns})}
