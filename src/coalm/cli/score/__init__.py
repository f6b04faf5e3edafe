"""`coalm score`: results that another harness left are judged again, without that harness."""

import typer

from coalm.cli.score.apibank import apibank
from coalm.cli.score.bfcl import bfcl
from coalm.cli.score.multiwoz import multiwoz
from coalm.cli.score.multiwoz_dst import multiwoz_dst

app = typer.Typer(help="Score the result files of a benchmark's own harness.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Score the result files of a benchmark's own harness."""


app.command("apibank")(apibank)
app.command("bfcl")(bfcl)
app.command("multiwoz")(multiwoz)
app.command("multiwoz-dst")(multiwoz_dst)
