"""`coalm data diff`: what two data folders differ in."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.mixture.diff import Difference

One = Annotated[Path, typer.Argument(metavar="A", help="A data folder.")]
Other = Annotated[Path, typer.Argument(metavar="B", help="The one to compare it with.")]


def diff(
    one: One,
    other: Other,
    examples: Annotated[
        int, typer.Option(help="Rows to name for each corpus and kind of difference.", min=0)
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare the recipes, the sources and the rows of two data folders, A and B."""
    from coalm.mixture.diff import difference

    with bar("rows") as progress:
        tasks: dict[str, int] = {}

        def watch(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = int(progress.add_task(f"reading {what}", total=of, said=""))
            progress.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        found = difference(one, other, examples=examples, progress=watch)
    if as_json:
        typer.echo(json.dumps(found.plain(), ensure_ascii=False))
        return
    _print(found)


def _print(found: "Difference") -> None:
    from rich.table import Table

    from coalm.formats.show import harmless
    from coalm.mixture.diff import FATES

    if found.settings:
        table = Table(title="settings", title_justify="left")
        for column in ("setting", "A", "B"):
            table.add_column(column, overflow="fold")
        for setting in found.settings:
            table.add_row(setting.name, _said(setting.one), _said(setting.other))
        console.print(table)
    for said in found.sources:
        console.print(said, markup=False, soft_wrap=True)
    table = Table(title="rows", title_justify="left")
    table.add_column("corpus")
    for fate in FATES:
        table.add_column(fate, justify="right")
    for corpus, fates in found.rows.items():
        table.add_row(harmless(corpus), *(f"{fates[fate]:,}" for fate in FATES))
    console.print(table)
    for example in found.examples:
        where = f" ({', '.join(example.columns)})" if example.columns else ""
        said = f"{example.fate}: {example.corpus}: {example.id}{where}"
        console.print(harmless(said), markup=False, soft_wrap=True)
    if found.equal:
        note("the rows are the same")


def _said(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
