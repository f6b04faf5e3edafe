"""`coalm score bfcl`: result folders of BFCL's harness judged again, without that harness."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, RecipeError, unknown

if TYPE_CHECKING:
    from coalm.bench.bfcl.data import Data
    from coalm.bench.bfcl.folder import ModelScores
    from coalm.bench.bfcl.results import Results

ResultsFolder = Annotated[
    Path | None,
    typer.Option(help="The folder that holds MODEL/**/BFCL_v4_CATEGORY_result.json."),
]
Runs = Annotated[
    list[Path] | None,
    typer.Option(help="In place of results: evaluation folders of coalm eval; repeatable."),
]
Partial = Annotated[
    bool, typer.Option(help="Score a category though some of its answers are missing.")
]
StyleName = Annotated[
    Literal["auto", "prompt", "fc"],
    typer.Option(help="How answers are read: prompted text, or function calling (fc)."),
]
Names = Annotated[
    Literal["auto", "dots", "underscores"],
    typer.Option(help="Whether a function a.b is to be called a_b; auto: with fc."),
]


def bfcl(
    results: ResultsFolder = None,
    runs: Runs = None,
    model: Annotated[str | None, typer.Option(help="Only this model; else all of them.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="For verdicts and tables; else RESULTS-scores.")
    ] = None,
    partial: Partial = False,
    style: StyleName = "auto",
    names: Names = "auto",
    miniature: Annotated[
        bool, typer.Option("--miniature", help="Score against the few bundled cases.")
    ] = False,
    counts: Annotated[
        bool, typer.Option("--counts", help="Print how many questions the data has, and stop.")
    ] = False,
) -> None:
    """Score BFCL result folders, or put our own runs together, by V3's and V4's formulas."""
    if runs:
        if results is not None:
            raise RecipeError("--results and --runs are two kinds of folders; give one of them")
        _put_together(runs, model, out)
        return
    from coalm.bench.bfcl.data import PACKAGE, VERSION, find
    from coalm.bench.bfcl.data import counts as counted
    from coalm.bench.bfcl.data import miniature as bundled

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
        raise RecipeError("no results are named; give --results DIR, --runs FOLDER, or --counts")
    from coalm.bench.bfcl.folder import Reading, score_model
    from coalm.bench.bfcl.results import read_folder

    folder = out or results.resolve().parent / f"{results.resolve().name}-scores"
    for found in read_folder(results, model):
        if found.others:
            note(f"{found.model}: not scored here: {', '.join(found.others)}")
        _written(score_model(found, data, Reading(style, names, partial)), folder / found.model)
        if found.wordings:
            _worded(found, data, folder / found.model)


def _worded(results: "Results", data: "Data", folder: Path) -> None:
    """Score the test of format sensitivity, leave its verdicts and print its table."""
    from coalm import store
    from coalm.bench.bfcl.wordings import score_wordings
    from coalm.report.bfcl import wordings_json, wordings_markdown

    found = score_wordings(results.wordings, data)
    if found is None:
        note(f"{results.model}: format_sensitivity: no question has an answer in every wording")
        return
    rows = [
        {"id": id, "wording": name, "right": not v.kind, "kind": v.kind, "note": v.note}
        for (name, id), v in found.verdicts.items()
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    text = wordings_markdown(results.model, found)
    store.write_text(folder / "format_sensitivity.jsonl", lines)
    store.write_json(folder / "format_sensitivity.json", wordings_json(results.model, found))
    store.write_text(folder / "format_sensitivity.md", text)
    console.print(text, markup=False, soft_wrap=True)


def _put_together(runs: list[Path], model: str | None, out: Path | None) -> None:
    """Single-turn and multi-turn runs of ours as one score a model and manner."""
    from coalm import store
    from coalm.report.assembled import by_model
    from coalm.report.bfcl import as_json, as_markdown
    from coalm.report.runs import find as find_runs

    found = by_model(find_runs(runs).columns)
    if not found:
        raise DataError(
            "none of these runs is of a BFCL protocol with categories: bfcl:single, bfcl:ast, "
            "bfcl:multi-turn, bfcl:single-prompt, bfcl:multi-turn-prompt"
        )
    if model is not None:
        names = [one.model.rpartition(",")[0] for one in found]
        if model not in names:
            raise DataError(unknown("model", model, names))
        found = [one for one, name in zip(found, names, strict=True) if name == model]
    folder = out or runs[0]
    text = "\n".join(as_markdown(one) for one in found)
    store.write_json(folder / "bfcl.json", [as_json(one) for one in found])
    store.write_text(folder / "bfcl.md", text)
    console.print(text, markup=False, soft_wrap=True)
    note(f"tables in {folder / 'bfcl.md'} and bfcl.json")


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
