"""`coalm run`: the whole story of a recipe, each step taken once."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.data import built, data_folder
from coalm.cli.evaluate import evaluated
from coalm.cli.shared import Recipe, console, note, run_folder
from coalm.cli.training import trained
from coalm.cli.written import told


def run(
    recipe: Recipe,
    out: Annotated[Path | None, typer.Option(help="The run folder; else runs/RECIPE.")] = None,
) -> None:
    """Build the data, train, evaluate before and after, write the report.

    Finished steps are found and kept, so the same command goes on after an interruption.
    """
    from coalm.bench.evaluate import EvalSettings, check
    from coalm.mixture import DataSettings
    from coalm.recipe import load
    from coalm.train import TrainSettings

    data = load(DataSettings, recipe, "data")
    training = load(TrainSettings, recipe, "train")
    evaluation = load(EvalSettings, recipe, "eval")
    check(evaluation)  # now, not when the model has been trained
    folder = run_folder(recipe, out)

    _step(1, "data")
    rows = Path(training.data) if training.data else data_folder(recipe, data)
    built(data, rows)
    _step(2, "training")
    tuned = trained(replace(training, data=str(rows)), folder / "train")
    _step(3, "evaluation before training")
    evaluated(training.model, evaluation, folder / "base", "base")
    _step(4, "evaluation after training")
    evaluated(str(tuned.folder), evaluation, folder / "tuned", "tuned")
    _step(5, "report")
    told([folder], folder, f"{recipe.stem}: before and after")
    console.print(f"\nTalk with it:       coalm chat {folder / 'train'}", soft_wrap=True)
    console.print(f"See what it learned: coalm show {rows}", soft_wrap=True)
    console.print(f"Open the report:    {folder / 'report.html'}", soft_wrap=True)
    note("run the same command again: finished steps are kept")


def _step(number: int, what: str) -> None:
    console.rule(f"{number} of 5: {what}", align="left")
