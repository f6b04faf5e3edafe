"""Two dialogue states compared: which slots are right, made up, wrong or forgotten.

==========================  ==========================================================
In a state                  How it is read
==========================  ==========================================================
case, blanks                lower case, one blank between words, none around
``a|b`` in the gold state   alternatives; a prediction is right if it equals any of them
``a|b`` in a prediction     one value, compared whole, so that hedging never pays
``dontcare``                a value like any other: 1,713 gold values are just that
``don't care``              spelled ``dontcare``; likewise ``do not care``, ``dont care``
``none``, ``not mentioned`` no value: the slot is absent, as with an empty string
``center``                  stays as it is, unless asked to be ``centre``
a slot that is not known    counts against the prediction, as a value that is not there
a wrong value               one false positive and one false negative
==========================  ==========================================================

Nothing else is forgiven: no fuzzy names, no other ways to write a time. Each rule can be
switched off, so that another paper's way to count can be had by saying so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coalm.bench.multiwoz.slots import NAMES

State = Mapping[str, str]
"""Slot name to value."""

_DONTCARE = frozenset({"don't care", "dont care", "do not care", "dontcare"})
_ABSENT = frozenset({"none", "not mentioned"})


@dataclass(frozen=True, slots=True)
class Normalise:
    """What is forgiven before two values are compared."""

    case: bool = True
    """Capital letters."""
    spaces: bool = True
    """Blanks around a value, and more than one between its words."""
    dontcare: bool = True
    """Other spellings of `dontcare`."""
    absent: bool = True
    """`none` and `not mentioned` in place of leaving the slot out; an empty value always is."""
    centre: bool = False
    """`center`. Off, because the request lists the word as the data spells it."""

    def text(self, text: str) -> str:
        """A value or a slot name as it is compared."""
        text = text.lower() if self.case else text
        text = " ".join(text.split()) if self.spaces else text
        if self.dontcare and text in _DONTCARE:
            return "dontcare"
        return "centre" if self.centre and text == "center" else text

    def state(self, state: State) -> dict[str, str]:
        """A state as it is compared, without the slots that are absent in all but name."""
        read = {self.text(slot): self.text(value) for slot, value in state.items()}
        return {s: v for s, v in read.items() if v and not (self.absent and v in _ABSENT)}


@dataclass(frozen=True, slots=True)
class Match:
    """What a predicted state has right and wrong; a slot with a wrong value is in both lists."""

    right: tuple[str, ...]
    """Slots whose value is the gold one."""
    extra: Mapping[str, str]
    """Predicted values that are not gold: invented slots and wrong values."""
    missing: Mapping[str, str]
    """Gold values that were not predicted: forgotten slots and wrong values."""

    @property
    def joint(self) -> bool:
        """Whether the whole state is right (joint goal)."""
        return not self.extra and not self.missing

    @property
    def slot_accuracy(self) -> float:
        """The share of the thirty slots that are right, absent ones included."""
        wrong = NAMES.intersection({*self.extra, *self.missing})
        return 1.0 - len(wrong) / len(NAMES)

    def scores(self) -> dict[str, float]:
        """The numbers that the metrics are made of."""
        return {
            "joint": float(self.joint),
            "tp": float(len(self.right)),
            "fp": float(len(self.extra)),
            "fn": float(len(self.missing)),
            "slot_accuracy": self.slot_accuracy,
        }


def compare(gold: State, said: State, rules: Normalise | None = None) -> Match:
    """The predicted state `said` against the gold one; neither is changed."""
    rules = rules or Normalise()
    wanted, found = rules.state(gold), rules.state(said)
    right = tuple(s for s, v in found.items() if s in wanted and v in _either(wanted[s], rules))
    return Match(
        right,
        {slot: value for slot, value in found.items() if slot not in right},
        {slot: value for slot, value in wanted.items() if slot not in right},
    )


def first_alternatives(gold: State) -> dict[str, str]:
    """The gold state with one value for each slot."""
    return {slot: value.split("|", 1)[0] for slot, value in gold.items()}


def _either(gold: str, rules: Normalise) -> tuple[str, ...]:
    return tuple(rules.text(value) for value in gold.split("|"))
