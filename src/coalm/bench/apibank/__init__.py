"""API-Bank (Paper 5.1): the next call of a conversation."""

from coalm.bench.apibank.hammer import ApiBankHammer
from coalm.bench.apibank.rows import CallCase, held_out_texts

__all__ = ["ApiBankHammer", "CallCase", "held_out_texts"]
