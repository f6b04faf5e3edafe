"""Near-duplicates: rows of different sources that say almost the same words.

MinHash over word 5-grams with locality-sensitive banding (Broder 1997; Lee et al. 2022,
arXiv 2107.06499). Rows of one group are variants made on purpose and are never compared.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from coalm import store
from coalm.errors import MissingExtra
from coalm.types import Assistant, Sample, User

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signatures: TypeAlias = NDArray[np.uint32]
    """One row a sample, `PERMUTATIONS` wide."""
    Numbers: TypeAlias = NDArray[np.uint64]

PERMUTATIONS = 64
BANDS = 16
"""Of four values each: rows that share half their 5-grams meet in one band with 64%, rows that
share four fifths with 99.98%."""
SHINGLE = 5
CROWD = 16
"""In a band where more rows meet, each is compared with the first only."""


def available() -> None:
    """A `MissingExtra` before any work is done, not after."""
    if find_spec("rensa") is None:
        raise MissingExtra("data", "leaving near-duplicates out")


def shingles(sample: Sample) -> list[str]:
    """What is compared: word 5-grams of what the user says and the assistant answers."""
    said: list[str] = []
    for turn in sample.dialogue.turns:
        if isinstance(turn, User):
            said += turn.text.lower().split()
        elif isinstance(turn, Assistant):
            said += turn.text.lower().split()
            said += [store.compact([c.name, dict(c.arguments)]).lower() for c in turn.calls]
    last = max(len(said) - SHINGLE + 1, 1)
    return [" ".join(said[i : i + SHINGLE]) for i in range(last)]


def signatures(samples: Sequence[Sample]) -> "Signatures":
    """The MinHash of each sample; the same on every machine."""
    import numpy as np
    from rensa import RMinHash

    digests = RMinHash.digests_from_token_sets(list(map(shingles, samples)), PERMUTATIONS, 42)
    return np.array(digests, dtype=np.uint32).reshape(len(samples), PERMUTATIONS)


def repeated(
    signed: "Signatures", groups: "Numbers", threshold: float, *, known: int = 0
) -> dict[int, tuple[int, float]]:
    """Rows that repeat an earlier one that stays: their index -> that row's and the similarity.

    Rows come in order of preference; the first `known` of them stay in any event. The
    similarity is the share of equal MinHash values, an estimate of the Jaccard index.
    """
    import numpy as np

    gone: dict[int, tuple[int, float]] = {}
    pairs = _meetings(signed, known)
    for early, late in pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))].tolist():
        if late in gone or early in gone or groups[early] == groups[late]:
            continue
        alike = float((signed[early] == signed[late]).mean())
        if alike >= threshold:
            gone[late] = (early, round(alike, 3))
    return gone


def _meetings(signed: "Signatures", known: int) -> "NDArray[np.int64]":
    """Pairs (earlier, later) of rows that are equal in some band, each once."""
    import numpy as np

    width = PERMUTATIONS // BANDS
    found: set[tuple[int, int]] = set()
    for band in range(BANDS):
        part = np.ascontiguousarray(signed[:, band * width : (band + 1) * width])
        keys = part.view([("", part.dtype)] * width).ravel()
        order = np.argsort(keys, kind="stable")
        ends = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
        for run in np.split(order, ends):
            if len(run) < 2:
                continue
            rows = run.tolist()
            near = combinations(rows, 2) if len(rows) <= CROWD else ((rows[0], r) for r in rows[1:])
            found.update(pair for pair in near if pair[1] >= known)
    return np.array(sorted(found), dtype=np.int64).reshape(len(found), 2)
