"""Errors planted in sound samples, of the paper's four kinds, to measure the check.

The paper's human check found undefined calls, wrong types, invented arguments and poor
reasoning in 9% of GPT-4o's dialogues (Paper 4.1). Each kind comes in several variants, as a
model might make it rather than as a rule would like it: values are taken from other
dialogues of the same service, thoughts from other moments, and where a wrong tool is
called the thought names it as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from coalm.corpora.sgd import Service, SgdDialogue
from coalm.cra.donors import Donors
from coalm.cra.findings import Kind
from coalm.cra.phrases import Draw
from coalm.cra.plant_calls import INVENTED, MISTYPED, UNDEFINED
from coalm.cra.plant_thoughts import REASONING
from coalm.cra.spots import Change, Spot, spots
from coalm.types import Assistant, Sample, ToolCall

ERRORS: Mapping[Kind, Mapping[str, Callable[[Spot, Draw], Change | None]]] = {
    "undefined call": UNDEFINED,
    "wrong type": MISTYPED,
    "invented argument": INVENTED,
    "thought disagrees": REASONING,
}
"""The paper's four kinds under the names of our findings, each with its variants."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A sample with one error, and which it is."""

    sample: Sample
    kind: Kind
    variant: str
    turn: int


def plant(
    sample: Sample,
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    donors: Donors,
    kind: Kind,
    draw: Draw,
) -> Planted | None:
    """One error of that kind somewhere in a sound sample; None where there is no room for it."""
    variants = list(ERRORS[kind].items())
    start = draw.pick(len(variants))
    for name, change in variants[start:] + variants[:start]:
        places = list(spots(sample, dialogue, services, donors))
        first = draw.pick(max(1, len(places)))
        for spot in places[first:] + places[:first]:
            made = change(spot, draw)
            if made is not None and made != Change(spot.turn.thought, spot.call):
                return Planted(_with(sample, spot, made), kind, name, spot.place)
    return None


def _with(sample: Sample, spot: Spot, change: Change) -> Sample:
    turns = [*sample.dialogue.turns]
    calls: tuple[ToolCall, ...] = (change.call,) if change.call else ()
    turns[spot.place] = Assistant(spot.turn.text, change.thought, calls)
    return replace(sample, dialogue=replace(sample.dialogue, turns=tuple(turns)))
