"""BFCL, the Berkeley Function Calling Leaderboard: its single-turn Python categories."""

from coalm.bench.bfcl.data import CATEGORIES, Case, Data, find, held_out_texts, miniature
from coalm.bench.bfcl.protocol import BfclAst

__all__ = ["CATEGORIES", "BfclAst", "Case", "Data", "find", "held_out_texts", "miniature"]
