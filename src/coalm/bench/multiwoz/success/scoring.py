"""A prediction file held against the test set: Inform and Success per domain and in all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from coalm.bench.multiwoz.delexicalise import Delexicaliser
from coalm.bench.multiwoz.predictions import Predicted, Predictions
from coalm.bench.multiwoz.success.judging import Judged, Turn, judge
from coalm.bench.multiwoz.success.placeholders import (
    has_placeholders,
    named_domains,
    unknown_placeholders,
)
from coalm.bench.multiwoz.success.references import Reference
from coalm.bench.multiwoz.success.values import State, read_state
from coalm.bench.multiwoz.success.venues import Venues
from coalm.errors import DataError

TOTAL = "total"
"""The row of a table that is over whole dialogues."""
RESAMPLES = 1000
"""Draws behind an interval."""

Responses = Literal["delexicalised", "lexical"]
Domains = Literal["given", "states", "placeholders"]
"""How a turn's active domains are known."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some dialogues, with the 95% interval of a bootstrap over dialogues."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def percent(self) -> float:
        """0 to 100; 0 of nothing."""
        return 100 * self.hits / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One domain, or all."""

    inform: Share
    success: Share
    inform_all: Share
    """Over all dialogues of the split: one that was not predicted is a failure."""
    success_all: Share


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read; every field is said in the output."""

    responses: Responses
    states: str
    """`predicted`, or whose."""
    domains: Domains


@dataclass(frozen=True, slots=True)
class Scores:
    """What came of a file."""

    reading: Reading
    lines: Mapping[str, Line]
    """By domain, and `total`."""
    judged: Mapping[str, Judged]
    """By lower-case dialogue id."""
    dialogues: int
    """How many the split has."""
    turns: int
    missing: tuple[str, ...] = ()
    """Dialogues of the split that the file lacks."""
    strangers: tuple[str, ...] = ()
    """Dialogues of the file that the split lacks; they are not scored."""
    stateless: tuple[str, ...] = ()
    """Dialogues that the gold states asked for do not have; they are not scored."""
    uneven: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Dialogues with another number of turns than the data -> predicted, in the data."""
    placeholders: Mapping[str, int] = field(default_factory=dict)
    """Unknown ones, how often."""
    slots: Mapping[str, int] = field(default_factory=dict)
    """Unknown slots of predicted states, how often."""


def read_turns_of(
    predictions: Predictions,
    *,
    gold: Mapping[str, Sequence[State]] | None,
    domains: Domains | None,
    lexical: bool | None,
    delexicaliser: Callable[[], Delexicaliser],
    states: str = "predicted",
) -> tuple[Reading, Predictions]:
    """The predictions with gold states in place of none, words delexicalised, domains settled.

    `lexical` and `domains` None let the file decide: responses are lexical if none of them
    holds a placeholder, domains are given if every turn has them. A turn without a state is
    a `DataError`, unless there are `gold` ones.
    """
    turns = [turn for of in predictions.values() for turn in of]
    if gold is None:
        _all_have_states(predictions)
    if lexical is None:
        lexical = not has_placeholders(turn.response for turn in turns)
    if domains is None:
        domains = "given" if all(turn.active is not None for turn in turns) else "states"
    if domains == "given" and any(turn.active is None for turn in turns):
        raise DataError("not every turn says its active_domains; take another way to tell them")
    plain = delexicaliser().text if lexical else None
    read: dict[str, tuple[Predicted, ...]] = {}
    for id, of in predictions.items():
        if gold is not None:
            known = gold.get(id, ())
            of = tuple(replace(turn, state=state) for turn, state in zip(of, known, strict=False))
        if plain is not None:
            of = tuple(replace(turn, response=plain(turn.response)) for turn in of)
        if domains == "placeholders":
            of = tuple(replace(turn, active=named_domains(turn.response)) for turn in of)
        elif domains == "states":
            of = tuple(t if t.active is None else replace(t, active=None) for t in of)
        read[id] = of
    return Reading("lexical" if lexical else "delexicalised", states, domains), read


def score(
    predictions: Predictions,
    reading: Reading,
    references: Mapping[str, Reference],
    venues: Venues,
    *,
    seed: int = 0,
) -> Scores:
    """Judge every dialogue that the split and the file have; the file is not changed.

    `predictions` is what `read_turns_of` gave back. Dialogues of which no turn has a state
    are left out and named.
    """
    judged: dict[str, Judged] = {}
    uneven: dict[str, tuple[int, int]] = {}
    stateless: list[str] = []
    slots: Counter[str] = Counter()
    turns = 0
    for id, of in predictions.items():
        reference = references.get(id)
        if reference is None:
            continue
        if not of and reading.states != "predicted":
            stateless.append(id)
            continue
        if len(of) != len(reference.booked):
            uneven[id] = len(of), len(reference.booked)
        read = [Turn(t.response, read_state(t.state or {}, venues.rules), t.active) for t in of]
        judged[id] = judge(reference.goal, read, venues, reference.booked)
        turns += len(of)
        for turn in read:
            slots.update(_strange(turn.state, venues))
    said = (t.response for id, of in predictions.items() if id in references for t in of)
    return Scores(
        reading,
        _lines(judged, references, seed),
        judged,
        len(references),
        turns,
        tuple(id for id in references if id not in predictions),
        tuple(id for id in predictions if id not in references),
        tuple(stateless),
        uneven,
        dict(unknown_placeholders(said).most_common()),
        dict(slots.most_common()),
    )


def check_whole(predictions: Predictions, references: Mapping[str, Reference], split: str) -> None:
    """Refuse a file that lacks dialogues of the split, or has others."""
    strange = [id for id in predictions if id not in references]
    missing = [reference.name for id, reference in references.items() if id not in predictions]
    if len(strange) == len(predictions):
        raise DataError(
            f"none of the file's {len(strange)} dialogues is in the {split} set, such as "
            f"{strange[0]!r}; is another --split meant?"
        )
    if strange:
        raise DataError(
            f"{len(strange)} dialogues are not in the {split} set: {_some(strange)}; --partial "
            "leaves them out"
        )
    if missing:
        raise DataError(
            f"{len(missing)} of the {split} set's {len(references)} dialogues are missing: "
            f"{_some(missing)}; --partial scores the {len(predictions)} that are there"
        )


def _all_have_states(predictions: Predictions) -> None:
    for id, of in predictions.items():
        for i, turn in enumerate(of):
            if turn.state is None:
                lack = sum(t.state is None for ts in predictions.values() for t in ts)
                raise DataError(
                    f"{id!r}, turn {i}: has no state ({lack} turns have none); --states gold21 or "
                    "gold24 puts gold states in place of all"
                )


def _strange(state: State, venues: Venues) -> list[str]:
    """Slots of the state that neither the databases nor the data's own states have."""
    return [
        f"{domain}-{slot}"
        for domain, slots in state.items()
        for slot in slots
        if not venues.knows(domain, slot) and slot.removeprefix("book") not in _HARMLESS
    ]


