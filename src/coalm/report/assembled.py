"""BFCL's scores over several runs of ours: single-turn and multi-turn put together.

A run of `bfcl:single` and one of `bfcl:multi-turn` of one model make V3's and V4's columns;
so do those of the two prompting protocols. The two manners are never mixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.bench.base import Kind, Verdict
from coalm.bench.bfcl.categories import ALL, Category
from coalm.bench.bfcl.folder import ModelScores, Part, Row, put_together
from coalm.errors import DataError
from coalm.report.bfcl import category_table, lacking, table_4, table_v4
from coalm.report.runs import Case, Evaluated, Result

MANNERS: Mapping[str, tuple[str, ...]] = {
    "native": ("bfcl.single", "bfcl.ast", "bfcl.multi-turn"),
    "prompting": ("bfcl.single-prompt", "bfcl.multi-turn-prompt"),
}
"""By manner, the protocols whose categories belong together; the first that has one counts."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of plain text with a title and remarks."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def assemble(model: str, results: Sequence[Result]) -> list[ModelScores]:
    """One model's scores, by manner; a `DataError` where runs do not fit together."""
    by_name: dict[str, Result] = {}
    for result in results:
        other = by_name.get(result.scores.name)
        if other:
            raise DataError(
                f"{result.folder} and {other.folder} are both {result.scores.name} of {model}; "
                "name one of them"
            )
        by_name[result.scores.name] = result
    found = []
    for manner, names in MANNERS.items():
        there = [by_name[name] for name in names if name in by_name]
        if there:
            found.append(_scores(model, manner, there))
    return found


def by_model(columns: Sequence[Evaluated]) -> list[ModelScores]:
    """The same for every model in some evaluations, whichever folders its runs are in."""
    models: dict[str, list[Result]] = {}
    for column in columns:
        for name, result in column.results.items():
            if any(name in names for names in MANNERS.values()):
                said = result.scores.label or column.label
                models.setdefault(said, []).append(result)
    return [scores for model, results in models.items() for scores in assemble(model, results)]


def tables(columns: Sequence[Evaluated]) -> tuple[TextTable, ...]:
    """V3 beside the paper's rows, V4, and categories, of every column with both kinds of turns.

    A column without a conversation, or without a single turn, has tables of its own already.
    """
    several = [
        scores
        for column in columns
        for scores in assemble(column.label, list(column.results.values()))
        if len({ALL[name].single for name, part in scores.parts.items() if part.rows}) == 2
    ]
    if not several:
        return ()
    notes = [*(text for one in several for text in (*lacking(one), *one.problems))]
    made = (
        ("BFCL V3, single-turn and multi-turn together", table_4(several), tuple(notes)),
        ("BFCL V4, without its agentic part", table_v4(several), ()),
        ("BFCL by category", category_table(several), ()),
    )
    return tuple(
        TextTable(title, tuple(head), tuple(map(tuple, rows)), said)
        for title, (head, rows), said in made
    )


def _scores(model: str, manner: str, results: Sequence[Result]) -> ModelScores:
    versions = {result.scores.version: result.folder for result in results}
    if len(versions) > 1:
        told = "; ".join(f"{folder}: {version}" for version, folder in versions.items())
        raise DataError(f"runs of different data are not put together: {told}")
    parts: dict[str, Part] = {}
    weights: dict[str, int] = {}
    sampled: list[str] = []
    for name, category in ALL.items():
        parts[name], weights[name] = Part(category), 0
        for result in results:
            cases = [case for case in result.cases if case.part == name]
            if not cases:
                continue
            whole = _available(result, name, len(cases))
            state = "scored" if whole == len(cases) else "partial"
            rows = [_row(case, category) for case in cases]
            parts[name] = Part(category, rows, whole or 0, state=state)  # type: ignore[arg-type]
            weights[name] = whole or len(cases)
            if state == "partial":
                sampled.append(f"{name} {len(cases)} of {whole or 'an unknown number'}")
            break
    formats = dict.fromkeys(str(r.scores.identity.get("format", "")) for r in results)
    version = next(iter(versions))
    return put_together(
        f"{model}, {manner}",
        f"{version}, samples" if sampled else version,
        parts,
        "prompt" if manner == "prompting" else "fc",
        False,
        [f"{model}, {manner}: scored on samples: {', '.join(sampled)}."] if sampled else [],
        weights=weights,
        asked=f"{manner}, {' and '.join(filter(None, formats))}".rstrip(", "),
    )


def _available(result: Result, part: str, n: int) -> int | None:
    """The questions of a category in the data; None where an older run does not tell."""
    scores = result.scores
    if part in scores.parts:
        return scores.parts[part]
    return n if scores.cases == scores.available else None


def _row(case: Case, category: Category) -> Row:
    if category.wants == "these results":
        basis = "executed" if case.scores.get("executed") else "call match"
    elif category.wants == "these calls":
        basis = "calls"
    else:
        basis = "states" if category.wants == "these states" else category.wants
    kind: Kind = case.kind  # type: ignore[assignment]  # the runs are of this project
    return Row(case.id, Verdict(case.scores, kind, case.note), basis)
