"""`coalm eval`: a model on the benchmarks, under named protocols."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import bar, console, note

if TYPE_CHECKING:
    from coalm.bench.evaluate import EvalSettings, Evaluated


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


def evaluate(
    model: Named,
    bench: Benches = "multiwoz,apibank,bfcl",
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Chooses the cases where there is a limit.")] = 0,
    dialect: Annotated[str, typer.Option(help="How calls are asked for.")] = "",
    layout: Annotated[str, typer.Option(help="Turn markers; else the model's own.")] = "",
    rows: Annotated[bool, typer.Option(help="Ask in the paper's rows.")] = False,
    engine: Annotated[str, typer.Option(help="What runs the model.")] = "transformers",
    dtype: Annotated[str, typer.Option(help="auto, bf16 or fp32.")] = "auto",
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
    label: Annotated[str, typer.Option(help="The model's name in tables.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="The evaluation folder; else runs/eval/MODEL.")
    ] = None,
) -> None:
    """Evaluate a model; run again to go on, finished cases are never asked twice."""
    from coalm.bench.evaluate import EvalSettings
    from coalm.recipe import build

    values = {
        "bench": tuple(name.strip() for name in bench.split(",") if name.strip()),
        "limit": limit,
        "seed": seed,
        "dialect": dialect,
        "layout": layout,
        "rows": rows,
        "engine": engine,
        "dtype": dtype,
        "batch": batch,
        "max_tokens": max_tokens,
        "base_urls": tuple(base_url or ()),
        "chat": chat,
        "concurrency": concurrency,
        "timeout": timeout,
        "max_retries": max_retries,
        "key_env": key_env,
        "price_in": price_in,
        "price_out": price_out,
    }
    folder = out or Path("runs", "eval", model.strip("/").replace("/", "--"))
    evaluated(model, build(EvalSettings, values, "eval"), folder, label)


def evaluated(model: str, settings: "EvalSettings", folder: Path, label: str) -> "list[Evaluated]":
    """Evaluate into the folder, print the figures, and give them back."""
    from coalm.bench.evaluate import evaluate as evaluate_model

    with bar("cases") as progress:
        tasks: dict[str, int] = {}

        def watch(name: str, done: int, of: int, said: str) -> None:
            if name not in tasks:
                tasks[name] = int(progress.add_task(name, total=of, said=""))
            progress.update(tasks[name], completed=done, total=of, said=said)  # type: ignore[arg-type]

        done = evaluate_model(model, settings, folder, label=label, progress=watch, note=note)
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
