"""Table 1 of the paper beside what was built: rows, tokens, tokens a row, and why they differ.

The paper's figures are copied as printed and stand nowhere else. Two names are almost surely
swapped in print, so each part is put beside the line that is meant, and the table says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line of Table 1, as printed."""

    name: str
    rows: int
    tokens: int
    per_row: float
    """Tokens per sample, as printed; it need not follow from the other two."""


PRINTED: Mapping[str, Line] = {
    line.name: line
    for line in (
        Line("SNIPS", 13_028, 12_278_780, 942.49),
        Line("Hammer", 13_819, 10_199_147, 738.05),
        Line("ToolAce", 202_500, 129_001_612, 637.04),
        Line("SGD", 82_236, 59_704_782, 726.02),
        Line("Total", 311_583, 211_184_321, 760.90),
    )
}
"""Table 1 by the names that it prints."""

RELEASED: Mapping[str, int] = {
    "snips": 13_084,
    "hammer": 202_500,
    "toolace": 13_819,
    "sgd-cra": 82_236,
}
"""Rows of the released data set (311,639 in all) by our corpora."""

MEANT: Mapping[str, str] = {
    "snips": "SNIPS",
    "hammer": "ToolAce",
    "toolace": "Hammer",
    "sgd-cra": "SGD",
}
"""The line of Table 1 that each of our corpora is put beside."""

UPSTREAM_SNIPS = 13_784
"""Utterances in SNIPS's original train files, of which the usual split leaves 700 out."""

_SWAPPED = (
    "the paper prints this line under the name {other}; 202,500 is 3 x (60,000 + 7,500), which "
    "is Hammer's recipe exactly, so the two names are almost surely swapped"
)
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "snips": (
        "the released data has 13,084 rows, the whole train split, where the table prints 13,028",
        "942 tokens a row do not fit an instruction of this content; a rebuilt row has about 450",
    ),
    "hammer": (_SWAPPED.format(other="ToolAce"),),
    "toolace": (
        _SWAPPED.format(other="Hammer"),
        "which of its turns became rows is not known; here each turn that calls is one",
    ),
    "sgd-cra": (
        "which turns became rows is not known; here each answer is one, and each call one more",
        "the paper's dialogues were written by GPT-4o, these are SGD's own",
    ),
}


@dataclass(frozen=True, slots=True)
class Built:
    """What was built of one part."""

    rows: int
    tokens: int
    partial: str = ""
    """What the source lacks here; empty when it is whole."""
    left_out: int = 0
    """Rows that were made and then dropped, for whatever reason."""

    @property
    def per_row(self) -> float:
        """Tokens a row; 0 where there is none."""
        return self.tokens / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One part beside its line of the paper."""

    part: str
    paper: Line | None
    """None where the paper has no such part."""
    released: int | None
    """Rows of the released data set."""
    built: Built | None
    """None where the recipe has no such part."""
    reasons: tuple[str, ...]
    """Why the two differ, as far as it is known."""

    @property
    def apart(self) -> int | None:
        """Built rows less those of the released data; None where one of them is missing."""
        if self.released is None or self.built is None:
            return None
        return self.built.rows - self.released


@dataclass(frozen=True, slots=True)
class Table:
    """Table 1 and what was built, part by part, the total last."""

    rows: tuple[Compared, ...]
    tokenizer: str
    """What our tokens were counted with."""


def compare(built: Mapping[str, Built], tokenizer: str) -> Table:
    """Each part of the paper and of `built` (by corpus), and the total of all."""
    parts = [*MEANT, *(name for name in built if name not in MEANT)]
    rows = [
        Compared(
            part,
            PRINTED[MEANT[part]] if part in MEANT else None,
            RELEASED.get(part),
            built.get(part),
            _reasons(part, built.get(part)),
        )
        for part in parts
    ]
    whole = Built(
        sum(b.rows for b in built.values()),
        sum(b.tokens for b in built.values()),
        left_out=sum(b.left_out for b in built.values()),
    )
    total = Compared("total", PRINTED["Total"], sum(RELEASED.values()), whole, _about_total())
    return Table((*rows, total), tokenizer)


def markdown(table: Table) -> str:
    """The table and, below it, the reasons part by part."""
    lines = [
        "| part | paper: rows | tokens | a row | built: rows | tokens | a row | rows apart |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_cells(row) for row in table.rows),
        "",
        f"Tokens built are counted with {table.tokenizer}; the paper does not name its tokenizer. "
        "Rows apart are counted from the released data set.",
        "",
        *(f"- {row.part}: {reason}." for row in table.rows for reason in row.reasons),
    ]
    return "\n".join(lines) + "\n"


def _reasons(part: str, built: Built | None) -> tuple[str, ...]:
    if part not in MEANT:
        return ("not a part of the paper's mixture",)
    if built is None:
        return ("not in this recipe", *_KNOWN[part])
    found = [f"the source is here in part only: {built.partial}"] if built.partial else []
    if part == "snips" and built.rows == UPSTREAM_SNIPS:
        found.append("made from the original files, which hold 700 rows more than the usual split")
    if built.left_out:
        found.append(f"{built.left_out:,} rows were left out, for the reasons given above")
    if built.rows == RELEASED[part]:
        found.append("as many rows as the released data set has")
    return (*found, *_KNOWN[part])


def _about_total() -> tuple[str, ...]:
    printed = PRINTED["Total"]
    parts = [line for line in PRINTED.values() if line is not printed]
    plain = sum(line.per_row for line in parts) / len(parts)
    return (
        f"{printed.per_row:.2f} tokens a row is the plain mean of the four lines ({plain:.2f}); "
        f"tokens by rows give {printed.tokens / printed.rows:.1f}",
        f"the released data set has {sum(RELEASED.values()):,} rows",
    )


def _cells(row: Compared) -> str:
    paper, built, none = row.paper, row.built, ("-", "-", "-")
    printed = (f"{paper.rows:,}", f"{paper.tokens:,}", f"{paper.per_row:.2f}") if paper else none
    ours = (f"{built.rows:,}", f"{built.tokens:,}", f"{built.per_row:.1f}") if built else none
    apart = "-" if row.apart is None else f"{row.apart:+,}" if row.apart else "0"
    return f"| {' | '.join((row.part, *printed, *ours, apart))} |"
