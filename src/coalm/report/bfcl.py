"""BFCL's tables: a model's categories and aggregates, with the paper's rows beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from coalm.bench.bfcl.categories import ALL
from coalm.bench.bfcl.folder import ModelScores, Part
from coalm.bench.bfcl.formulas import AGENTIC, NEEDS
from coalm.bench.bfcl.wordings import Wordings
from coalm.report.paper import BFCL, SIZES

NOT_KNOWN = "n/a"
_BESIDE = (*SIZES, "Llama 3.1 8B Instruct", "Llama 3.3 70B Instruct", "GPT4o")
"""The rows of the paper's Table 4 that stand beside ours."""

_RELEVANT = (18, 41)
"""How many relevance questions BFCL had, late in V3 and early."""


def paper_data(model: str) -> str:
    """Which version of V3's data a row of the paper's Table 4 was measured on, as it shows.

    The data is not named in the paper; the relevance figure tells, being a share of 18
    questions or of 41.
    """
    share = BFCL.of(model, "Relevance")
    if share is None:
        return "V3"
    fits = [n for n in _RELEVANT if abs(share - round(share * n / 100) * 100 / n) < 0.006]
    return f"V3, {' or '.join(map(str, fits)) or '?'} relevance questions"


def as_json(scores: ModelScores) -> dict[str, Any]:
    """Everything that the tables show, and what each figure depends on."""
    return {
        "benchmark": "bfcl",
        "model": scores.model,
        "data": scores.data,
        "style": scores.style,
        "function_names": "underscores" if scores.underscores else "dots",
        **({"asked": scores.asked} if scores.asked else {}),
        "aggregates": {
            formula: {
                name: {"score": value, "interval": scores.intervals[formula][name]}
                for name, value in columns.items()
            }
            for formula, columns in scores.aggregates.items()
        },
        "categories": {name: _part(part) for name, part in scores.parts.items()},
        "problems": list(scores.problems),
        "paper": {
            model: {
                "data": paper_data(model),
                **{name: BFCL.of(model, name) for name in BFCL.columns},
            }
            for model in _BESIDE
        },
    }


def as_markdown(scores: ModelScores) -> str:
    """The same for a person: aggregates beside the paper's rows, categories, what is missing."""
    names = "a.b is called a_b" if scores.underscores else "with their dots"
    how = f"Answers read as {_STYLES[scores.style]}; function names {names}."
    lines = [
        f"# BFCL: {scores.model}",
        "",
        f"Data: {scores.data}. {f'Asked: {scores.asked}.' if scores.asked else how} "
        "Brackets hold 95% bootstrap intervals.",
        "",
        *_beside(scores),
        *_v4(scores),
        *_categories(scores),
    ]
    told = [*scores.problems, *(text for part in scores.parts.values() for text in _lacks(part))]
    if told:
        lines += ["## What is missing or odd", "", *(f"- {text}" for text in told), ""]
    return "\n".join(lines)


def wordings_markdown(model: str, found: Wordings) -> str:
    """The test of format sensitivity: each wording, mean, worst, spread."""
    figures = (found.mean, found.worst, found.spread, *found.by_wording)
    rows = [[f.name, _figure(f.value, (f.low, f.high)), str(f.n)] for f in figures]
    lines = [
        f"## Format sensitivity: {model}",
        "",
        f"{found.questions} questions under {len(found.by_wording)} wordings of BFCL's prompt, "
        f"compared question by question. Standard deviation over the wordings: "
        f"{found.deviation:.2f}.",
        "",
        *_table(["wording", "score", "questions"], rows),
        "",
        *(f"- {text}" for text in found.problems),
    ]
    return "\n".join([*lines, ""])


def wordings_json(model: str, found: Wordings) -> dict[str, Any]:
    """The same as values."""
    figures = {"mean": found.mean, "worst": found.worst, "spread": found.spread}
    figures |= {one.name: one for one in found.by_wording}
    return {
        "model": model,
        "questions": found.questions,
        "standard_deviation": found.deviation,
        "figures": {
            name: {"score": one.value, "interval": [one.low, one.high]}
            for name, one in figures.items()
        },
        "problems": list(found.problems),
    }


def unknown_because(scores: ModelScores, formula: str) -> list[str]:
    """The categories without which a formula's overall score is not known."""
    return [name for name in NEEDS[formula] if name in AGENTIC or scores.parts[name].score is None]


_STYLES = {"prompt": "prompted text", "fc": "function calling"}


