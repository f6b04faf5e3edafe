"""What can be wrong with a CRA sample: one list of kinds, whoever looks."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "broken form",
    "undefined call",
    "missing argument",
    "wrong type",
    "invented argument",
    "unequal observation",
    "unseen entity",
    "answer disagrees",
    "thought disagrees",
    "not SGD's call",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind. Of several, the first of this order is the reason that is told."""

MEANING: dict[Kind, str] = {
    "broken form": "turns out of order, no thought, two tools of a name, words the user never said",
    "undefined call": "a tool that is not listed, or no intent of the dialogue's services",
    "missing argument": "a required argument is not given",
    "wrong type": "a value of another JSON type, or outside of its closed list",
    "invented argument": "an argument the tool does not have, or a value that nobody gave",
    "unequal observation": "a result that the service did not return",
    "unseen entity": "an answer names what neither a result nor the dialogue holds",
    "answer disagrees": "an answer that reports another outcome than the result has",
    "thought disagrees": "a thought that does not go with what is then done or said",
    "not SGD's call": "a call more, less or other than the annotated one",
}
"""A line about each kind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a sample."""

    kind: Kind
    turn: int
    """The turn's number in the sample, from 0; -1 for the sample as a whole."""
    note: str
    """What exactly, with names and values."""

    def __str__(self) -> str:
        """The kind alone: what reasons are counted by."""
        return self.kind


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """Without repetitions, by the order of kinds and then by turn."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(dict.fromkeys(findings), key=lambda found: (order[found.kind], found.turn)))
