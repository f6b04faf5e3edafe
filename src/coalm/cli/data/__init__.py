"""`coalm data`: make a training set, and say what is in it. One file a command or a few."""

import typer

from coalm.cli.data.audit import audit
from coalm.cli.data.build import build, built, data_folder
from coalm.cli.data.diff import diff
from coalm.cli.data.export import export
from coalm.cli.data.from_traces import from_traces
from coalm.cli.data.show import show
from coalm.cli.data.sources import check, get, listed
from coalm.cli.data.stats import stats
from coalm.cli.data.teach import teach
from coalm.cli.data.validate import validate

__all__ = ["app", "built", "data_folder"]

app = typer.Typer(no_args_is_help=True, help="Make a training set, and say what is in it.")
app.command("list")(listed)
app.command("get")(get)
app.command("check")(check)
app.command("validate")(validate)
app.command("build")(build)
app.command("stats")(stats)
app.command("show")(show)
app.command("diff")(diff)
app.command("export")(export)
app.command("teach")(teach)
app.command("audit")(audit)
app.command("from-traces")(from_traces)