def table_4(several: Sequence[ModelScores]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: our models by V3's formula, then the paper's, each with its data."""
    rows = []
    for scores in several:
        columns, spread = scores.aggregates["V3"], scores.intervals["V3"]
        ours = [_figure(columns[name], spread[name]) for name in BFCL.columns]
        rows.append([scores.model, scores.data, *ours])
    for model in _BESIDE:
        figures = [BFCL.printed(model, name) or "-" for name in BFCL.columns]
        rows.append([f"{model} (paper)", paper_data(model), *figures])
    return ["model", "data", *BFCL.columns], rows


def table_v4(several: Sequence[ModelScores]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: our models by V4's formula."""
    rows = []
    for scores in several:
        columns, spread = scores.aggregates["V4"], scores.intervals["V4"]
        row = [_figure(value, spread[name]) for name, value in columns.items()]
        rows.append([scores.model, scores.data, *row])
    return ["model", "data", *(several[0].aggregates["V4"] if several else ())], rows


def category_table(several: Sequence[ModelScores]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each category's score and questions, a column a model."""
    rows = []
    for name, category in ALL.items():
        parts = [scores.parts[name] for scores in several]
        if any(part.rows for part in parts):
            cells = [_figure(p.score, p.interval) + f" n={len(p.rows)}" for p in parts]
            rows.append([category.title, *cells, str(category.then)])
    return ["category", *(scores.model for scores in several), "questions in V3"], rows


def lacking(scores: ModelScores) -> list[str]:
    """Sentences for each formula whose overall score is not known, and why."""
    return [
        f"{scores.model}: {formula}'s Overall is {NOT_KNOWN} for want of {_listed(missing)}."
        for formula in NEEDS
        if (missing := unknown_because(scores, formula))
    ]


def _beside(scores: ModelScores) -> list[str]:
    """Table 4's columns."""
    columns = scores.aggregates["V3"]
    lines = ["## BFCL V3", "", *_table(*table_4([scores])), ""]
    lines.append(
        f"Non-Live, of AST, executable and irrelevance: {_figure(columns['Non-Live'], None)}. "
        "Overall is the mean of Non-Live, Live and Multi-Turn. The paper's rows are of older data: "
        "see its remarks. "
    )
    missing = unknown_because(scores, "V3")
    if missing:
        lines.append(f"Overall is {NOT_KNOWN} for want of {_listed(missing)}.")
    return [*lines, ""]


def _v4(scores: ModelScores) -> list[str]:
    columns, spread = scores.aggregates["V4"], scores.intervals["V4"]
    row = [scores.model, *(_figure(value, spread[name]) for name, value in columns.items())]
    lines = ["## BFCL V4", "", *_table(["model", *columns], [row]), ""]
    missing = unknown_because(scores, "V4")
    if missing:
        lines.append(f"Overall is {NOT_KNOWN} for want of {_listed(missing)}.")
    return [*lines, ""]


def _categories(scores: ModelScores) -> list[str]:
    rows = []
    for part in scores.parts.values():
        size = f"{part.right} of {len(part.rows)}" if part.rows else "-"
        rows.append(
            [
                part.category.name,
                _figure(part.score, part.interval),
                size,
                str(part.category.then),
                part.state,
                ", ".join(f"{kind} {n}" for kind, n in part.bases.items()),
            ]
        )
    head = ["category", "score", "right", "questions in V3", "state", "judged by"]
    return ["## Categories", "", *_table(head, rows), ""]


def _lacks(part: Part) -> list[str]:
    """What a person should know of a category: gaps, strangers, why it has no score."""
    name, told = part.category.name, []
    if part.why:
        told.append(f"{name}: not scored: {part.why}")
    if part.missing and part.state != "absent":
        counted = "left out of the score" if part.state == "partial" else "so it has no score"
        told.append(
            f"{name}: {len(part.missing)} of {part.available} questions have no answer, "
            f"{counted}: {_listed(part.missing)}"
        )
    if part.strangers:
        told.append(
            f"{name}: {len(part.strangers)} answers are to no question of this data and do not "
            f"count: {_listed(part.strangers)}"
        )
    return told


def _part(part: Part) -> dict[str, Any]:
    return {
        "score": part.score,
        "interval": part.interval,
        "right": part.right,
        "answers": len(part.rows),
        "questions": part.available,
        "questions_in_v3": part.category.then,
        "state": part.state,
        "why": part.why,
        "judged_by": dict(part.bases),
        "missing": list(part.missing),
        "strangers": list(part.strangers),
    }


def _figure(value: float | None, spread: tuple[float, float] | None) -> str:
    if value is None:
        return NOT_KNOWN
    return f"{value:.2f}" + (f" [{spread[0]:.1f}, {spread[1]:.1f}]" if spread else "")


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns line up as text, too."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return [line(head), rule, *map(line, rows)]


def counts_table(counts: Mapping[str, tuple[int, int]], version: str) -> str:
    """How many questions each category has in the data, and had in V3."""
    rows = [
        [name, str(now), str(then), "" if now == then else f"{now - then:+d}"]
        for name, (now, then) in counts.items()
    ]
    total = [sum(pair[i] for pair in counts.values()) for i in (0, 1)]
    rows.append(["all", str(total[0]), str(total[1]), f"{total[0] - total[1]:+d}"])
    return "\n".join(_table(["category", version, "V3", "change"], rows))
