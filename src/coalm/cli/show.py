"""`coalm show`: what a row looks like to the model, and which of it is learned."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note

if TYPE_CHECKING:
    from coalm.formats import Piece


def show(
    data: Annotated[Path, typer.Argument(help="A data folder, or a .parquet or .jsonl of rows.")],
    limit: Annotated[int, typer.Option(help="Rows to show.", min=1)] = 3,
    corpus: Annotated[str, typer.Option(help="Only rows of this corpus.")] = "",
    layout: Annotated[str, typer.Option(help="Whose turn markers.")] = "chatml",
    dialect: Annotated[str, typer.Option(help="How calls are written; else the row's own.")] = "",
    rows: Annotated[bool, typer.Option(help="The paper's instruction/input/output rows.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page instead of the terminal.")] = None,
) -> None:
    """Paint rows as they are trained on: learned text stands out from what is only read."""
    from coalm import shards, store
    from coalm.errors import DataError
    from coalm.formats import format_of
    from coalm.formats.show import legend, lines_for_terminal, page

    if not data.exists():
        raise DataError(f"{data} is not there; show takes a data folder or a file of rows")
    read = shards.read_split(data, "train") if data.is_dir() else shards.read_samples(data)
    format_of(layout, dialect or "json")
    found = (s for s in read if not corpus or s.corpus == corpus)
    painted: list[tuple[str, list[list[Piece]]]] = []
    for sample in islice(found, limit):
        fmt = format_of(layout, dialect or sample.dialect or "json", rows=rows)
        painted.append((f"{sample.id} ({fmt.name})", fmt.examples(sample.dialogue)))
    if not painted:
        raise DataError(f"{data} has no rows{f' of the corpus {corpus!r}' if corpus else ''}")
    if html:
        store.write_text(html, page(painted, f"{data}: what is learned"))
        note(f"wrote {html}")
        return
    for name, examples in painted:
        console.rule(name)
        for example in examples:
            console.print(lines_for_terminal(example), soft_wrap=True)
    console.print(legend())
