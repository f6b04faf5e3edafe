"""MultiWOZ 2.4 (Paper 5.1): dialogue state tracking."""

from coalm.bench.multiwoz.dst import MultiWozDst
from coalm.bench.multiwoz.state import Normalise
from coalm.bench.multiwoz.turns import TurnCase, held_out_texts

__all__ = ["MultiWozDst", "Normalise", "TurnCase", "held_out_texts"]
