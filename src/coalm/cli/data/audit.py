"""`coalm data audit`: which ReAct conversations are not fit to be learned from, and why."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.cra.audit import Audited, Tally
    from coalm.cra.measure import Measured
    from coalm.sources import Found
    from coalm.types import Sample

Rate = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="Plant errors in this share of the sound rows; show what is found."
    ),
]


def audit(
    path: Annotated[
        Path | None,
        typer.Argument(help="A data folder, or a .parquet or .jsonl; else SGD's annotations."),
    ] = None,
    plant: Rate = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Chooses what is planted, and where.")] = 42,
    examples: Annotated[int, typer.Option(help="Examples shown of each reason.", min=0)] = 2,
    json: Annotated[
        Path | None, typer.Option(help="Write every finding, one a line, or the planted table.")
    ] = None,
) -> None:
    """Check every ReAct conversation from SGD: calls, arguments, results, thoughts, answers."""
    from coalm.errors import DataError, RecipeError
    from coalm.sources import find

    found = find("sgd")
    note(found.describe())
    if plant is not None:
        if path is not None:
            raise RecipeError("--plant measures the check on SGD's annotations; leave out the path")
        _planted(found, plant, limit, seed, examples, json)
        return
    if path is not None and not path.exists():
        raise RecipeError(f"{path} is not there; audit takes a data folder or a file of rows")
    tally = _audited(found, path, limit, examples, json)
    if path is not None and not tally.rows:
        raise DataError(f"{path} has no ReAct rows from SGD; their ids begin with sgd-cra/")
    _show(tally)
    if json:
        note(f"wrote {json}")


def _audited(
    found: "Found", path: Path | None, limit: int | None, examples: int, json: Path | None
) -> "Tally":
    from coalm import store
    from coalm.cra.audit import Tally, annotations, samples

    tally = Tally(examples)
    others = [0]
    rows = (
        annotations(found, limit=limit)
        if path is None
        else samples(found, _read(path, limit, others))
    )
    with ExitStack() as stack:
        out = stack.enter_context(store.atomic(json)) if json else None
        progress = stack.enter_context(bar("rows"))
        task = progress.add_task("audit", total=limit, said="")
        for one in rows:
            tally.add(one)
            if out:
                out.writelines(store.compact(row) + "\n" for row in _lines(one))
            if tally.rows % 50 == 0:
                progress.update(task, completed=tally.rows, said=f"{tally.rejected} rejected")
    if others[0]:
        note(f"{others[0]:,} rows of other corpora were passed over")
    return tally


def _read(path: Path, limit: int | None, others: list[int]) -> "Iterator[Sample]":
    """The CRA samples of a folder or a file; `others` counts the rest."""
    from coalm import shards
    from coalm.cra.audit import is_cra

    splits = [s for s in shards.SPLITS if path.is_dir() and any(path.glob(f"{s}-*.parquet"))]
    if path.is_dir() and not splits:
        splits = ["train"]  # whose reader says what is missing
    sources = [shards.read_split(path, s) for s in splits] or [shards.read_samples(path)]
    count = 0
    for source in sources:
        for sample in source:
            if not is_cra(sample):
                others[0] += 1
                continue
            yield sample
            count += 1
            if count == limit:
                return


def _lines(one: "Audited") -> Iterator[dict[str, object]]:
    from coalm.cra.audit import told

    for number, finding in enumerate(one.findings):
        yield {
            "id": one.sample.id,
            "reason": number == 0,
            "kind": finding.kind,
            "turn": finding.turn,
            "note": finding.note,
            "text": told(one.sample, finding),
        }


def _show(tally: "Tally") -> None:
    from rich.table import Table

    from coalm.cra.findings import MEANING
    from coalm.formats.show import visible

    share = tally.rejected / tally.rows if tally.rows else 0.0
    table = Table(
        title=f"{tally.rows:,} rows, {tally.rejected:,} turned down ({share:.2%})",
        title_justify="left",
    )
    table.add_column("reason", no_wrap=True)
    table.add_column("what it means")
    for column in ("rows", "share", "rows with it"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    for kind, reasons, having in tally.table():
        part = f"{reasons / tally.rows:.2%}" if tally.rows else ""
        table.add_row(kind, MEANING[kind], f"{reasons:,}", part, f"{having:,}")
    console.print(table)
    for kind, kept in tally.kept.items():
        for example in kept:
            note(visible(f"{kind}: {example.id} turn {example.turn}: {example.note}"))
            if example.text:
                note(f"    {visible(example.text[:300])}")


def _planted(
    found: "Found", rate: float, limit: int | None, seed: int, examples: int, json: Path | None
) -> None:
    from itertools import islice

    from coalm import store
    from coalm.corpora.sgd import ARCHIVE, SgdDialogue, dialogues, schema
    from coalm.cra.audit import line
    from coalm.cra.measure import measure

    path = found.path(ARCHIVE)
    with bar("rows") as progress:
        task = progress.add_task("plant and check", total=limit, said="")

        def watched() -> Iterator[SgdDialogue]:
            for dialogue in islice(dialogues(path), limit):
                yield dialogue
                progress.advance(task)

        counts = measure(watched(), schema(path), rate=rate, seed=seed, examples=examples * 10)
    _show_planted(counts)
    for one in counts.missed[: examples * 3]:
        turn = one.sample.dialogue.turns[one.turn]
        note(f"not found: {one.variant}: {one.sample.id} turn {one.turn}: {line(turn)[:300]}")
    if json:
        rows = [
            {
                "kind": row.kind,
                "variant": row.variant,
                "planted": row.planted,
                "found": row.found,
                "as_kind": row.as_kind,
                "recall": row.recall,
                "precision": row.precision,
            }
            for row in counts.rows()
        ]
        store.write_json(json, {"clean": counts.clean, "rate": rate, "seed": seed, "rows": rows})
        note(f"wrote {json}")


def _show_planted(counts: "Measured") -> None:
    from rich.table import Table

    planted = sum(counts.planted.values())
    rejected = sum(counts.clean_rejected.values())
    table = Table(
        title=f"{planted:,} rows with a planted error among {planted + counts.clean:,}; "
        f"{rejected:,} of the {counts.clean:,} others are turned down as well",
        title_justify="left",
    )
    table.add_column("planted")
    for column in ("rows", "found", "recall", "as kind", "precision"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    for row in counts.rows():
        name = f"  {row.variant}" if row.variant else row.kind
        precision = "" if row.precision is None else f"{row.precision:.3f}"
        share = f"{row.as_kind / row.planted:.3f}" if row.planted else ""
        recall = f"{row.recall:.3f}" if row.planted else ""
        style = "" if row.variant else "bold"
        cells = (name, f"{row.planted:,}", f"{row.found:,}", recall, share, precision)
        table.add_row(*cells, style=style)
    console.print(table)
