"""What several commands need: the console, overrides, a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(highlight=False)

Recipe = Annotated[Path, typer.Argument(help="A recipe, such as recipes/quickstart.yaml.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Settings that override the recipe's, e.g. lr=1e-4."),
]


def note(text: str) -> None:
    """Tell the person something in a line of its own."""
    console.print(text, style="dim", markup=False, soft_wrap=True)


class Rate(ProgressColumn):
    """How many a second, lately."""

    def render(self, task: Task) -> Text:
        """Empty before anything is known."""
        speed = task.speed or task.finished_speed
        return Text(
            f"{speed:,.0f}/s" if speed and speed >= 10 else f"{speed:.1f}/s" if speed else ""
        )


@contextmanager
def bar(unit: str) -> Iterator[Progress]:
    """A progress bar with rate and time left; silent where the output is not a terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        # The rate is over all of the work: batches can be minutes apart, and the library's
        # half a minute would then hold one of them or none, and no time left could be told.
        speed_estimate_period=float("inf"),
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield progress


def run_folder(recipe: Path, given: Path | None, *inner: str) -> Path:
    """The folder asked for, else `runs/RECIPE` and what is inside it."""
    return given if given is not None else Path("runs", recipe.stem, *inner)
