"""How long rows are: counts by bins of tokens, and what can be said from them."""

from collections import Counter
from collections.abc import Iterable, Mapping

BIN = 128
"""Tokens that a bin is wide."""

TICKS = "▁▂▃▄▅▆▇█"


def bin_of(tokens: int) -> int:
    """The lower edge of the bin that a row of so many tokens falls into."""
    return tokens // BIN * BIN


def together(counts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Several counts as one, shortest rows first."""
    whole: Counter[int] = Counter()
    for one in counts:
        whole.update(one)
    return dict(sorted(whole.items()))


def at_most(lengths: Mapping[int, int], share: float) -> int:
    """So many tokens are enough for that share of the rows; exact to a bin, 0 without rows."""
    wanted, seen = share * sum(lengths.values()), 0
    for edge, rows in sorted(lengths.items()):
        seen += rows
        if rows and seen >= wanted:
            return edge + BIN - 1
    return 0


def spark(lengths: Mapping[int, int], end: int, width: int = 24) -> str:
    """The rows of 0 to `end` tokens as a line of little bars, the highest as high as it goes."""
    sums = [0] * width
    for edge, rows in lengths.items():
        sums[min(edge * width // max(end, 1), width - 1)] += rows
    top = max(sums)
    if not top:
        return ""
    return "".join(" " if not n else TICKS[(n * (len(TICKS) - 1) + top - 1) // top] for n in sums)
