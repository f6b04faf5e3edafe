"""Whether one dialogue got its user what the goal asks for (Nekvinda and Dusek 2021).

Inform: in each domain of the goal, the venues that the system could have meant when it
last named one are all right by the goal. Success: Inform, and in each domain everything
that was to be asked for has been said. A response counts for the domains it is about.
The rules, one by one, are in docs/protocols/multiwoz-success.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from coalm.bench.multiwoz.goals import DomainGoal, Fact, Goal
from coalm.bench.multiwoz.success.active import active_domains
from coalm.bench.multiwoz.success.placeholders import facts
from coalm.bench.multiwoz.success.values import State
from coalm.bench.multiwoz.success.venues import Venues

Booked = Sequence[Collection[str]]
"""For each turn, the domains in which a booking has been made by then."""

_WITH_VENUES = ("restaurant", "hotel", "attraction")
_WITHOUT = ("taxi", "police", "hospital")
_FACTS: frozenset[str] = frozenset(get_args(Fact))


@dataclass(frozen=True, slots=True)
class Turn:
    """What a system did in one turn."""

    response: str
    """Delexicalised: `[hotel_name] is in the [value_area]`."""
    state: State
    """The dialogue state after the user's words, as `read_state` gives it."""
    active: Collection[str] | None = None
    """The domains that the turn is about; None to tell them from how the state changes."""


@dataclass(frozen=True, slots=True)
class DomainJudged:
    """What came of one domain of a goal."""

    inform: bool
    """Whether the venue is right, or none was needed."""
    given: frozenset[str]
    """The facts that were said while the domain was active."""
    missing: frozenset[str]
    """What was to be asked for and was not said."""
    offered: frozenset[str] | None
    """Ids of the venues that the system could have meant; None where none is looked at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a dialogue, domain by domain."""

    domains: Mapping[str, DomainJudged]

    @property
    def inform(self) -> bool:
        """Whether every domain's venue is right."""
        return all(each.inform for each in self.domains.values())

    @property
    def success(self) -> bool:
        """Whether, besides, everything that was asked for has been said."""
        return self.inform and not any(each.missing for each in self.domains.values())

    def succeeded(self, domain: str) -> bool:
        """Success in one domain, which the evaluator only grants to an informed dialogue."""
        return self.inform and not self.domains[domain].missing


def judge(goal: Goal, turns: Sequence[Turn], venues: Venues, booked: Booked) -> Judged:
    """The dialogue against its goal; nothing that is passed in is changed.

    `booked` says turn by turn in which domains a reference can be given; turns that it
    does not reach are not looked at, as in the evaluator. Of an agent that books by
    itself, pass what it has booked so far.
    """
    active = [turn.active for turn in turns]
    about: Sequence[Collection[str]] = (
        active_domains([turn.state for turn in turns])
        if any(each is None for each in active)
        else [each or () for each in active]
    )
    offered: dict[str, int] = dict.fromkeys(goal, 0)
    given: dict[str, set[str]] = {domain: set() for domain in goal}
    for turn, now, done in zip(turns, about, booked, strict=False):
        said = facts(turn.response)
        if not said:
            continue
        for domain in goal:
            if domain not in now:
                continue
            if ("NAME" in said and domain in _WITH_VENUES) or (
                "TRAINID" in said and domain == "train"
            ):
                found = venues.search(domain, turn.state[domain]) if domain in turn.state else 0
                # A narrower search keeps the wider offer: only an offer that the new
                # search does not cover is replaced.
                if not offered[domain] or offered[domain] & ~found:
                    offered[domain] = found
            new = said & _FACTS
            given[domain] |= new if domain in done else new - {"REFERENCE"}
    return Judged(
        {
            domain: _judged(domain, wanted, offered[domain], frozenset(given[domain]), venues)
            for domain, wanted in goal.items()
        }
    )


def _judged(
    domain: str, wanted: DomainGoal, offered: int, given: frozenset[str], venues: Venues
) -> DomainJudged:
    missing = wanted.requestable - given
    free = (
        "name" in wanted.informable
        or domain in _WITHOUT
        or (domain == "train" and not offered and "TRAINID" not in wanted.requestable)
    )
    if free:
        return DomainJudged(True, given, missing, None)
    right = bool(offered) and not offered & ~venues.search(domain, wanted.informable)
    return DomainJudged(right, given, missing, venues.ids(domain, offered))
