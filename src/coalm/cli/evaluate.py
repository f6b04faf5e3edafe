"""`coalm eval`: a model on the benchmarks, under named protocols; `coalm eval merge`: shards."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.bench.evaluate import EvalSettings, Evaluated
    from coalm.bench.split import Shard


Named = Annotated[
    str,
    typer.Argument(help="An embedded model, a folder, a hub id; or an endpoint's model."),
]
Benches = Annotated[
    str, typer.Option(help="Benchmarks with commas between, each NAME or NAME:PROTOCOL.")
]
Limit = Annotated[int | None, typer.Option(help="At most so many cases of each; else all.", min=1)]
Room = Annotated[
    int | None, typer.Option(help="New tokens a model step; else the benchmark's.", min=1)
]
Urls = Annotated[
    list[str] | None,
    typer.Option(
        help="With --engine server: an OpenAI-compatible endpoint, such as "
        "http://localhost:8000/v1; repeat for several."
    ),
]
Chat = Annotated[
    bool,
    typer.Option("--chat/--raw", help="Ask endpoints for chat, or for our own raw prompt."),
]
Concurrency = Annotated[
    int | None, typer.Option(help="Requests under way at once; else --batch.", min=1)
]
Timeout = Annotated[float, typer.Option(help="Seconds for one try of a request.", min=0.01)]
Retries = Annotated[
    int, typer.Option(help="Further tries of a request that did not get through.", min=0)
]
KeyEnv = Annotated[str, typer.Option(help="The environment variable that holds the key.")]
PriceIn = Annotated[float, typer.Option(help="Price of a million prompt tokens.", min=0)]
PriceOut = Annotated[float, typer.Option(help="Price of a million answer tokens.", min=0)]


Users = Annotated[
    str, typer.Option(help="The users of multiwoz:online: rules, MODEL or MODEL@ADDRESS.")
]
Label = Annotated[str, typer.Option(help="The model's name in tables.")]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--engine-option",
        metavar="NAME=VALUE",
        help="An option of the engine, such as tensor_parallel_size=2; repeat for several.",
    ),
]
Cache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Take and keep answers in the cache folder.")
]
Share = Annotated[
    str,
    typer.Option(metavar="I/N", help="Only the I-th of N shares of the cases; then eval merge."),
]
Resume = Annotated[
    bool, typer.Option("--resume/--anew", help="Go on, or delete the run's files and start over.")
]
Out = Annotated[Path | None, typer.Option(help="The evaluation folder; else runs/eval/MODEL.")]


class Eval(typer.core.TyperGroup):
    """`coalm eval MODEL`, and `coalm eval merge` beside it: whatever is no command is a model."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.default = self.commands.pop("model")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave everything to the default unless a command is named."""
        if args and args[0] in self.commands:
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, ["--", *(args or ["--help"])])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is named, else the default with all that was said."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return None, self.default, args

    def get_help(self, ctx: Any) -> str:
        """That of the default, under the group's own name."""
        return self.default.get_help(typer.Context(self.default, info_name=ctx.info_name))


class Default(typer.core.TyperCommand):
    """A command that is named by its group alone."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The usage without a name of its own."""
        formatter.write_usage(ctx.command_path.rstrip(), " ".join(self.collect_usage_pieces(ctx)))


app = typer.Typer(cls=Eval, help="Evaluate a model on the benchmarks; merge shards of a run.")


