"""A result folder is scored: each answer judged, categories counted, aggregates by formula."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from coalm.bench.base import Verdict
from coalm.bench.bfcl.answers import Style, calls_of
from coalm.bench.bfcl.categories import ALL, Category
from coalm.bench.bfcl.data import Case, Data
from coalm.bench.bfcl.executable import how
from coalm.bench.bfcl.formulas import FORMULAS, Aggregates, Counts, Scores
from coalm.bench.bfcl.intervals import Interval, draws, interval
from coalm.bench.bfcl.judge import Read, verdict
from coalm.bench.bfcl.reading import Unreadable
from coalm.bench.bfcl.results import Results
from coalm.errors import CoalmError

INFERENCE_FAILED = "Error during inference:"
"""How the official harness writes down what the world kept from being answered."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a folder is read. Both are found out where they are not given."""

    style: Literal["auto", "prompt", "fc"] = "auto"
    """Prompted text, or the model's own function calling: then any answer is a list."""
    names: Literal["auto", "dots", "underscores"] = "auto"
    """Whether `a.b` was to be called `a_b`; auto has it so for function calling."""
    partial: bool = False
    """Score a category over the answers that are there, though some are missing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer, judged."""

    id: str
    verdict: Verdict
    basis: str
    """What the verdict rests on: `calls`, `executed`, `call match`, `states` ..."""

    @property
    def right(self) -> bool:
        """Whether it counts."""
        return self.verdict.scores.get("right", 0.0) == 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One category of one model."""

    category: Category
    rows: Sequence[Row] = ()
    available: int = 0
    """Questions of the data."""
    missing: Sequence[str] = ()
    """Questions without an answer."""
    strangers: Sequence[str] = ()
    """Answers without a question; they do not count."""
    state: Literal["scored", "partial", "incomplete", "absent", "not scored"] = "absent"
    why: str = ""
    """Why it is not scored."""
    interval: Interval | None = None

    @property
    def right(self) -> int:
        """How many answers are."""
        return sum(row.right for row in self.rows)

    @property
    def score(self) -> float | None:
        """0 to 100; None where too little is there to say."""
        if self.state not in ("scored", "partial") or not self.rows:
            return None
        return 100.0 * self.right / len(self.rows)

    @property
    def bases(self) -> Mapping[str, int]:
        """How many verdicts rest on what."""
        return dict(Counter(row.basis for row in self.rows))


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What one model has to show."""

    model: str
    data: str
    """The version of questions and answers."""
    style: Style
    underscores: bool
    parts: Mapping[str, Part]
    aggregates: Mapping[str, Aggregates]
    """By formula."""
    intervals: Mapping[str, Mapping[str, Interval | None]]
    problems: Sequence[str] = field(default_factory=tuple)
    asked: str = ""
    """How it was asked, where the answers are of a run of ours."""


def score_model(results: Results, data: Data, reading: Reading | None = None) -> ModelScores:
    """Judge one model's answers and compute its scores."""
    reading = reading or Reading()
    style: Style = style_of(results) if reading.style == "auto" else reading.style
    underscores = style == "fc" if reading.names == "auto" else reading.names == "underscores"
    parts = {}
    for category in ALL.values():
        if category.name in results.answers:
            given = results.answers[category.name]
            part = _part(category, given, data, style, underscores, reading.partial)
        else:
            part = Part(category)
        parts[category.name] = part
    problems = (*results.problems, *_failed(results))
    return put_together(results.model, data.version, parts, style, underscores, problems)


def put_together(
    model: str,
    version: str,
    parts: Mapping[str, Part],
    style: Style,
    underscores: bool,
    problems: Sequence[str] = (),
    *,
    weights: Counts | None = None,
    asked: str = "",
) -> ModelScores:
    """The aggregates of all categories by every formula, with intervals.

    `weights` are the questions that a category stands for where its answers are a sample.
    """
    scores: Scores = {name: part.score for name, part in parts.items()}
    counts: Counts = weights or {name: len(part.rows) for name, part in parts.items()}
    aggregates = {name: formula(scores, counts) for name, formula in FORMULAS.items()}
    known = {name: (p.right, len(p.rows)) for name, p in parts.items() if p.score is not None}
    drawn = draws(known)
    parts = {name: _with_interval(part, drawn) for name, part in parts.items()}
    resampled = {
        name: [formula(one, counts) for one in drawn] for name, formula in FORMULAS.items()
    }
    intervals = {
        name: {
            column: _spread([one[column] for one in resampled[name]], value)
            for column, value in columns.items()
        }
        for name, columns in aggregates.items()
    }
    return ModelScores(
        model, version, style, underscores, parts, aggregates, intervals, tuple(problems), asked
    )


def style_of(results: Results) -> Style:
    """Function calling if any answer to a question of one turn is a list of calls."""
    for name, answers in results.answers.items():
        if ALL[name].single and any(isinstance(answer, list) for answer in answers.values()):
            return "fc"
    return "prompt"


def _part(
    category: Category,
    given: Mapping[str, object],
    data: Data,
    style: Style,
    underscores: bool,
    partial: bool,
) -> Part:
    if not data.has(category):
        return Part(category, state="not scored", why=f"{data.version} has no such questions")
    cases = data.cases(category) if category.single else []
    ids = [case.id for case in cases] if category.single else data.ids(category)
    known = set(ids)
    missing = [name for name in ids if name not in given]
    strangers = [name for name in given if name not in known]
    answers = {name: given[name] for name in ids if name in given}
    try:
        rows = (
            _judged(cases, answers, style, underscores)
            if category.single
            else _conversations(category, answers, data)
        )
    except CoalmError as e:
        return Part(category, (), len(ids), missing, strangers, "not scored", str(e))
    state: Literal["scored", "partial", "incomplete"] = "scored"
    if missing:
        state = "partial" if partial and rows else "incomplete"
    return Part(category, rows, len(ids), missing, strangers, state)


def _judged(
    cases: Sequence[Case], answers: Mapping[str, object], style: Style, underscores: bool
) -> list[Row]:
    rows = []
    for case in cases:
        if case.id not in answers:
            continue
        category = case.category
        read: Read
        try:
            read = calls_of(answers[case.id], style, category.language)
        except Unreadable as e:
            read = e
        basis = how(case) if case.expected else "calls" if case.wanted else category.wants
        rows.append(Row(case.id, verdict(case, read, underscores), basis))
    return rows


def _conversations(category: Category, answers: Mapping[str, object], data: Data) -> list[Row]:
    from coalm.bench.bfcl.multiturn import score_results

    judged = score_results(category.name, answers, data)
    return [Row(name, judged[name], "states") for name in answers]


def _with_interval(part: Part, drawn: list[dict[str, float]]) -> Part:
    found = interval(drawn, lambda one: one[part.category.name], part.score)
    return Part(
        part.category,
        part.rows,
        part.available,
        part.missing,
        part.strangers,
        part.state,
        part.why,
        found,
    )


def _spread(values: Sequence[float | None], value: float | None) -> Interval | None:
    return interval([{"": v} for v in values if v is not None], lambda one: one[""], value)


def _failed(results: Results) -> list[str]:
    """How many answers are none: they are scored as the official harness does, and told."""
    found = []
    for name, answers in results.answers.items():
        failed = sum(
            isinstance(a, str) and a.startswith(INFERENCE_FAILED) for a in answers.values()
        )
        if failed:
            found.append(
                f"{name}: {failed} answers are notes that inference failed; they are scored as "
                "answers, as officially: ask them again for a score of the model"
            )
    return found
