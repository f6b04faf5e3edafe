"""`coalm errors`: what went wrong in an evaluation, how often, why, and examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from coalm.cli.shared import console, note
from coalm.errors import RecipeError, unknown

if TYPE_CHECKING:
    from coalm.report.errors import Errors, Example, Table

WAYS = ("kind", "part")

Runs = Annotated[
    list[Path],
    typer.Argument(help="Folders of runs or evaluations; others are held against the first."),
]
By = Annotated[str, typer.Option(help="kind; or part, to count each category apart as well.")]
OfKind = Annotated[str, typer.Option(help="Examples of this kind alone, such as 'no call'.")]
OfPart = Annotated[str, typer.Option(help="Cases of this part alone, such as L-2.")]
Many = Annotated[int, typer.Option(help="Examples of each kind; 0 for none.", min=0)]
Seed = Annotated[int, typer.Option(help="Chooses the examples.")]
Full = Annotated[bool, typer.Option("--full", help="Cut nothing.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page.")]
Md = Annotated[Path | None, typer.Option("--md", help="Write Markdown.")]


def errors(
    runs: Runs,
    by: By = "kind",
    kind: OfKind = "",
    part: OfPart = "",
    examples: Many = 1,
    seed: Seed = 0,
    full: Full = False,
    json: Json = None,
    html: Html = None,
    md: Md = None,
) -> None:
    """Show what went wrong: kinds of errors, why answers could not be read, examples."""
    from coalm.report.errors import Asked
    from coalm.report.errors import errors as found_errors
    from coalm.report.errors_pages import errors_html, errors_json, errors_markdown
    from coalm.store import write_text

    if by not in WAYS:
        raise RecipeError(unknown("way to count", by, WAYS))
    targets = [path for path in (json, html, md) if path]
    for path in targets:
        if path.is_dir():
            raise RecipeError(f"{path}: is a folder; name a file")
    found = found_errors(runs, Asked(by == "part", kind, part, examples, seed))
    if json:
        write_text(json, errors_json(found))
    if html:
        write_text(html, errors_html(found, full=full))
    if md:
        write_text(md, errors_markdown(found, full=full))
    for target in targets:
        note(f"wrote {target}")
    if not targets:
        _print(found, full)


def _print(found: "Errors", full: bool) -> None:
    from coalm.report.errors_pages import moved

    for section in found.sections:
        console.rule(_safe(section.title, "bold"), align="left")
        for extent in section.extents:
            console.print(_safe(extent, "dim"), soft_wrap=True)
        for table in section.tables:
            _print_table(table)
        for one in section.moves:
            for line in moved(one, full=full):
                console.print(_safe(line), soft_wrap=True)
        for example in section.examples:
            _print_example(example, full)


def _print_table(table: "Table") -> None:
    from rich.table import Table as Grid

    grid = Grid(title=_safe(table.title), title_justify="left")
    for place, name in enumerate(table.header):
        words = place < table.words
        grid.add_column(_safe(name), justify="left" if words else "right", overflow="fold")
    for row in table.rows:
        grid.add_row(*map(_safe, row))
    console.print(grid)


def _print_example(example: "Example", full: bool) -> None:
    from coalm.report.errors_pages import texts

    console.print()
    console.print(_safe(f"{example.why}: {example.case.id}", "bold"), soft_wrap=True)
    if example.case.note:
        console.print(_safe(example.case.note), soft_wrap=True)
    for name, text in texts(example, full=full):
        if name:
            console.print(_safe(f"{name}:", "cyan"), soft_wrap=True)
        body = _safe(text)
        for line in body.split("\n", allow_blank=True):
            console.print(Text("  ") + line, soft_wrap=True)


def _safe(text: str, style: str = "") -> Text:
    """What a model or a file said, as text that neither steers the terminal nor is markup."""
    from coalm.formats.show import visible

    return Text(visible(text), style=style)
