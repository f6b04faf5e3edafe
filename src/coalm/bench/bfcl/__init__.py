"""BFCL, the Berkeley Function Calling Leaderboard V3: data, call matching, scores."""

from coalm.bench.bfcl.categories import CATEGORIES, Category
from coalm.bench.bfcl.data import Case, Data, counts, find, held_out_texts, miniature
from coalm.bench.bfcl.protocol import BfclAst, single_turn

__all__ = [
    "CATEGORIES",
    "BfclAst",
    "Case",
    "Category",
    "Data",
    "counts",
    "find",
    "held_out_texts",
    "miniature",
    "single_turn",
]
