"""`coalm report`: evaluations become a page, with the paper's figures beside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note

if TYPE_CHECKING:
    from coalm.report import Written


def report(
    runs: Annotated[list[Path], typer.Argument(help="Evaluation folders, or folders of them.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder for report.html and report.md; else the first.")
    ] = None,
    title: Annotated[str, typer.Option(help="The page's heading.")] = "CoALM: evaluation report",
) -> None:
    """Write report.html and report.md about some evaluations."""
    told(runs, out or runs[0], title)


def told(runs: list[Path], out: Path, title: str) -> "Written":
    """Write the report and print its table."""
    from rich.table import Table

    from coalm.report import build

    written = build(runs, out, title)
    labels = list(dict.fromkeys(label for row in written.summary for label in row.values))
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    for column in (*labels, "change, 95% interval", "CoALM 8B"):
        table.add_column(column, justify="right")
    benchmark = ""
    for row in written.summary:
        if row.benchmark != benchmark:
            benchmark = row.benchmark
            table.add_section()
            table.add_row(benchmark, style="bold")
        # Each model's own interval is in the report; here the difference's is what matters.
        values = [row.values.get(label, "").split(" ")[0] for label in labels]
        table.add_row(f"  {row.metric}", *values, row.gap, row.paper_8b)
    console.print(table)
    for sentence in written.headline:
        console.print(sentence, markup=False, soft_wrap=True)
    note(f"report: {written.html} and {written.md}")
    return written
