"""Samples become token ids and labels, once, before the first step."""

from collections.abc import Iterable
from dataclasses import dataclass

from coalm.errors import DataError
from coalm.formats import Encoded, Tokenizer, encode, format_of
from coalm.types import Sample

IGNORED = -100
"""The label of a token that is not learned, by PyTorch's convention."""


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows ready for the trainer, and what was left out on the way."""

    rows: tuple[Encoded, ...]
    too_long: int
    """Rows of more than the longest allowed length, left out whole: never cut in the middle."""

    @property
    def tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row.ids) for row in self.rows)

    @property
    def learned(self) -> int:
        """Tokens of all rows that carry loss."""
        return sum(sum(row.learned) for row in self.rows)

    def columns(self) -> dict[str, list[list[int]]]:
        """`input_ids` and `labels`, of one length row by row."""
        return {
            "input_ids": [list(row.ids) for row in self.rows],
            "labels": [
                [i if learned else IGNORED for i, learned in zip(row.ids, row.learned, strict=True)]
                for row in self.rows
            ],
        }


def encode_samples(
    samples: Iterable[Sample],
    tokenizer: Tokenizer,
    *,
    layout: str,
    dialect: str,
    rows: bool,
    longest: int,
) -> EncodedRows:
    """Encode every sample in its own dialect, else in the run's; a row must learn something."""
    kept: list[Encoded] = []
    too_long = 0
    for sample in samples:
        fmt = format_of(layout, sample.dialect or dialect, rows=rows)
        for example in fmt.examples(sample.dialogue):
            row = encode(example, tokenizer)
            if not any(row.learned):
                raise DataError(f"row {sample.id!r} has nothing to learn: no assistant turn")
            if len(row.ids) > longest:
                too_long += 1
            else:
                kept.append(row)
    return EncodedRows(tuple(kept), too_long)
