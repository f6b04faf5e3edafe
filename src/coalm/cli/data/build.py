"""`coalm data build`: a recipe becomes a data folder."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import Overrides, Recipe, bar, console, note
from coalm.crew import cores

if TYPE_CHECKING:
    from coalm.mixture import DataSettings, Manifest

Out = Annotated[
    Path | None, typer.Option(help="The data folder; else the recipe's, else data/RECIPE.")
]
Processes = Annotated[
    int, typer.Option(min=0, help="Processes that work side by side; 0 for one a core.")
]
Errors = Annotated[
    int | None,
    typer.Option(min=0, help="Leave out and list so many broken records; else the recipe's."),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Use corpora of which only a part is here.")
]
Anew = Annotated[bool, typer.Option("--anew", help="Build even if the folder is up to date.")]


def build(
    recipe: Recipe,
    overrides: Overrides = None,
    out: Out = None,
    processes: Processes = 0,
    max_errors: Errors = None,
    partial: Partial = False,
    anew: Anew = False,
) -> None:
    """Build the data folder of a recipe: train and valid rows, manifest, data card."""
    from coalm.mixture import DataSettings
    from coalm.recipe import load

    settings = load(DataSettings, recipe, "data", overrides or ())
    if max_errors is not None:
        settings = replace(settings, max_errors=max_errors)
    if partial:
        settings = replace(settings, partial=True)
    folder = out or data_folder(recipe, settings)
    built(settings, folder, processes=processes, anew=anew)


def data_folder(recipe: Path, settings: "DataSettings") -> Path:
    """Where a recipe's data goes when the command line does not say."""
    return Path(settings.out) if settings.out else Path("data", recipe.stem)


def built(
    settings: "DataSettings", folder: Path, *, processes: int = 0, anew: bool = False
) -> "Manifest":
    """Build the folder unless it is up to date, and print what it holds."""
    from coalm.bench.evaluate import held_out
    from coalm.mixture import build as build_mixture
    from coalm.mixture import is_current, read_manifest

    if not anew and is_current(folder, settings):
        manifest = read_manifest(folder)
        note(f"{folder} is up to date")
    else:
        with bar("rows") as progress:
            tasks: dict[str, int] = {}

            def watch(what: str, done: int, of: int | None) -> None:
                if what not in tasks:
                    tasks[what] = int(progress.add_task(what, total=of, said=""))
                progress.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

            manifest = build_mixture(
                settings,
                folder,
                held_out=held_out(),
                processes=processes or cores(),
                progress=watch,
                note=note,
            )
    _print(folder, manifest)
    return manifest


def _print(folder: Path, manifest: "Manifest") -> None:
    from rich.markdown import Markdown
    from rich.table import Table

    from coalm.mixture.paper_table import table1

    table = Table(title=f"{folder}: {manifest.train:,} training rows", title_justify="left")
    for column in ("corpus", "source", "licence"):
        table.add_column(column)
    for column in ("train", "valid", "tokens a row", "learned"):
        table.add_column(column, justify="right")
    for part in manifest.parts:
        kept = max(part.kept, 1)
        table.add_row(
            part.name,
            "MINIATURE" if part.origin == "miniature" else part.origin,
            " ".join(part.licences),
            f"{part.train:,}",
            f"{part.valid:,}",
            f"{part.tokens / kept:.0f}",
            f"{part.learned / kept:.0f}",
        )
    console.print(table)
    for line in _held_out(manifest):
        note(line)
    broken = folder / "errors.jsonl"
    if broken.exists():
        note(f"{manifest.errors} broken records were left out; see {broken}")
    paper = table1(manifest)
    if paper:
        console.print(Markdown(paper))


def _held_out(manifest: "Manifest") -> Iterable[str]:
    """The check against the benchmarks' test data, a line each."""
    ngram = manifest.decontamination["ngram"]
    if not ngram:
        yield "NOT checked against the benchmarks' test data"
        return
    for name, found in manifest.decontamination["benchmarks"].items():
        yield (
            f"checked against {found['texts']:,} test texts of {name} ({ngram}-grams): "
            f"{found['dropped']} rows left out"
        )
