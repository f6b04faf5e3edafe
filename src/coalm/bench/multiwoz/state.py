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
``center``, ``5:15`` ...    stay as they are, unless their rule is switched on
a slot that is not known    counts against the prediction, as a value that is not there
a wrong value               one false positive and one false negative
==========================  ==========================================================

Nothing else is forgiven unless it is asked for: each rule of `Normalise` has a name and can
be switched, so that another paper's way to count can be had by saying so. A fuzzy
comparison (`fuzzy.alike`) takes the place of equality where it is handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.tracked_values import RULES
from coalm.errors import RecipeError, unknown

State = Mapping[str, str]
"""Slot name to value."""

Same = Callable[[str, str], bool]
"""Whether a gold value and a predicted one are the same, both normalised."""

MANY = 50_000
"""Values that are remembered as they were read; the test set has some 1,500."""

_DONTCARE = frozenset({"don't care", "dont care", "do not care", "do n't care", "dontcare"})
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
    ampersand: bool = False
    """`&` for `and` in names, places and foods."""
    breakfast: bool = False
    """`b and b` and `b&b` for `bed and breakfast`."""
    punctuation: bool = False
    """Apostrophes, hyphens and full stops in names, places and foods."""
    the: bool = False
    """A leading `the` of names, places and foods."""
    centre: bool = False
    """`center`, `city centre`. Off, because a request lists the word as the data spells it."""
    times: bool = False
    """`5:15`, `17.15`, `after 17:15`, `5:15 pm` for `05:15` and `17:15`."""
    types: bool = False
    """`guesthouse`, `concerthall`, `night club`, `museums` and the like."""
    numbers: bool = False
    """`two`, `2 people`, `4 stars` for the digit."""
    prices: bool = False
    """`moderately priced`, `inexpensive`."""
    truths: bool = False
    """`free`, `true` for `yes`."""
    blanks: bool = False
    """All blanks in names, places, foods and types: `city roomz`."""

    def text(self, text: str) -> str:
        """Words or a slot name as they are compared."""
        text = text.lower() if self.case else text
        return " ".join(text.split()) if self.spaces else text

    def value(self, slot: str, value: str) -> str:
        """A slot's value as it is compared."""
        return _values(self)[slot, value]

    def state(self, state: State) -> dict[str, str]:
        """A state as it is compared, without the slots that are absent in all but name."""
        read, values = {}, _values(self)
        for slot, value in state.items():
            name = slot if slot in NAMES else self.text(slot)
            found = values[name, value]
            if found and not (self.absent and found in _ABSENT):
                read[name] = found
        return read

    @property
    def names(self) -> tuple[str, ...]:
        """The rules that are on."""
        return tuple(rule for rule in NORMALISATIONS if getattr(self, rule))


NORMALISATIONS: tuple[str, ...] = tuple(field.name for field in fields(Normalise))
"""Every rule by name, in the order in which they are applied."""


def normalise(on: Iterable[str] = (), off: Iterable[str] = ()) -> Normalise:
    """The usual rules with some more and without some others; `all` means every rule.

    A `RecipeError` names the nearest rule to one that there is not, and one that is in both.
    """
    chosen: list[set[str]] = []
    for names in (on, off):
        given = set(names)
        for name in sorted(given - {*NORMALISATIONS, "all"}):
            raise RecipeError(unknown("normalisation", name, NORMALISATIONS))
        chosen.append(set(NORMALISATIONS) if "all" in given else given)
    both = sorted(chosen[0] & chosen[1])
    if both:
        raise RecipeError(f"the normalisation {both[0]!r} is both switched on and off")
    switched = dict.fromkeys(chosen[0], True) | dict.fromkeys(chosen[1], False)
    return replace(Normalise(), **switched)


class _Values(dict[tuple[str, str], str]):
    """Slot and value -> the value as it is compared; the first many are remembered."""

    def __init__(self, rules: Normalise) -> None:
        super().__init__()
        self.rules = rules

    def __missing__(self, key: tuple[str, str]) -> str:
        slot, parts = key[0].partition("-")[2], key[1].split("|")
        found = "|".join(_value(self.rules, slot, part) for part in parts)
        if len(self) < MANY:
            self[key] = found
        return found


@lru_cache(maxsize=64)
def _values(rules: Normalise) -> _Values:
    return _Values(rules)


def _value(rules: Normalise, slot: str, value: str) -> str:
    text = rules.text(value)
    if rules.dontcare and text in _DONTCARE:
        return "dontcare"
    if text == "dontcare" or not text:
        return text
    for name, (slots, rule) in RULES.items():
        if slot in slots and getattr(rules, name):
            text = rule(text)
    return text


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

    def within(self, domain: str) -> "Match":
        """The same of one domain's slots alone."""
        mine = f"{domain}-"
        return Match(
            tuple(slot for slot in self.right if slot.startswith(mine)),
            {slot: value for slot, value in self.extra.items() if slot.startswith(mine)},
            {slot: value for slot, value in self.missing.items() if slot.startswith(mine)},
        )


def compare(
    gold: State, said: State, rules: Normalise | None = None, same: Same | None = None
) -> Match:
    """The predicted state `said` against the gold one; neither is changed.

    With `same` a value also counts that is not equal to the gold one, but the same to it.
    """
    rules = rules or Normalise()
    wanted, found = rules.state(gold), rules.state(said)
    match = loosened(Match((), found, wanted), _equal)
    return loosened(match, same) if same else match


def loosened(match: Match, same: Same) -> Match:
    """The match with those wrong values right that are the same as the gold one."""
    right = {
        slot
        for slot, value in match.extra.items()
        if slot in match.missing and _either(match.missing[slot], value, same)
    }
    if not right:
        return match
    return Match(
        (*match.right, *(slot for slot in match.extra if slot in right)),
        {slot: value for slot, value in match.extra.items() if slot not in right},
        {slot: value for slot, value in match.missing.items() if slot not in right},
    )


def _equal(gold: str, said: str) -> bool:
    return gold == said


def first_alternatives(gold: State) -> dict[str, str]:
    """The gold state with one value for each slot."""
    return {slot: value.split("|", 1)[0] for slot, value in gold.items()}


def _either(wanted: str, said: str, same: Same) -> bool:
    """Whether one of the gold alternatives was said; what was said is compared whole."""
    return any(same(value, said) for value in wanted.split("|"))
