"""Inform and Success on MultiWOZ, by the standard corpus evaluator's rules.

    venues = open_venues(found)
    judged = judge(goal_of(raw["goal"]), turns, venues, booked)
    judged.inform, judged.success, judged.domains["hotel"].missing

`Turn.response` is delexicalised; `delexicalise.open_delexicaliser(found)` makes it so.
"""

from coalm.bench.multiwoz.success.judging import Booked, DomainJudged, Judged, Turn, judge
from coalm.bench.multiwoz.success.values import LAB, STANDARD, Rules, State, read_state
from coalm.bench.multiwoz.success.venues import Venues, open_venues

__all__ = [
    "LAB",
    "STANDARD",
    "Booked",
    "DomainJudged",
    "Judged",
    "Rules",
    "State",
    "Turn",
    "Venues",
    "judge",
    "open_venues",
    "read_state",
]