@app.command(
    "model",
    cls=Default,
    epilog="See also: coalm eval merge --help. A folder named merge is ./merge.",
)
def evaluate(
    model: Named,
    bench: Benches = "multiwoz,apibank,bfcl",
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Chooses the cases where there is a limit.")] = 0,
    user: Users = "rules",
    dialect: Annotated[str, typer.Option(help="How calls are asked for.")] = "",
    layout: Annotated[str, typer.Option(help="Turn markers; else the model's own.")] = "",
    rows: Annotated[bool, typer.Option(help="Ask in the paper's rows.")] = False,
    engine: Annotated[str, typer.Option(help="What runs the model.")] = "auto",
    engine_option: Options = None,
    dtype: Annotated[str, typer.Option(help="auto, bf16, fp32; openvino: q8_0 too.")] = "auto",
    cache: Cache = True,
    batch: Annotated[int, typer.Option(help="Cases asked side by side.", min=1)] = 64,
    max_tokens: Room = None,
    base_url: Urls = None,
    chat: Chat = True,
    concurrency: Concurrency = None,
    timeout: Timeout = 120.0,
    max_retries: Retries = 6,
    key_env: KeyEnv = "OPENAI_API_KEY",
    price_in: PriceIn = 0,
    price_out: PriceOut = 0,
    shard: Share = "",
    resume: Resume = True,
    label: Label = "",
    out: Out = None,
) -> None:
    """Evaluate a model; run again to go on, finished cases are never asked twice."""
    given = locals()
    from coalm.bench.evaluate import EvalSettings
    from coalm.bench.split import Shard, without_suffix
    from coalm.recipe import build

    values = {f.name: given[f.name] for f in fields(EvalSettings) if f.name in given}
    values |= {
        "bench": tuple(name.strip() for name in bench.split(",") if name.strip()),
        "base_urls": tuple(base_url or ()),
        "engine_options": options_of(engine_option or ()),
    }
    settings = build(EvalSettings, values, "eval")
    folder = out or Path("runs", "eval", model.strip("/").replace("/", "--"))
    share = Shard.read(shard) if shard else None
    if share:
        folder = folder.with_name(without_suffix(folder.name) + share.suffix)
    evaluated(model, settings, folder, label, shard=share, anew=not resume)


@app.command("merge")
def merge(
    runs: Annotated[list[Path], typer.Argument(help="The shards' folders, runs/eval/M.shard-*.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder of the whole; else theirs without the shard.")
    ] = None,
    partial: Annotated[
        bool, typer.Option(help="Merge although shares are missing or not finished.")
    ] = False,
) -> None:
    """Make one run of the shards that several machines left; nothing is asked."""
    from coalm.bench.evaluate import Evaluated
    from coalm.bench.merging import merge as merge_runs
    from coalm.bench.split import together
    from coalm.errors import RecipeError

    name = together(run.resolve().name for run in runs)
    if out is None and not name:
        raise RecipeError("these are no shards of one run by their names; say --out FOLDER")
    folder = out or runs[0].with_name(name)
    done = merge_runs(runs, folder, partial=partial, note=note)
    _print(folder.name, [Evaluated(one.name, one.folder, one.scores) for one in done])
    note(f"outcomes in {folder}; for a page: coalm report {folder}")


def options_of(given: Sequence[str]) -> dict[str, Any]:
    """`name=value` each; the value is read as YAML."""
    import yaml

    from coalm.errors import RecipeError

    found: dict[str, Any] = {}
    for option in given:
        name, equals, text = option.partition("=")
        if not equals or not name:
            raise RecipeError(f"{option!r} is no engine option; write name=value")
        try:
            found[name] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise RecipeError(f"{option!r}: the value is not readable as YAML") from None
    return found


def evaluated(
    model: str,
    settings: "EvalSettings",
    folder: Path,
    label: str,
    *,
    shard: "Shard | None" = None,
    anew: bool = False,
) -> "list[Evaluated]":
    """Evaluate into the folder, print the figures, and give them back."""
    from coalm.bench.evaluate import evaluate as evaluate_model

    with bar("cases") as progress:
        tasks: dict[str, int] = {}

        def watch(name: str, done: int, of: int, said: str) -> None:
            if name not in tasks:
                tasks[name] = int(progress.add_task(name, total=of, said=""))
            progress.update(tasks[name], completed=done, total=of, said=said)  # type: ignore[arg-type]

        done = evaluate_model(
            model, settings, folder, label=label, shard=shard, anew=anew, progress=watch, note=note
        )
    _print(label or model, done)
    note(f"outcomes in {folder}; for a page: coalm report {folder}")
    return done


def _print(label: str, done: "list[Evaluated]") -> None:
    from rich.table import Table

    table = Table(title=label, title_justify="left")
    for column in ("protocol", "metric"):
        table.add_column(column)
    for column in ("score", "95% interval", "cases"):
        table.add_column(column, justify="right")
    for one in done:
        for figure in one.scores.figures:
            table.add_row(
                one.name,
                figure.name,
                f"{figure.value:.1f}",
                f"{figure.low:.1f} to {figure.high:.1f}",
                str(figure.n),
                style="bold" if figure.main else "",
            )
        if one.scores.not_answered:
            table.add_row(one.name, "not answered", str(one.scores.not_answered), "", "")
    console.print(table)
