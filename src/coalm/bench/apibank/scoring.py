"""Predictions scored: each text read in every form, judged by a protocol, summed up."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coalm.agent import Reply
from coalm.bench.apibank.predictions import Predictions, Row
from coalm.bench.apibank.reading import FORMS, Read, read
from coalm.bench.apibank.turns import predicted
from coalm.bench.base import Benchmark, Verdict, mean
from coalm.bench.outcomes import clean
from coalm.bench.stats import Figure, Scored, figure

WHOLE = mean("Requirements with every call right (L-3)", "whole")
"""API-Bank's sample accuracy: a mean over requirements, where the others are over rows."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One case with what was predicted for it."""

    id: str
    part: str
    text: str | None
    """None where nothing was predicted."""
    read: Read
    verdict: Verdict

    def line(self) -> dict[str, Any]:
        """The case as a line of `verdicts.jsonl`."""
        return {
            "id": self.id,
            "part": self.part,
            "predicted": self.text is not None,
            "kind": self.verdict.kind,
            "note": clean(self.verdict.note),
            "form": self.read.form,
            "scores": dict(self.verdict.scores),
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """What a prediction file comes to under a protocol."""

    protocol: str
    version: str
    libraries: Mapping[str, str]
    layout: str
    figures: tuple[Figure, ...]
    cases: tuple[Judged, ...]
    missing: int
    """Cases without a prediction."""
    partial: bool
    """Whether those are left out; else they count as silence, which is wrong."""
    seconds: float

    @property
    def kinds(self) -> Mapping[str, int]:
        """How often each mistake, the most frequent first."""
        return dict(
            Counter(one.verdict.kind for one in self.cases if one.verdict.kind).most_common()
        )

    @property
    def forms(self) -> Mapping[str, int]:
        """In which way of writing the calls came, how often."""
        return dict(Counter(one.read.form for one in self.cases if one.read.form).most_common())

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why answers could not be read, how often."""
        found = Counter(one.read.reason for one in self.cases if one.read.reason)
        return {str(reason): count for reason, count in found.most_common()}

    @property
    def bases(self) -> Mapping[str, int]:
        """Of calls that are executed or compared, how many each way; empty elsewhere."""
        found = Counter(
            name.removeprefix("by_")
            for one in self.cases
            for name, value in one.verdict.scores.items()
            if name.startswith("by_") and value
        )
        return dict(found.most_common())

    def as_json(self) -> dict[str, Any]:
        """Everything but the cases."""
        return {
            "benchmark": "apibank",
            "protocol": self.protocol,
            "version": self.version,
            "libraries": dict(self.libraries),
            "layout": self.layout,
            "cases": len(self.cases),
            "missing": self.missing,
            "partial": self.partial,
            "seconds": round(self.seconds, 2),
            "metrics": [asdict(one) for one in self.figures],
            "kinds": self.kinds,
            "forms": self.forms,
            "unreadable": self.reasons,
            "judged": self.bases,
        }


def rows_of(benchmark: Benchmark[Any]) -> list[Row]:
    """What predictions must be told apart by."""
    return [Row(benchmark.id(case), benchmark.gold(case)) for case in benchmark.cases()]


def score(
    benchmark: Benchmark[Any],
    predictions: Predictions,
    *,
    forms: Sequence[str] = FORMS,
    partial: bool = False,
) -> Scores:
    """Score predictions; those that are missing are wrong, or left out if `partial`."""
    begun = time.perf_counter()
    cases = []
    for case in benchmark.cases():
        text = predictions.texts.get(benchmark.id(case))
        if text is not None or not partial:
            cases.append(judged(benchmark, case, text, forms))
    scored = [Scored(one.id, one.part, one.verdict.scores) for one in cases]
    figures = [figure(scored, metric) for metric in benchmark.about.metrics]
    figures.append(figure(_requirements(cases), WHOLE))
    about = benchmark.about
    return Scores(
        about.protocol,
        about.version,
        about.libraries,
        predictions.layout,
        tuple(one for one in figures if one.n),
        tuple(cases),
        len(predictions.missing),
        partial,
        time.perf_counter() - begun,
    )


def judged(
    benchmark: Benchmark[Any], case: Any, text: str | None, forms: Sequence[str] = FORMS
) -> Judged:
    """One case with its prediction, or with None; never raises, whatever the text is."""
    opening = benchmark.opening(case)
    if text is None:
        found, reply = Read(), Reply(opening, "spoke")
    else:
        found = read(text, forms)
        reply = predicted(opening, found, text)
    verdict = benchmark.score(case, reply)
    return Judged(benchmark.id(case), benchmark.part(case), text, found, verdict)


def _requirements(cases: Sequence[Judged]) -> list[Scored]:
    """Of level 3, each requirement: whether all of its calls are right."""
    calls: dict[str, list[float]] = {}
    for one in cases:
        if one.part == "L-3 calls":
            right = one.verdict.scores.get("right", 0.0)
            calls.setdefault(one.id.partition("#")[0], []).append(right)
    return [Scored(name, "L-3", {"whole": min(rights)}) for name, rights in calls.items()]
