"""A sample beside its dialogue: exchange by exchange, with all that was heard before.

What the checks know is gathered here once: the sample's turns of each exchange, the
annotation of the same exchange, and the atoms and values that stand in the conversation.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coalm.corpora.sgd import Exchange, Frame, Service, SgdDialogue
from coalm.cra.atoms import heard
from coalm.types import Assistant, Json, Observation, Sample, System, Turn, User


@dataclass(slots=True)
class Known:
    """What has been said and shown so far; it only grows."""

    atoms: set[str] = field(default_factory=set)
    """Words, numbers, times, dates: see `atoms`."""
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Slot to the values that it has had anywhere, in lower case, said or canonical."""
    spelt: dict[str, str] = field(default_factory=dict)
    """How what was said is written in calls."""
    results: dict[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict)
    """Service to the results of its calls that were shown, the latest last."""
    called: set[str] = field(default_factory=set)
    """The tools called so far."""
    _taken: set[str] = field(default_factory=set)
    """Values whose atoms are in already."""

    def hear(self, text: str) -> None:
        """Take in what was said."""
        self.atoms.update(heard(text))

    def learn(self, frame: Frame, *, offers: bool) -> None:
        """Take in a frame's values as the annotation has them.

        Of the system's frame only what it may say of its own accord counts: suggestions
        and defaults, but no `offers` of things that a result must hold.
        """
        for act in frame.acts:
            if not offers and act.act in {"OFFER", "INFORM"}:
                continue
            if len(act.values) == len(act.canonical):
                self.spelt.update(zip(act.values, act.canonical, strict=True))
            for value in (*act.values, *act.canonical):
                if value not in self._taken:
                    self._taken.add(value)
                    self.atoms.update(heard(value))
                self.values[act.slot].add(value.lower())
        for slot, spellings in (frame.state or {}).items():
            among = self.values[slot]
            for value in spellings:
                if value.lower() not in among or value in self.spelt:
                    among.update((value.lower(), self.spelt.get(value, value).lower()))

    def see(self, service: str, results: list[Mapping[str, Json]]) -> None:
        """Take in shown results."""
        self.results[service] = (*self.results.get(service, ()), *results)
        for result in results:
            for slot, value in result.items():
                text = str(value)
                self.values[slot].add(text.lower())
                if text not in self._taken:
                    self._taken.add(text)
                    self.atoms.update(heard(text))


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange of the sample beside the same exchange of SGD."""

    number: int
    exchange: Exchange
    asked: Frame
    """The user's frame that SGD's system answers."""
    answer: Frame
    """SGD's system frame, with the call if there is one."""
    service: Service | None
    turns: tuple[tuple[int, Turn], ...]
    """The sample's turns after the user's, with their numbers."""
    before: frozenset[str]
    """The kinds of act of the system's turn before."""
    proposed: str
    """The intent that the system's turn before proposed."""

    @property
    def heard(self) -> frozenset[str]:
        """The kinds of act of the user's turn."""
        return frozenset(a.act for f in self.exchange.user.frames for a in f.acts)

    @property
    def says(self) -> frozenset[str]:
        """The kinds of act of SGD's system turn."""
        return frozenset(a.act for f in self.exchange.system.frames for a in f.acts)


def steps(sample: Sample, dialogue: SgdDialogue, services: Mapping[str, Service]) -> Iterator[Step]:
    """The exchanges of a sample; turns before the first user's and too many are left out."""
    held: list[tuple[int, Turn]] = []
    number, before, proposed = -1, frozenset[str](), ""
    for place, turn in [*enumerate(sample.dialogue.turns), (-1, User(""))]:
        if not isinstance(turn, User):
            if not isinstance(turn, System):
                held.append((place, turn))
            continue
        if 0 <= number < len(dialogue.exchanges):
            exchange = dialogue.exchanges[number]
            asked, answer = _frames(exchange)
            service = services.get(answer.service)
            yield Step(number, exchange, asked, answer, service, tuple(held), before, proposed)
            before = frozenset(a.act for f in exchange.system.frames for a in f.acts)
            offers = [a for a in answer.acts if a.act == "OFFER_INTENT" and a.canonical]
            proposed = offers[0].canonical[0] if offers else ""
        held, number = [], number + 1


def spoken(step: Step) -> str:
    """What the sample's assistant says at the end of an exchange."""
    return next((t.text for _, t in reversed(step.turns) if isinstance(t, Assistant)), "")


def shown(turn: Observation) -> tuple[int, list[Mapping[str, Json]]] | None:
    """How many results an observation tells of, and those it shows; None if it is unreadable.

    Either `{"count": 3, "results": [...]}` or the list alone.
    """
    try:
        seen = json.loads(turn.text)
    except (ValueError, RecursionError):
        return None
    count, results = (len(seen), seen) if isinstance(seen, list) else (None, None)
    if isinstance(seen, dict):
        count, results = seen.get("count"), seen.get("results")
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        return None
    return (count, results) if isinstance(count, int) else None


def _frames(exchange: Exchange) -> tuple[Frame, Frame]:
    answer = next((f for f in exchange.system.frames if f.call), None)
    answer = answer or next(iter(exchange.system.frames), Frame("", ()))
    users = exchange.user.frames
    asked = next((f for f in users if f.service == answer.service), None)
    return asked or next(iter(users), Frame(answer.service, ())), answer
