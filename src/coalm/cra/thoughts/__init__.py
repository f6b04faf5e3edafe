"""Thoughts from SGD's annotations: why this call, why none, what a result means.

Each is written from the moment's own acts, state and results, so that it is true of the
turn: which slot is missing, what the user just gave and with which value, what the result
says, what changed. Short, since a small model has to learn them.
"""

from coalm.cra.thoughts.alone import alone
from coalm.cra.thoughts.calls import after_call, before_call

__all__ = ["after_call", "alone", "before_call"]
