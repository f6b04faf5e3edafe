"""Run folders on disk -> what was measured: figures, cases and losses.

An evaluation folder holds one folder `BENCHMARK.PROTOCOL` for each benchmark, with
`scores.json` and `outcomes.jsonl`. Nothing is repaired here: a missing or torn file is a
`DataError` that names it, and the files are only read.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from coalm.bench.base import Metric
from coalm.bench.stats import Scored
from coalm.errors import DataError
from coalm.report.trainings import METRICS, Training, training
from coalm.store import read_json, read_jsonl, sha256

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCORES, OUTCOMES = "scores.json", "outcomes.jsonl"
FIRST = ("base", "before")
"""Folders that come first within a run, whatever the alphabet says."""

ORDER = ("multiwoz", "apibank", "bfcl")
"""The paper's benchmarks in the order of its tables; others come after them."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric as `scores.json` has it: how it is made, its value and its 95% interval."""

    name: str
    value: float
    low: float
    high: float
    n: int
    """The cases that it is over."""
    numerator: tuple[tuple[str, float], ...]
    denominator: tuple[tuple[str, float], ...] = ()
    only: str = ""
    main: bool = False
    how: Literal["ratio", "worst", "spread"] = "ratio"
    over: str = ""

    @property
    def metric(self) -> Metric:
        """The metric itself, so that it can be taken of other cases."""
        return Metric(**{f.name: getattr(self, f.name) for f in fields(Metric)})


@dataclass(frozen=True, slots=True)
class Scores:
    """What `scores.json` says of one benchmark and one model."""

    benchmark: str
    protocol: str
    version: str
    label: str
    model: str | Mapping[str, Any]
    """Its name, or its name and what else tells it from others, such as a hash."""
    cases: int
    """How many cases were scored."""
    available: int
    """How many the benchmark has."""
    not_answered: int
    metrics: tuple[Measure, ...]
    kinds: Mapping[str, int]
    libraries: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    seed: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    parts: Mapping[str, int] = field(default_factory=dict)
    """Cases of the whole benchmark, by part; older runs do not say."""

    @property
    def name(self) -> str:
        """`multiwoz.dst-json`."""
        return f"{self.benchmark}.{self.protocol}"


@dataclass(frozen=True, slots=True)
class Case:
    """One line of `outcomes.jsonl`."""

    id: str
    ended: str
    gold: str
    answer: str
    scores: Mapping[str, float]
    part: str = ""
    kind: str = ""
    note: str = ""
    prompt: str = ""
    raw: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Why steps could not be read; older runs do not say."""
    cut: int = 0
    """Steps that ended because there was no room for more tokens; older runs do not say."""

    @property
    def failed(self) -> bool:
        """Whether the model answered, and wrongly."""
        return self.kind not in ("", "not answered")


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one benchmark."""

    folder: Path
    scores: Scores
    cases: tuple[Case, ...]
    """The latest outcome of each case, in the order of the file."""
    fingerprint: str
    """The sha256 of `outcomes.jsonl`."""

    def measure(self, name: str) -> Measure | None:
        """A metric's value by name; None where the run has no such metric."""
        return next((m for m in self.scores.metrics if m.name == name), None)

    @property
    def scored(self) -> list[Scored]:
        """The cases as `bench.stats` takes them."""
        return [Scored(c.id, c.part, c.scores) for c in self.cases]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One model on all its benchmarks: a column of the report."""

    label: str
    """Unlike that of every other column."""
    folder: Path
    results: Mapping[str, Result]
    """By `BENCHMARK.PROTOCOL`."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that some run folders hold, in the order they were named."""

    columns: tuple[Evaluated, ...]
    trainings: tuple[Training, ...] = ()

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Every `BENCHMARK.PROTOCOL` that some column has, in the order of the paper's tables."""
        names = dict.fromkeys(name for c in self.columns for name in c.results)
        return tuple(sorted(names, key=place))


def place(name: str) -> tuple[int, str]:
    """Where a `BENCHMARK.PROTOCOL` stands among others: in the order of the paper's tables."""
    benchmark = name.partition(".")[0]
    return (ORDER.index(benchmark) if benchmark in ORDER else len(ORDER), name)


