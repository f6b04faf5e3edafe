"""CRA samples, whoever wrote them, held against SGD: which are turned down, and why.

Streams: of samples and dialogues never more is held than a batch.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from coalm.corpora.sgd import ARCHIVE, Service, SgdDialogue, dialogues, schema
from coalm.cra.annotated import annotated
from coalm.cra.check import check
from coalm.cra.findings import KINDS, Finding, Kind
from coalm.cra.select import EVERYTHING, Selection
from coalm.errors import DataError
from coalm.sources import Found
from coalm.types import Assistant, Observation, Sample, System, Turn, User

BATCH = 2000
"""Samples of a file that are held at a time, while SGD is read once for them."""

_ID = re.compile(r"^[^/]*cra[^/]*/(train|dev|test)/([^#]+)(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Audited:
    """A sample and what was found."""

    sample: Sample
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A finding with the turn that it is about."""

    id: str
    turn: int
    note: str
    text: str


@dataclass(slots=True)
class Tally:
    """Counts of an audit, and some examples of each kind."""

    examples: int = 3
    """How many examples of a kind are kept: the first ones."""
    rows: int = 0
    rejected: int = 0
    reasons: Counter[Kind] = field(default_factory=Counter)
    """Rows by the gravest kind found in them."""
    having: Counter[Kind] = field(default_factory=Counter)
    """Rows that have a kind at all."""
    kept: dict[Kind, list[Example]] = field(default_factory=dict)

    def add(self, one: Audited) -> None:
        """Count a row."""
        self.rows += 1
        if not one.findings:
            return
        self.rejected += 1
        self.reasons[one.findings[0].kind] += 1
        self.having.update({f.kind for f in one.findings})
        first = one.findings[0]
        among = self.kept.setdefault(first.kind, [])
        if len(among) < self.examples:
            among.append(Example(one.sample.id, first.turn, first.note, told(one.sample, first)))

    def table(self) -> Iterator[tuple[Kind, int, int]]:
        """Kind, rows turned down for it, rows that have it; kinds that were not found too."""
        for kind in KINDS:
            yield kind, self.reasons[kind], self.having[kind]


def annotations(
    found: Found, *, limit: int | None = None, selection: Selection = EVERYTHING
) -> Iterator[Audited]:
    """The samples made of SGD's annotations, with what is wrong with each."""
    path = found.path(ARCHIVE)
    services = schema(path)
    selection.known(services)
    chosen = (d for d in dialogues(path) if selection.keeps(d))
    for dialogue in islice(chosen, limit):
        sample = annotated(dialogue, services)
        yield Audited(sample, check(sample, dialogue, services))


def samples(found: Found, rows: Iterable[Sample]) -> Iterator[Audited]:
    """Samples from a file with what is wrong with each, in batches, each in SGD's order.

    One whose id names no dialogue of SGD, or one that is not there, is of broken form.
    Rows of other corpora must not be among them: see `is_cra`.
    """
    services: dict[str, Mapping[str, Service]] = {}
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        named: dict[str, dict[str, list[Sample]]] = {}
        for sample in batch:
            match = _ID.match(sample.id)
            if match is None:
                yield _lost(sample, "the id names no dialogue: sgd-cra/train/DIALOGUE")
                continue
            named.setdefault(match[1], {}).setdefault(match[2], []).append(sample)
        for split, wanted in named.items():
            path = _split(found, split)
            known = services.get(split) or services.setdefault(split, schema(path))
            yield from _looked_up(path, known, wanted)


def is_cra(sample: Sample) -> bool:
    """Whether a sample is one that can be audited."""
    return _ID.match(sample.id) is not None or "cra" in sample.corpus


def _split(found: Found, split: str) -> Path:
    path = found.path(ARCHIVE.replace("train", split))
    if not path.exists():
        raise DataError(f"{path}: the samples are of SGD's {split} split, which is not there")
    return path


def _looked_up(
    path: Path, services: Mapping[str, Service], wanted: dict[str, list[Sample]]
) -> Iterator[Audited]:
    """Each sample beside its dialogue; the reading ends when all are found."""
    for dialogue in dialogues(path):
        for sample in wanted.pop(dialogue.id, ()):
            yield Audited(sample, _checked(sample, dialogue, services))
        if not wanted:
            return
    for missing in wanted.values():
        for sample in missing:
            yield _lost(sample, f"{path.name} has no such dialogue")


def _checked(
    sample: Sample, dialogue: SgdDialogue, services: Mapping[str, Service]
) -> tuple[Finding, ...]:
    missing = [name for name in dialogue.services if name not in services]
    if missing:
        return (Finding("broken form", -1, f"SGD's schema lacks {missing[0]}"),)
    return check(sample, dialogue, services)


def _lost(sample: Sample, why: str) -> Audited:
    return Audited(sample, (Finding("broken form", -1, why),))


def told(sample: Sample, finding: Finding) -> str:
    """The turn that a finding is about, on one line."""
    if not 0 <= finding.turn < len(sample.dialogue.turns):
        return ""
    return line(sample.dialogue.turns[finding.turn])


def line(turn: Turn) -> str:
    """A turn on one line: thought, calls and words."""
    match turn:
        case Assistant(text, thought, calls):
            made = [
                f"{c.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})"
                for c in calls
            ]
            parts = [f"({thought})" if thought else "", *made, text]
        case System(text) | User(text) | Observation(text):
            parts = [text]
    return " ".join(" ".join(filter(None, parts)).split())
