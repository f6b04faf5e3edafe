"""What a report shows, worked out once for the page and for the Markdown.

Everything here is text and small values, ready to be set; the only numbers are those of
the runs and those of the paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from coalm.bench.stats import Figure
from coalm.report.assembled import TextTable, tables
from coalm.report.beside import Beside, Likeness, absent, beside
from coalm.report.compare import DASH, Gaps, count, gaps, headline, interval, title
from coalm.report.failures import Failure, choose
from coalm.report.kind_tables import KindTable, kind_tables
from coalm.report.paper import SIZES
from coalm.report.provenance import Provenance, provenance
from coalm.report.runs import Evaluated, Found, Measure

Leaning: TypeAlias = Literal["", "better", "worse", "higher", "lower"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One of our figures: `12.5`, `[8.1, 17.0]`, and the cases it is over."""

    value: str
    interval: str
    n: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The last model minus the first: `+12.5`, `[+8.1, +17.0]`, and what that comes to."""

    value: str
    interval: str
    leaning: Leaning
    """Empty where the interval holds 0. A side figure is only higher or lower, because more
    of it need not be better."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one benchmark."""

    metric: str
    main: bool
    cells: tuple[Cell | None, ...]
    """By column; None where a model was not measured."""
    gap: Gap | None
    """None where the two models are not compared."""
    paper: tuple[str, ...]
    """The paper's figures for `SIZES`, as printed; a dash where there is none."""
    mark: str
    """One of `MARKS`; empty where the paper has no figure."""
    measures: tuple[Measure | None, ...]
    """The figures themselves, for the plot."""
    counterpart: Beside | None


@dataclass(frozen=True, slots=True)
class BenchTable:
    """One benchmark: metrics by models, the paper's beside ours."""

    name: str
    title: str
    extent: str
    """How many cases of how many."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    more: tuple[Row, ...] = ()
    """Rows that break the others down, where there are too many to be taken in at once."""


@dataclass(frozen=True, slots=True)
class Page:
    """A report."""

    title: str
    headline: tuple[str, ...]
    labels: tuple[str, ...]
    """The models, in order."""
    compared: bool
    """Whether there is a first and a last model that differ."""
    tables: tuple[BenchTable, ...]
    kinds: tuple[KindTable, ...]
    failures: tuple[Failure, ...]
    provenance: tuple[Provenance, ...]
    assembled: tuple[TextTable, ...] = ()
    """Scores over several protocols together."""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of the table that a terminal shows."""

    benchmark: str
    metric: str
    values: Mapping[str, str]
    """By model, `12.5 [8.1, 17.0]`; a dash where it was not measured."""
    gap: str
    """The last model minus the first; empty where they are not compared."""
    paper_8b: str
    """CoALM 8B's figure in the paper, marked as in the page; a dash where there is none."""


LONGEST, LEADING = 30, 10
"""Rows that a table may have before it is cut to its first ones and to what the paper has."""
MARKS: Mapping[Likeness, str] = {"other protocol": "†", "same measure": "‡"}
"""The sign beside a figure of the paper that leads to what is different about it."""


def page(found: Found, title: str) -> Page:
    """The whole report as values."""
    differences = gaps(found)
    return Page(
        title,
        headline(found, differences),
        tuple(c.label for c in found.columns),
        len(found.columns) > 1,
        tuple(_bench(found, name, differences) for name in found.benchmarks),
        tuple(t for name in found.benchmarks for t in kind_tables(found.columns, name)),
        choose(found.columns),
        tuple(provenance(found.columns, name) for name in found.benchmarks),
        tables(found.columns),
    )


def summary_table(shown: Page) -> tuple[SummaryRow, ...]:
    """The metrics of every benchmark but for their break-downs, as text for the terminal."""
    return tuple(
        SummaryRow(
            table.title,
            row.metric,
            {
                label: f"{cell.value} {cell.interval}" if cell else DASH
                for label, cell in zip(shown.labels, row.cells, strict=True)
            },
            f"{row.gap.value} {row.gap.interval}" if row.gap else "",
            f"{row.paper[0]}{row.mark}",
        )
        for table in shown.tables
        for row in table.rows
    )


# --- a benchmark's table ------------------------------------------------------------------


