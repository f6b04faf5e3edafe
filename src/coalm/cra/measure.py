"""How well the check finds planted errors: recall and precision by kind, on real dialogues."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from coalm.corpora.sgd import Service, SgdDialogue
from coalm.cra.annotated import annotated
from coalm.cra.check import check
from coalm.cra.donors import Donors
from coalm.cra.findings import Kind
from coalm.cra.phrases import Draw
from coalm.cra.plant import ERRORS, Planted, plant


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a kind of error, or one of its variants."""

    kind: Kind
    variant: str
    """Empty for the kind as a whole."""
    planted: int
    found: int
    """Rows with any finding: they would be left out of a training set."""
    as_kind: int
    """Rows whose findings name this kind, at the turn where the error is."""
    precision: float | None
    """Of the rows that are rejected for this reason, the share in which it was planted."""

    @property
    def recall(self) -> float:
        """The share that is found at all."""
        return self.found / self.planted if self.planted else 0.0


@dataclass(slots=True)
class Measured:
    """Counts over a mix of sound rows with and without a planted error."""

    planted: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    found: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    as_kind: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    reasons: Counter[Kind] = field(default_factory=Counter)
    """The reason of every rejected row, planted in or not."""
    right: Counter[Kind] = field(default_factory=Counter)
    """Those of them in which an error of that kind was planted."""
    clean: int = 0
    clean_rejected: Counter[Kind] = field(default_factory=Counter)
    missed: list[Planted] = field(default_factory=list)
    """The first planted errors that were not found, to be looked at."""

    def rows(self) -> Iterator[Row]:
        """The table: each kind, and below it its variants."""
        for kind, variants in ERRORS.items():
            keys = [(kind, name) for name in variants]
            reasons = self.reasons[kind]
            yield Row(
                kind,
                "",
                sum(self.planted[k] for k in keys),
                sum(self.found[k] for k in keys),
                sum(self.as_kind[k] for k in keys),
                self.right[kind] / reasons if reasons else None,
            )
            for key in keys:
                if self.planted[key]:
                    counts = (self.planted[key], self.found[key], self.as_kind[key])
                    yield Row(kind, key[1], *counts, None)


def measure(
    dialogues: Iterable[SgdDialogue],
    services: Mapping[str, Service],
    *,
    rate: float,
    seed: int = 42,
    examples: int = 20,
) -> Measured:
    """Plant one error in about `rate` of the sound rows, each kind as often, and check all.

    Rows that are rejected as they are get no error; they count among those without one.
    """
    counts, donors, kinds = Measured(), Donors(), list(ERRORS)
    turn = 0
    for dialogue in dialogues:
        sample = annotated(dialogue, services)
        findings = check(sample, dialogue, services)
        draw = Draw(str(seed), dialogue.id, "plant")
        one = None
        if not findings and draw.pick(10_000) < rate * 10_000:
            kind = kinds[turn % len(kinds)]
            one = plant(sample, dialogue, services, donors, kind, draw)
            turn += 1
        if one is not None:
            findings = check(one.sample, dialogue, services)
            _count(counts, one, [f.kind for f in findings if f.turn == one.turn], bool(findings))
            if not findings and len(counts.missed) < examples:
                counts.missed.append(one)
        else:
            counts.clean += 1
            if findings:
                counts.clean_rejected[findings[0].kind] += 1
        if findings:
            counts.reasons[findings[0].kind] += 1
            counts.right[findings[0].kind] += one is not None and one.kind == findings[0].kind
        else:
            donors.take(sample)
    return counts


def _count(counts: Measured, one: Planted, here: list[Kind], found: bool) -> None:
    key = (one.kind, one.variant)
    counts.planted[key] += 1
    counts.found[key] += found
    counts.as_kind[key] += one.kind in here
