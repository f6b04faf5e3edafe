"""Cases that nobody can get right by doing what the user says.

Each is here for evidence that a test repeats on the data: the gold calls hold a piece of
text that no user has said by then, that no gold call has brought up, and that is in no
function's description. (Most of BFCL's doubtful cases are not of this kind, and are not
here: a file's name can be looked up, a date can be written in another way, what support
is told is not compared.) A score without them is printed beside the official one, which
they belong to.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why a case cannot be got right."""

    needs: str
    """What the gold calls hold and nothing offers: a text, or a function before its time."""
    why: str


_TICKET = Impossible("ticket_001", "the id of a ticket is never said, and no call shows it")
_YEAR = Impossible("2023, needs", "the user dictates a text with 2026 in it, gold has 2023")
_WORDS = Impossible(
    "unsatisfactory regarding", "the text of a ticket is compared and was never said"
)
_PASSWORD = Impossible(
    "michael_cant_smith_smith",
    "gold logs in with a wrong password that nobody gave; the user is logged in already",
)
_CENTS = Impossible("$10000.00.", "the user dictates a text with $10000 in it, gold has $10000.00")

IMPOSSIBLE: Mapping[str, Impossible] = {
    "multi_turn_base_173": _TICKET,
    "multi_turn_miss_func_173": _TICKET,
    "multi_turn_miss_param_173": _TICKET,
    "multi_turn_long_context_173": _TICKET,
    "multi_turn_base_176": _YEAR,
    "multi_turn_base_187": _WORDS,
    "multi_turn_miss_func_187": _WORDS,
    "multi_turn_miss_param_187": _WORDS,
    "multi_turn_long_context_187": _WORDS,
    "multi_turn_base_188": _PASSWORD,
    "multi_turn_miss_func_188": _PASSWORD,
    "multi_turn_miss_param_188": _PASSWORD,
    "multi_turn_long_context_188": _PASSWORD,
    "multi_turn_miss_func_143": _CENTS,
    "multi_turn_miss_param_143": _CENTS,
    "multi_turn_long_context_143": _CENTS,
    "multi_turn_long_context_144": Impossible(
        "227.11", "in the long category the averages are replaced, gold has the hidden ones"
    ),
    "multi_turn_miss_func_49": Impossible(
        "tail", "the function is due in the second turn and brought in the fourth"
    ),
    "multi_turn_miss_param_29": Impossible(
        "Create a file name based", "a sentence is to be repeated that was split into two others"
    ),
    "multi_turn_miss_param_180": Impossible(
        "Problem encountered", "the text of a ticket was never said, and gold lags a turn behind"
    ),
}
"""By id, for the data of bfcl-eval 2026.3.23."""
