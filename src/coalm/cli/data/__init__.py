"""`coalm data`: make a training set, and say what is in it. One file a command or a few."""

import typer

from coalm.cli.data.build import build, built, data_folder

__all__ = ["app", "built", "data_folder"]

app = typer.Typer(no_args_is_help=True, help="Make a training set, and say what is in it.")
app.command("build")(build)
