"""`coalm data export`: a data folder as the rows that other tools read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.export import Exported, Origin
    from coalm.mixture import Manifest

Folder = Annotated[Path, typer.Argument(help="A data folder that `coalm data build` made.")]


def export(
    folder: Folder,
    to: Annotated[str, typer.Option(help="coalm-it, openai, sharegpt or alpaca.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    split: Annotated[str, typer.Option(help="Only train or valid.")] = "",
    limit: Annotated[int | None, typer.Option(help="Samples of each split.", min=1)] = None,
    form: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",
    dialect: Annotated[
        str,
        typer.Option(
            help="Write calls and thoughts into the text: pythonic, json, react, hermes, hammer, "
            "fnctod, codeact, openai, or own for each row's own. Needed by chat templates that "
            "know no tools."
        ),
    ] = "",
    thoughts: Annotated[
        str, typer.Option(help="openai: thoughts as think (tags in the text) or reasoning_content.")
    ] = "think",
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that is no earlier export.")
    ] = False,
) -> None:
    """Write a data folder as rows for TRL, axolotl, LLaMA-Factory or the paper's own trainer."""
    from coalm import shards
    from coalm.errors import RecipeError, unknown
    from coalm.export import Manner, target
    from coalm.export import export as exported
    from coalm.export.rowfile import FORMS
    from coalm.mixture import read_manifest

    chosen = target(to)
    kind = next((known for known in FORMS if known == form), None)
    if kind is None:
        raise RecipeError(unknown("file format", form, FORMS))
    manifest = read_manifest(folder)
    manner = Manner(dialect, str(manifest.recipe.get("dialect") or "json"), thoughts)
    splits = (split,) if split else shards.SPLITS
    sizes = {"train": manifest.train, "valid": manifest.valid}
    of = sum(min(sizes.get(name, 0), limit or sizes.get(name, 0)) for name in splits)
    with bar("samples") as progress:
        task = progress.add_task(f"as {to}", total=of, said="")
        made = exported(
            folder,
            out,
            chosen,
            _origin(folder, manifest),
            manner=manner,
            splits=splits,
            limit=limit,
            form=kind,
            force=force,
            progress=lambda done: progress.update(task, completed=done),
        )
    _print(made)


def _origin(folder: Path, manifest: "Manifest") -> "Origin":
    from coalm.export import Origin
    from coalm.mixture.card import hub_licences
    from coalm.mixture.stats import licences

    return Origin(
        folder.resolve().name,
        manifest.made_by,
        manifest.recipe_hash,
        licences(manifest),
        hub_licences(manifest),
    )


def _print(made: "Exported") -> None:
    for split, file in made.files.items():
        rows, samples = made.rows[split], made.samples[split]
        whence = "" if rows == samples else f" from {samples:,} samples"
        console.print(f"{made.folder / file}: {rows:,} rows{whence}", markup=False, soft_wrap=True)
    for reason, n in made.unsaid.most_common():
        console.print(f"left out: {n:,} samples: {reason}", markup=False, soft_wrap=True)
    for remark, n in made.remarks.most_common():
        note(f"worth knowing: {n:,} samples: {remark}")
    note(f"beside the rows: {', '.join(made.beside)}")
