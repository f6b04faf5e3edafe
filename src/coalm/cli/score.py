"""`coalm score`: results that another harness left are judged again, without that harness."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coalm.cli.shared import console, note

if TYPE_CHECKING:
    from coalm.bench.bfcl.folder import ModelScores

app = typer.Typer(help="Score the result files of a benchmark's own harness.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Score the result files of a benchmark's own harness."""


@app.command("bfcl")
def bfcl(
    results: Annotated[
        Path | None,
        typer.Option(help="The folder that holds MODEL/**/BFCL_v4_CATEGORY_result.json."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only this model; else all of them.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="For verdicts and tables; else RESULTS-scores.")
    ] = None,
    partial: Annotated[
        bool, typer.Option(help="Score a category though some of its answers are missing.")
    ] = False,
    style: Annotated[
        Literal["auto", "prompt", "fc"],
        typer.Option(help="How answers are read: prompted text, or function calling (fc)."),
    ] = "auto",
    names: Annotated[
        Literal["auto", "dots", "underscores"],
        typer.Option(help="Whether a function a.b is to be called a_b; auto: with fc."),
    ] = "auto",
    miniature: Annotated[
        bool, typer.Option("--miniature", help="Score against the few bundled cases.")
    ] = False,
    counts: Annotated[
        bool, typer.Option("--counts", help="Print how many questions the data has, and stop.")
    ] = False,
) -> None:
    """Score BFCL result folders, of V3 and V4, by both versions' formulas."""
    from coalm.bench.bfcl.data import PACKAGE, VERSION, find
    from coalm.bench.bfcl.data import counts as counted
    from coalm.bench.bfcl.data import miniature as bundled
    from coalm.errors import DataError, RecipeError

    data = bundled() if miniature else find()
    if data.version == "miniature" and not miniature:
        raise DataError(
            f"BFCL's data, the wheel {PACKAGE} {VERSION}, is neither in the cache nor to be "
            "fetched; --miniature tries the command on the few bundled cases"
        )
    note(f"data: {data.version}")
    if counts:
        from coalm.report.bfcl import counts_table

        console.print(counts_table(counted(data), data.version), markup=False, soft_wrap=True)
        return
    if results is None:
        raise RecipeError("no results are named; give --results DIR, or --counts")
    from coalm.bench.bfcl.folder import Reading, score_model
    from coalm.bench.bfcl.results import read_folder

    folder = out or results.resolve().parent / f"{results.resolve().name}-scores"
    for found in read_folder(results, model):
        if found.others:
            note(f"{found.model}: not scored here: {', '.join(found.others)}")
        _written(score_model(found, data, Reading(style, names, partial)), folder / found.model)


def _written(scores: "ModelScores", folder: Path) -> None:
    """Leave verdicts and tables in the folder, and print the tables."""
    from coalm import store
    from coalm.report.bfcl import as_json, as_markdown

    rows = [
        {
            "id": row.id,
            "category": part.category.name,
            "right": row.right,
            "kind": row.verdict.kind,
            "note": row.verdict.note.encode("utf-8", "replace").decode(),
            "judged_by": row.basis,
            "scores": dict(row.verdict.scores),
        }
        for part in scores.parts.values()
        for row in part.rows
    ]
    text = as_markdown(scores)
    store.write_text(folder / "verdicts.jsonl", "".join(store.compact(r) + "\n" for r in rows))
    store.write_json(folder / "scores.json", as_json(scores))
    store.write_text(folder / "scores.md", text)
    console.print(text, markup=False, soft_wrap=True)
    note(f"{len(rows)} verdicts in {folder / 'verdicts.jsonl'}, tables in scores.md, scores.json")
