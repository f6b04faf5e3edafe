"""The same services under other names, so that a model reads the schema and does not recall it.

Names of services, intents and slots get synonyms, another spelling (`show_date`, `dayOfShow`,
`showday`) and another order, and descriptions are said anew, all by rule and by seed. What
was said, the values and their meaning stay. The idea is SGD-X's (arXiv 2110.06800); the
rules and words are this project's own.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from coalm.corpora.records import chance
from coalm.corpora.schema_words import (
    described,
    intent_words,
    service_words,
    slot_words,
    spelt,
    spelt_intent,
)
from coalm.corpora.sgd import Act, Exchange, Frame, Intent, Service, SgdDialogue, SgdTurn
from coalm.types import ToolCall

T = TypeVar("T")

MANY = 16
"""Variants of a schema that are made; a row takes one of them."""
SLOT_STYLES = ("snake", "camel", "joined")
INTENT_STYLES = ("pascal", "snake", "camel")


@dataclass(frozen=True, slots=True)
class Names:
    """What a service, its intents and its slots are called in a variant."""

    service: str
    intents: Mapping[str, str]
    slots: Mapping[str, str]


@dataclass(frozen=True)
class Variant:
    """A schema under other names."""

    names: Mapping[str, Names]
    """By the service's own name."""
    services: Mapping[str, Service]
    """The services themselves, by their new names."""

    def dialogue(self, dialogue: SgdDialogue) -> SgdDialogue:
        """The dialogue with its annotation under the new names; every word that was said stays."""
        return replace(
            dialogue,
            services=tuple(self.names[name].service for name in dialogue.services),
            exchanges=tuple(
                Exchange(self._turn(e.user), self._turn(e.system)) for e in dialogue.exchanges
            ),
        )

    def _turn(self, turn: SgdTurn) -> SgdTurn:
        return SgdTurn(turn.text, tuple(self._frame(frame) for frame in turn.frames))

    def _frame(self, frame: Frame) -> Frame:
        names = self.names[frame.service]
        slots, intents = names.slots, names.intents
        return Frame(
            names.service,
            tuple(self._act(act, names) for act in frame.acts),
            intents.get(frame.intent, frame.intent),
            None
            if frame.state is None
            else {slots.get(s, s): values for s, values in frame.state.items()},
            None
            if frame.call is None
            else ToolCall(
                intents.get(frame.call.name, frame.call.name),
                {slots.get(s, s): value for s, value in frame.call.arguments.items()},
            ),
            tuple({slots.get(s, s): v for s, v in result.items()} for result in frame.results),
        )

    def _act(self, act: Act, names: Names) -> Act:
        if act.slot == "intent":
            known = self._intents
            values = tuple(known.get(v, v) for v in act.values)
            return Act(act.act, act.slot, values, tuple(known.get(v, v) for v in act.canonical))
        slot = names.slots.get(act.slot)
        return act if slot is None else Act(act.act, slot, act.values, act.canonical)

    @cached_property
    def _intents(self) -> Mapping[str, str]:
        """Every intent's new name; an offered intent does not say of which service it is."""
        return {old: new for n in self.names.values() for old, new in n.intents.items()}


def variants(services: Mapping[str, Service], seed: int, many: int = MANY) -> tuple[Variant, ...]:
    """`many` variants of a schema."""
    # Deviation D65: the paper's mixture has one name for everything.
    return tuple(_variant(services, f"{seed}/{number}") for number in range(many))


def variant_of(among: Sequence[Variant], seed: int, key: str) -> Variant:
    """One of the variants, which the key decides."""
    return among[int(chance(seed, key, "variant") * len(among))]


def _variant(services: Mapping[str, Service], seed: str) -> Variant:
    dice = random.Random(f"{seed}/variant")
    slot_style, intent_style = dice.choice(SLOT_STYLES), dice.choice(INTENT_STYLES)
    # One choice for all services: two of one domain stay told apart by their numbers, and
    # one intent of several services keeps one name.
    families = {name.rpartition("_")[0] or name for name in services}
    family = _unlike({f: service_words(f) for f in sorted(families)}, dice)
    known = {i.name: i for service in services.values() for i in service.intents.values()}
    intents = _unlike(
        {
            name: [
                spelt_intent(words, intent_style)
                for words in intent_words(name, transactional=known[name].transactional)
            ]
            for name in sorted(known)
        },
        dice,
    )
    names: dict[str, Names] = {}
    made: dict[str, Service] = {}
    for name, service in services.items():
        head, underscore, tail = name.rpartition("_")
        slots = _unlike({s: _spellings(s, slot_style) for s in service.slots}, dice)
        new = family.get(head, family.get(name, name)) + underscore + tail
        names[name] = Names(new, {i: intents[i] for i in service.intents}, slots)
        made[new] = _renamed(service, names[name], dice)
    return Variant(names, made)


def _spellings(slot: str, style: str) -> list[str]:
    return [spelt(words, style) for words in slot_words(slot)]


def _unlike(options: Mapping[str, Sequence[str]], dice: random.Random) -> dict[str, str]:
    """One of its options for each name, no two alike; its own name where all are taken."""
    taken: set[str] = set()
    chosen = {}
    own = set(options)
    for name, choices in options.items():
        mixed = list(choices)
        dice.shuffle(mixed)
        free = (c for c in (*mixed, name) if c not in taken and (c == name or c not in own))
        chosen[name] = next(free, name)
        taken.add(chosen[name])
    return chosen


def _renamed(service: Service, names: Names, dice: random.Random) -> Service:
    """The service under other names, its slots and intents described anew and in another order."""
    slots = [
        replace(s, name=names.slots[s.name], description=described(s.description, dice))
        for s in service.slots.values()
    ]
    intents = [
        Intent(
            names.intents[i.name],
            described(i.description, dice),
            i.transactional,
            tuple(_shuffled([names.slots[s] for s in i.required], dice)),
            dict(_shuffled([(names.slots[s], v) for s, v in i.optional.items()], dice)),
        )
        for i in service.intents.values()
    ]
    return Service(
        names.service,
        described(service.description, dice),
        {s.name: s for s in _shuffled(slots, dice)},
        {i.name: i for i in _shuffled(intents, dice)},
    )


def _shuffled(items: Sequence[T], dice: random.Random) -> list[T]:
    mixed = list(items)
    dice.shuffle(mixed)
    return mixed
