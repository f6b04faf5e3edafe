"""`coalm score apibank`: prediction files judged under one of API-Bank's protocols."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coalm.cli.shared import console, note
from coalm.errors import RecipeError, unknown

if TYPE_CHECKING:
    from coalm.bench.apibank.damo_rows import Due
    from coalm.bench.apibank.scoring import Scores

PROTOCOLS = ("hammer", "damo", "toolrl")
_DUE: Mapping[str, "Due | None"] = {"calls": "call", "replies": "reply", "both": None}

File = Annotated[Path, typer.Option("--predictions", help="One JSON object a line; see docs.")]
Protocol = Annotated[str, typer.Option(help="hammer, damo or toolrl.")]
Level = Annotated[
    list[str] | None, typer.Option(help="Only this level (L-1, L-2, L-3); repeatable; else all.")
]
Dialect = Annotated[
    str, typer.Option(help="Read answers in this dialect alone; else in whichever fits.")
]
Partial = Annotated[bool, typer.Option("--partial", help="Leave out rows without a prediction.")]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="damo: run each call in a fresh database, as upstream does."),
]
Only = Annotated[
    Literal["calls", "replies", "both"],
    typer.Option(help="damo: score only the calls, or only the replies."),
]
Out = Annotated[Path | None, typer.Option(help="For tables and verdicts; else FILE-scores.")]
Miniature = Annotated[bool, typer.Option("--miniature", help="Score against the bundled cases.")]


def apibank(
    predictions: File,
    protocol: Protocol = "hammer",
    level: Level = None,
    dialect: Dialect = "",
    partial: Partial = False,
    fresh: Fresh = False,
    only: Only = "both",
    out: Out = None,
    miniature: Miniature = False,
) -> None:
    """Score a file of API-Bank predictions: one line a row, ours or LLaMA-Factory's layout."""
    from coalm.bench.apibank import ApiBankDamo, opening
    from coalm.bench.apibank.predictions import read_predictions
    from coalm.bench.apibank.reading import FORMS
    from coalm.bench.apibank.scoring import rows_of, score
    from coalm.bench.table import found_source

    if protocol not in PROTOCOLS:
        raise RecipeError(unknown("protocol of API-Bank's predictions", protocol, PROTOCOLS))
    if dialect and dialect not in FORMS:
        raise RecipeError(unknown("dialect", dialect, FORMS))
    if protocol != "damo" and (fresh or only != "both"):
        raise RecipeError("--fresh and --only are for --protocol damo, which runs calls")
    levels = tuple(map(_level, level or ()))
    found = found_source(opening.source_of(protocol), miniature=miniature)
    note(found.describe())
    benchmark = (
        ApiBankDamo(found, levels, only=_DUE[only], fresh=fresh)
        if protocol == "damo"
        else opening.open_levels(protocol, levels, found)
    )
    read = read_predictions(predictions, rows_of(benchmark))
    scores = score(benchmark, read, forms=(dialect,) if dialect else FORMS, partial=partial)
    _print(scores, str(predictions))
    _leave(scores, out or predictions.with_name(f"{predictions.name.partition('.')[0]}-scores"))


def _level(text: str) -> str:
    """`L-1` of `L-1`, `l1` or `1`."""
    bare = text.strip().lower().removeprefix("l").removeprefix("-")
    return f"L-{bare}" if bare in ("1", "2", "3") else text


def _print(scores: "Scores", title: str) -> None:
    from rich.table import Table

    table = Table(title=f"{title}: apibank:{scores.protocol}", title_justify="left")
    table.add_column("metric")
    for column in ("score", "95% interval", "cases"):
        table.add_column(column, justify="right")
    for one in scores.figures:
        table.add_row(
            one.name,
            f"{one.value:.1f}",
            f"{one.low:.1f} to {one.high:.1f}",
            str(one.n),
            style="bold" if one.main else "",
        )
    console.print(table)
    note(f"data: {scores.version}; {len(scores.cases)} rows in {scores.seconds:.1f} s")
    if scores.missing:
        fate = "left out" if scores.partial else "counted as wrong"
        note(f"{scores.missing} rows have no prediction and are {fate}")
    for said, counts in (
        ("calls were judged", scores.bases),
        ("calls were written in", scores.forms),
        ("answers could not be read", scores.reasons),
        ("mistakes", scores.kinds),
    ):
        if counts:
            note(f"{said}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def _leave(scores: "Scores", folder: Path) -> None:
    from coalm import store

    lines = "".join(store.compact(one.line()) + "\n" for one in scores.cases)
    store.write_text(folder / "verdicts.jsonl", lines)
    store.write_json(folder / "scores.json", scores.as_json())
    note(f"verdicts and scores in {folder}")
