"""The command line: verbs become calls. Only this package prints or exits."""

import sys

import typer
import typer.core
from rich.console import Console

from coalm.cli import (
    data,
    errors,
    evaluate,
    exporting,
    model,
    run,
    score,
    serving,
    show,
    talk,
    trace,
    training,
    web,
    written,
)
from coalm.errors import CoalmError


class Story(typer.core.TyperGroup):
    """Lists the commands in the order in which they are used."""

    def list_commands(self, ctx: object) -> list[str]:
        """Their names."""
        data = ["run", "model", "data", "show", "train"]
        use = ["chat", "web", "serve", "trace"]
        return [*data, "eval", "score", "errors", "report", "export", *use]


app = typer.Typer(
    name="coalm",
    cls=Story,
    help="Conversational agents that hold a long conversation and use tools, from one model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data.app, name="data")
app.add_typer(model.app, name="model")
app.command("show")(show.show)
app.command("train")(training.train)
app.add_typer(evaluate.app, name="eval")
app.add_typer(score.app, name="score")
app.command("errors")(errors.errors)
app.command("export")(exporting.export)
app.command("report")(written.report)
app.command("chat")(talk.chat)
app.command("web")(web.web)
app.command("serve")(serving.serve)
app.add_typer(trace.app, name="trace")
app.command("run")(run.run)


def main() -> None:
    """Run a command; what a person can mend is one line and exit 2, Ctrl-C is exit 130."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        app()
    except CoalmError as e:
        errors.print(f"coalm: {e}")
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as e:
        # typer makes an exit of its own from Ctrl-C, without a word
        if isinstance(e, SystemExit) and e.code != 130:
            raise
        errors.print("\nstopped; the same command goes on from here")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as e:
        if e.errno not in _FULL:
            raise
        errors.print(f"coalm: {e.strerror}: {e.filename or 'no room left to write'}")
        sys.exit(2)


_FULL = {13, 28, 30, 122}
"""Permission denied, no space left, read-only file system, quota exceeded: a person's to mend."""