_BOOKING = ("day", "people", "stay", "time", "reference", "booked")
_TAXI_AND_OTHERS = ("departure", "destination", "arrive", "leave", "department")
_HARMLESS = frozenset((*_BOOKING, *_TAXI_AND_OTHERS))


def _lines(
    judged: Mapping[str, Judged], references: Mapping[str, Reference], seed: int
) -> dict[str, Line]:
    in_all = Counter(d for reference in references.values() for d in reference.goal)
    lines: dict[str, Line] = {}
    for domain in (*sorted(in_all), TOTAL):
        if domain == TOTAL:
            pairs = [(each.inform, each.success) for each in judged.values()]
            whole = len(references)
        else:
            pairs = [
                (each.domains[domain].inform, each.succeeded(domain))
                for each in judged.values()
                if domain in each.domains
            ]
            whole = in_all[domain]
        inform, success = sum(i for i, _ in pairs), sum(s for _, s in pairs)
        lines[domain] = Line(
            share(inform, len(pairs), seed),
            share(success, len(pairs), seed),
            share(inform, whole, seed),
            share(success, whole, seed),
        )
    return lines


def share(hits: int, n: int, seed: int = 0) -> Share:
    """A share and the middle 95% of 1,000 resamples.

    Of dialogues that are drawn with replacement, the number that hit is binomial, so
    that number is drawn in place of the dialogues.
    """
    if not n:
        return Share(0, 0, 0.0, 0.0)
    import numpy as np

    drawn = np.sort(np.random.default_rng(seed).binomial(n, hits / n, RESAMPLES)) * (100 / n)
    cut, value = RESAMPLES // 40, 100 * hits / n
    return Share(hits, n, min(float(drawn[cut]), value), max(float(drawn[-cut - 1]), value))


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
