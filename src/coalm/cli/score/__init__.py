"""`coalm score`: results that another harness left are judged again, without that harness."""

import typer

from coalm.cli.score.bfcl import bfcl

app = typer.Typer(help="Score the result files of a benchmark's own harness.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Score the result files of a benchmark's own harness."""


app.command("bfcl")(bfcl)