def find(runs: Sequence[Path]) -> Found:
    """Evaluations and trainings in and just below some folders; a `DataError` if no score."""
    evals: dict[Path, dict[str, Path]] = {}
    trains: dict[Path, Path] = {}
    for run in runs:
        if not run.is_dir():
            raise DataError(f"{run}: no such folder")
        for folder in (run, *_below(run)):
            benches = {b.name: b for b in _below(folder) if _is_bench(b)}
            if benches:
                evals.setdefault(folder.resolve(), benches)
            if (folder / METRICS).is_file():
                trains.setdefault(folder.resolve(), folder)
        if _is_bench(run) and run.parent.resolve() not in evals:
            evals[run.parent.resolve()] = {run.name: run}
    if not evals:
        looked = ", ".join(str(run) for run in runs) or "no folder"
        raise DataError(
            f"no scores in {looked}: looked for BENCHMARK.PROTOCOL/{SCORES} in each folder and "
            "in the folders below it; `coalm eval` writes them"
        )
    found = [_evaluated(benches) for benches in evals.values()]
    labels = told_apart([(column.label, column.folder) for column in found])
    return Found(
        tuple(replace(c, label=label) for c, label in zip(found, labels, strict=True)),
        tuple(t for f in trains.values() if (t := training(f)).losses),
    )


def _below(folder: Path) -> list[Path]:
    inner = [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")]
    return sorted(inner, key=lambda f: (f.name not in FIRST, f.name))


def _is_bench(folder: Path) -> bool:
    return (folder / SCORES).is_file() or (folder / OUTCOMES).is_file()


def _evaluated(benches: Mapping[str, Path]) -> Evaluated:
    results: dict[str, Result] = {}
    for folder in benches.values():
        result = _result(folder)
        if result.scores.name in results:
            other = results[result.scores.name].folder
            raise DataError(f"{folder}: holds the same benchmark as {other}; move one away")
        results[result.scores.name] = result
    labels = {r.scores.label for r in results.values()}
    home = next(iter(benches.values())).parent
    return Evaluated(labels.pop() if len(labels) == 1 else home.name, home, results)


def told_apart(named: Sequence[tuple[str, Path]]) -> Iterator[str]:
    """Labels that no two runs share, made of each one's own and of where it lies."""
    taken: set[str] = set()
    every = [label or folder.name for label, folder in named]
    for (_, folder), label in zip(named, every, strict=True):
        if every.count(label) > 1:
            label = f"{label} ({folder.parent.name}/{folder.name})"
        name, copy = label, 2
        while name in taken:
            name, copy = f"{label} #{copy}", copy + 1
        taken.add(name)
        yield name


def _result(folder: Path) -> Result:
    for name, other in ((SCORES, OUTCOMES), (OUTCOMES, SCORES)):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder}: has {other} but no {name}; run the evaluation again to finish it"
            )
    scores = valid(Scores, read_json(folder / SCORES), str(folder / SCORES))
    cases: dict[str, Case] = {}
    for number, row in read_jsonl(folder / OUTCOMES):
        case = valid(Case, row, f"{folder / OUTCOMES}:{number}")
        cases[case.id] = case  # a case that was tried again: its last outcome counts
    result = Result(folder, scores, tuple(cases.values()), sha256(folder / OUTCOMES))
    _agreed(result)
    return result


def _agreed(result: Result) -> None:
    """Refuse scores that do not follow from the outcomes beside them."""
    scores, folder = result.scores, result.folder
    if len(result.cases) != scores.cases:
        raise DataError(
            f"{folder}: {SCORES} counts {scores.cases} cases, {OUTCOMES} holds "
            f"{len(result.cases)}; run the evaluation again to its end"
        )
    rows = [(case.part, case.scores) for case in result.cases]
    for measure in scores.metrics:
        if not math.isclose(measure.value, measure.metric.of(rows), abs_tol=0.01):
            raise DataError(
                f"{folder / SCORES}: {measure.name} is {measure.value:.2f}, but {OUTCOMES} makes "
                f"it {measure.metric.of(rows):.2f}; run the evaluation again"
            )


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def valid(kind: type[V], value: object, where: str) -> V:
    """A value of JSON as that kind; a `DataError` says what is wrong with it, and where."""
    from pydantic import ValidationError

    known: Any = kind
    try:
        found: V = _adapter(known).validate_python(value)
    except ValidationError as e:
        first = e.errors()[0]
        field_ = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: {field_}: {first['msg']}") from None
    return found
