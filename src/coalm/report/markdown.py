"""A report as Markdown, for a repository: the page's tables and failures, without pictures."""

import re
from collections.abc import Iterable, Sequence

from coalm.formats.show import visible
from coalm.report.assembled import TextTable
from coalm.report.compare import DASH, title
from coalm.report.failures import RULE, Failure
from coalm.report.kind_tables import KindTable
from coalm.report.paper import SIZES, SOURCE
from coalm.report.provenance import Provenance
from coalm.report.view import BenchTable, Cell, Page, Row


def markdown(page: Page) -> str:
    """The whole report, GitHub's flavour of Markdown."""
    parts = [
        f"# {plain(page.title)}",
        "\n".join(f"- {plain(line)}" for line in page.headline),
        f"The paper's figures are from [CoALM, arXiv 2502.08820]({SOURCE}). Brackets hold 95% "
        "intervals; n counts cases.",
        *(_bench(page, table) for table in page.tables),
        *(_assembled(table) for table in page.assembled),
        "## Errors by kind",
        *(_kinds(page, table) for table in page.kinds),
        "## Failures to learn from",
        RULE if page.failures else "No model failed on any case.",
        *(_failure(number, failure) for number, failure in enumerate(page.failures, 1)),
        "## Where the numbers come from",
        *(_provenance(page, facts) for facts in page.provenance),
    ]
    return visible("\n\n".join(parts) + "\n")


def _bench(page: Page, table: BenchTable) -> str:
    last, first = page.labels[-1], page.labels[0]
    difference = [f"{last} minus {first}"] if page.compared else []
    header = ["Metric", *page.labels, *difference, *(f"{size} (paper)" for size in SIZES)]
    rows = [_row(page, row) for row in table.rows]
    more = [_row(page, row) for row in table.more]
    notes = "\n".join(f"- {plain(note)}" for note in table.notes)
    return "\n\n".join(
        part
        for part in (
            f"## {plain(table.title)}",
            f"{plain(table.extent)}.",
            grid(header, rows),
            _folded(f"{len(more)} more figures", grid(header, more)) if more else "",
            notes,
        )
        if part
    )


def _assembled(table: TextTable) -> str:
    rows = [[plain(cell) for cell in row] for row in table.rows]
    notes = "\n".join(f"- {plain(note)}" for note in table.notes)
    parts = (f"## {plain(table.title)}", grid(table.header, rows), notes)
    return "\n\n".join(part for part in parts if part)


def _row(page: Page, row: Row) -> list[str]:
    name = f"**{plain(row.metric)}**" if row.main else plain(row.metric)
    gap = DASH
    if row.gap:
        gap = f"{row.gap.value} {row.gap.interval}"
        gap = f"**{gap}** {row.gap.leaning}" if row.gap.leaning else gap
    return [
        name,
        *(_cell(cell) for cell in row.cells),
        *([gap] if page.compared else []),
        *(f"{figure}{row.mark}" if figure != DASH else figure for figure in row.paper),
    ]


def _cell(cell: Cell | None) -> str:
    return f"{cell.value} {cell.interval} n={cell.n:,}" if cell else DASH


def _kinds(page: Page, table: KindTable) -> str:
    rows = [[plain(kind), *cells] for kind, cells in table.rows]
    return f"### {plain(table.title)}\n\n" + grid([table.what, *page.labels], rows)


def _failure(number: int, failure: Failure) -> str:
    case = failure.case
    about = [
        f"- Model: {plain(failure.label)}",
        f"- Kind: {plain(case.kind)}" + (f"; {plain(case.note)}" if case.note else ""),
        *([f"- {plain(failure.right_before)} had it right."] if failure.right_before else []),
    ]
    return "\n\n".join(
        [
            f"### {number}. {plain(title(failure.benchmark))}: {plain(case.id)}",
            "\n".join(about),
            f"Gold:\n\n{fenced(case.gold)}",
            *(
                f"The model wrote:\n\n{fenced(text or '(nothing)')}"
                for text in case.raw or (case.answer,)
            ),
            _folded("The prompt", fenced(case.prompt)),
        ]
    )


def _provenance(page: Page, facts: Provenance) -> str:
    rows = [[plain(name), *(plain(v) or DASH for v in values)] for name, values in facts.rows]
    table = f"### {plain(facts.title)}\n\n" + grid(["", *page.labels], rows)
    again = [f"To measure {plain(who)} again:\n\n{fenced(what)}" for who, what in facts.commands]
    return "\n\n".join([table, *again])


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already, except the header's; every row has the header's width."""
    lines = [[plain(name) for name in header], ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Text on one line that Markdown leaves as it is."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", flat)


def _folded(summary: str, inside: str) -> str:
    """What is shown when somebody asks for it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{inside}\n\n</details>"


def fenced(text: str) -> str:
    """Text as a code block, with a fence that it cannot close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
