"""BFCL's conversations of several turns: their environments, verdicts, and how to play them."""

from coalm.bench.bfcl.multiturn.cases import CATEGORIES, Case, cases
from coalm.bench.bfcl.multiturn.environment import Environments, Limits, Lost
from coalm.bench.bfcl.multiturn.impossible import IMPOSSIBLE
from coalm.bench.bfcl.multiturn.protocol import BfclMultiTurn
from coalm.bench.bfcl.multiturn.scoring import score_results

__all__ = [
    "CATEGORIES",
    "IMPOSSIBLE",
    "BfclMultiTurn",
    "Case",
    "Environments",
    "Limits",
    "Lost",
    "cases",
    "score_results",
]
