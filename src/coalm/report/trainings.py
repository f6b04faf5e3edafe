"""The losses of a training run, as its log has them."""

import math
from dataclasses import dataclass
from pathlib import Path

from coalm.store import read_jsonl

METRICS = "metrics.jsonl"
"""The log of a training, in its folder."""


@dataclass(frozen=True, slots=True)
class Training:
    """The losses of a training run."""

    folder: Path
    losses: tuple[tuple[float, float], ...]
    """Step and training loss."""
    held_out: tuple[tuple[float, float], ...] = ()
    """Step and loss on the validation rows, where it was measured."""


def training(folder: Path) -> Training:
    """The losses that a folder's log has; a broken line is a `DataError` with its number."""
    losses: list[tuple[float, float]] = []
    held_out: list[tuple[float, float]] = []
    for _, row in read_jsonl(folder / METRICS):
        for names, into in ((("loss",), losses), (("valid_loss", "eval_loss"), held_out)):
            found = [row[name] for name in names if name in row]
            if found and _number(found[0]) and _number(row.get("step")):
                into.append((float(row["step"]), float(found[0])))
    return Training(folder, tuple(losses), tuple(held_out))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