def _bench(found: Found, name: str, differences: Gaps) -> BenchTable:
    names = dict.fromkeys(
        m.name
        for c in found.columns
        if name in c.results
        for m in c.results[name].scores.metrics
        if not _says_again(found.columns, name, m)
    )
    rows = [_row(found.columns, name, metric, differences) for metric in names]
    notes = tuple(_notes(name, rows))
    shown, more = rows, []
    if len(rows) > LONGEST:
        shown = [row for n, row in enumerate(rows) if n < LEADING or row.main or row.counterpart]
        more = [row for row in rows if row not in shown]
    extent = _extent(found.columns, name)
    return BenchTable(name, title(name), extent, tuple(shown), notes, tuple(more))


def _says_again(columns: Sequence[Evaluated], name: str, one: Measure) -> bool:
    """Whether a figure over one part repeats another, since no case is of any other part."""
    results = [c.results[name] for c in columns if name in c.results]
    if not one.only or any(case.part != one.only for r in results for case in r.cases):
        return False
    whole = replace(one.metric, name="", only="", main=False)
    every = (m.metric for r in results for m in r.scores.metrics if not m.only)
    return any(replace(other, name="", main=False) == whole for other in every)


def _row(columns: Sequence[Evaluated], name: str, metric: str, differences: Gaps) -> Row:
    measures = tuple(
        c.results[name].measure(metric) if name in c.results else None for c in columns
    )
    one = next(m for m in measures if m)
    benchmark, _, protocol = name.partition(".")
    # A run of one level alone has that level's figure, whatever its metric is called.
    parts = {case.part for c in columns if name in c.results for case in c.results[name].cases}
    only = one.only or (parts.pop() if len(parts) == 1 else "")
    counterpart = beside(benchmark, protocol, metric, only)
    gap = differences.get((name, metric))
    return Row(
        metric,
        one.main,
        tuple(Cell(f"{m.value:.1f}", interval(m), m.n) if m else None for m in measures),
        _gap(gap) if gap else None,
        _printed(counterpart),
        MARKS[counterpart.likeness] if counterpart else "",
        measures,
        counterpart,
    )


def _gap(gap: Figure) -> Gap:
    leaning: Leaning = ""
    if gap.apart:
        up = gap.value > 0
        leaning = ("better" if up else "worse") if gap.main else ("higher" if up else "lower")
    return Gap(f"{gap.value:+.1f}", f"[{gap.low:+.1f}, {gap.high:+.1f}]", leaning)


def _printed(counterpart: Beside | None) -> tuple[str, ...]:
    figures = counterpart.printed(SIZES) if counterpart else (None,) * len(SIZES)
    return tuple(figure or DASH for figure in figures)


def _extent(columns: Sequence[Evaluated], name: str) -> str:
    said = {}
    for column in columns:
        if name in column.results:
            s = column.results[name].scores
            whole = s.cases + s.not_answered == s.available
            of = f"all {count(s.available)}" if whole else f"{s.cases:,} of {count(s.available)}"
            seed = "" if whole or s.seed is None else f", chosen with seed {s.seed}"
            lost = f", {s.not_answered:,} not answered" if s.not_answered else ""
            said[column.label] = f"{of}{seed}{lost}"
    if len(set(said.values())) == 1 and len(said) == len(columns):
        return next(iter(said.values()))
    return "; ".join(f"{label}: {text}" for label, text in said.items())


def _notes(name: str, rows: Sequence[Row]) -> list[str]:
    there = [row.counterpart for row in rows if row.counterpart]
    notes = [*(_departure(one) for one in there), *(r for one in there for r in one.table.remarks)]
    benchmark, _, protocol = name.partition(".")
    left_out = absent(benchmark, protocol)
    if left_out and len(there) < len(rows):
        notes.append(left_out)
    return list(dict.fromkeys(notes))


def _departure(there: Beside) -> str:
    mark, table = MARKS[there.likeness], there.table
    match there.likeness:
        case "other protocol":
            return (
                f"{mark} Not directly comparable. The paper's figure (Table {table.number}) is "
                f"from another protocol: {table.protocol}. Here, {there.note}."
            )
        case "same measure":
            return (
                f"{mark} Compare with care. Table {table.number} has the same measure "
                f"({table.protocol}), but here {there.note}; where ours is a sample, read its "
                "interval."
            )
        case _:
            assert_never(there.likeness)
