"""A report as Markdown, for a repository: the page's tables and failures, without pictures."""

import re
from collections.abc import Iterable, Sequence

from coalm.report.assembled import TextTable
from coalm.report.compare import title
from coalm.report.failures import RULE, Failure
from coalm.report.paper import SIZES, SOURCE
from coalm.report.provenance import Provenance
from coalm.report.view import DASH, BenchTable, Cell, KindTable, Page, Row
from coalm.report.visible import visible


def markdown(page: Page) -> str:
    """The whole report, GitHub's flavour of Markdown."""
    parts = [
        f"# {_plain(page.title)}",
        "\n".join(f"- {_plain(line)}" for line in page.headline),
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
    notes = "\n".join(f"- {_plain(note)}" for note in table.notes)
    return "\n\n".join(
        part
        for part in (
            f"## {_plain(table.title)}",
            f"{_plain(table.extent)}.",
            _table(header, rows),
            notes,
        )
        if part
    )


def _assembled(table: TextTable) -> str:
    rows = [[_plain(cell) for cell in row] for row in table.rows]
    notes = "\n".join(f"- {_plain(note)}" for note in table.notes)
    parts = (f"## {_plain(table.title)}", _table(table.header, rows), notes)
    return "\n\n".join(part for part in parts if part)


def _row(page: Page, row: Row) -> list[str]:
    name = f"**{_plain(row.metric)}**" if row.main else _plain(row.metric)
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
    rows = [[_plain(kind), *cells] for kind, cells in table.rows]
    return f"### {_plain(table.title)}\n\n" + _table(["Kind", *page.labels], rows)


def _failure(number: int, failure: Failure) -> str:
    case = failure.case
    about = [
        f"- Model: {_plain(failure.label)}",
        f"- Kind: {_plain(case.kind)}" + (f"; {_plain(case.note)}" if case.note else ""),
        *([f"- {_plain(failure.right_before)} had it right."] if failure.right_before else []),
    ]
    return "\n\n".join(
        [
            f"### {number}. {_plain(title(failure.benchmark))}: {_plain(case.id)}",
            "\n".join(about),
            f"Gold:\n\n{_fenced(case.gold)}",
            *(
                f"The model wrote:\n\n{_fenced(text or '(nothing)')}"
                for text in case.raw or (case.answer,)
            ),
            f"<details>\n<summary>The prompt</summary>\n\n{_fenced(case.prompt)}\n\n</details>",
        ]
    )


def _provenance(page: Page, facts: Provenance) -> str:
    rows = [[_plain(name), *(_plain(v) or DASH for v in values)] for name, values in facts.rows]
    table = f"### {_plain(facts.title)}\n\n" + _table(["", *page.labels], rows)
    again = [f"To measure {_plain(who)} again:\n\n{_fenced(what)}" for who, what in facts.commands]
    return "\n\n".join([table, *again])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already, except the header's; every row has the header's width."""
    lines = [[_plain(name) for name in header], ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text on one line that Markdown leaves as it is."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", flat)


def _fenced(text: str) -> str:
    """Text as a code block, with a fence that it cannot close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
