"""`coalm train`: a recipe's data folder becomes a run folder."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.data import data_folder
from coalm.cli.shared import Overrides, Recipe, bar, console, note, run_folder

if TYPE_CHECKING:
    from coalm.train import Progress, Trained, TrainSettings

Out = Annotated[Path | None, typer.Option(help="The run folder; else runs/RECIPE/train.")]


def train(recipe: Recipe, overrides: Overrides = None, out: Out = None) -> None:
    """Train a model as a recipe says; run again to go on after an interruption."""
    from coalm.mixture import DataSettings
    from coalm.recipe import load
    from coalm.train import TrainSettings

    settings = load(TrainSettings, recipe, "train", overrides or ())
    if not settings.data:
        folder = data_folder(recipe, load(DataSettings, recipe, "data"))
        settings = replace(settings, data=str(folder))
    trained(settings, run_folder(recipe, out, "train"))


def trained(settings: "TrainSettings", folder: Path) -> "Trained":
    """Train into the folder unless that is done, and print what came of it."""
    from coalm.train import train as train_model

    with bar("steps") as progress:
        task = progress.add_task("training", total=None, said="")

        def watch(now: "Progress") -> None:
            said = [f"loss {now.loss:.3f}"] if now.loss is not None else []
            said += [f"{now.tokens_per_second:.0f} tokens/s"] if now.tokens_per_second else []
            progress.update(task, completed=now.step, total=now.steps, said=", ".join(said))
            if not console.is_terminal and (now.step % 10 == 0 or now.step == now.steps):
                left = f"{(now.seconds_left or 0) / 60:.1f} min left"
                note(", ".join([f"step {now.step} of {now.steps}", *said, left]))

        done = train_model(settings, folder, watch=watch, note=note)
    note(f"{'trained' if done.fresh else 'was trained before'}: {done.model}")
    return done
