"""Two runs of one benchmark, case by case: what was fixed, what was broken, what moved."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from coalm.report.errors_reading import RIGHT
from coalm.report.errors_runs import Ran

LOST = "not answered"


@dataclass(frozen=True, slots=True)
class Moves:
    """What became of the cases that both runs asked."""

    before: str
    """The first run's label."""
    after: str
    kinds: Mapping[tuple[str, str], int]
    """How many cases went from one kind to another; `right` and `not answered` are such too."""
    fixed: tuple[str, ...]
    """Ids of cases that were wrong and became right."""
    broken: tuple[str, ...]
    """Ids of cases that were right and became wrong."""
    alone: tuple[int, int]
    """Cases that only the first run asked, and that only the other did."""
    remarks: tuple[str, ...] = ()

    @property
    def paired(self) -> int:
        """Cases that both asked."""
        return sum(self.kinds.values())

    @property
    def met(self) -> tuple[str, ...]:
        """The kinds that either run has: `right` first, then the most frequent ones."""
        total = Counter[str]()
        for pair, n in self.kinds.items():
            total.update(dict.fromkeys(pair, n))
        return tuple(sorted(total, key=lambda kind: (kind != RIGHT, -total[kind], kind)))


def moves(before: Ran, after: Ran) -> Moves:
    """What became of each case from one run to another."""
    old, new = _kinds(before), _kinds(after)
    both = [name for name in old if name in new]
    counted = Counter((old[name], new[name]) for name in both)
    wrong = (RIGHT, LOST)
    remarks = []
    if before.version != after.version:
        remarks.append(f"the data differ: {before.version} and {after.version}")
    return Moves(
        before.label,
        after.label,
        dict(counted),
        tuple(name for name in both if old[name] not in wrong and new[name] == RIGHT),
        tuple(name for name in both if old[name] == RIGHT and new[name] not in wrong),
        (len(old) - len(both), len(new) - len(both)),
        tuple(remarks),
    )


def _kinds(run: Ran) -> dict[str, str]:
    """By id, what came of the case."""
    lost = dict.fromkeys((one.id for one in run.lost), LOST)
    return lost | {case.id: case.kind or RIGHT for case in run.cases}
