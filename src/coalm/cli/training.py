"""`coalm train`: a recipe's data folder becomes a run folder, or a plan of the run."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.data import data_folder
from coalm.cli.shared import Overrides, Recipe, bar, console, note, run_folder
from coalm.errors import MissingExtra, RecipeError

if TYPE_CHECKING:
    from coalm.train import Progress, Trained, TrainSettings

Processes = Annotated[
    int | None,
    typer.Option("--nproc", min=1, help="Processes on this machine, one a GPU, under torchrun."),
]
Machines = Annotated[int, typer.Option("--nnodes", min=1, help="Machines; run this on each.")]
Meeting = Annotated[
    str, typer.Option("--rdzv", metavar="HOST:PORT", help="One machine, where all of them meet.")
]
Machine = Annotated[
    int | None, typer.Option("--node-rank", min=0, help="This one's number; else as they come.")
]
Out = Annotated[Path | None, typer.Option(help="The run folder; else runs/RECIPE/train.")]
PlanOnly = Annotated[
    bool, typer.Option("--plan", help="Train nothing: say what it takes. Needs no weights.")
]
Gpus = Annotated[
    int | None,
    typer.Option(min=1, help="With --plan: how many GPUs; else 8 with fsdp, 1 without."),
]
Gpu = Annotated[str, typer.Option(help="With --plan: which, such as h100-80gb or a100-80gb.")]
Mfu = Annotated[
    float,
    typer.Option(min=0.01, max=1.0, help="With --plan: share of the GPU's peak that is reached."),
]
Price = Annotated[
    float | None,
    typer.Option(min=0.0, help="With --plan: US dollars an hour for a GPU; else what is usual."),
]
Json = Annotated[Path | None, typer.Option("--json", help="With --plan: write it as JSON too.")]


def train(
    recipe: Recipe,
    overrides: Overrides = None,
    out: Out = None,
    nproc: Processes = None,
    nnodes: Machines = 1,
    rdzv: Meeting = "",
    node_rank: Machine = None,
    plan: PlanOnly = False,
    gpus: Gpus = None,
    gpu: Gpu = "h100-80gb",
    mfu: Mfu = 0.4,
    price: Price = None,
    json: Json = None,
) -> None:
    """Train a model as a recipe says; run again to go on after an interruption."""
    from coalm.mixture import DataSettings
    from coalm.recipe import load
    from coalm.train import TrainSettings
    from coalm.train.many.launch import command_of, reported

    settings = load(TrainSettings, recipe, "train", overrides or ())
    if not settings.data:
        folder = data_folder(recipe, load(DataSettings, recipe, "data"))
        settings = replace(settings, data=str(folder))
    many = nproc is not None or nnodes > 1 or bool(rdzv) or node_rank is not None
    if plan and many:
        raise RecipeError("--plan trains nothing; say how many GPUs with --gpus")
    if plan:
        planned(settings, gpus, gpu, mfu, price, json)
    elif many:
        launched(nproc, nnodes, rdzv, node_rank, command_of(recipe, overrides or (), out))
    else:
        with reported():
            trained(settings, run_folder(recipe, out, "train"))


def launched(
    processes: int | None, machines: int, meeting: str, machine: int | None, command: list[str]
) -> None:
    """Start the command in several processes and wait for them."""
    from coalm.train.many import launch

    try:
        import torch
    except ImportError:
        raise MissingExtra("train", "training") from None
    gpus = torch.cuda.device_count()
    start = launch.Start(processes or gpus or 1, machines, meeting, machine)
    launch.check(start, gpus=gpus, environment=os.environ)
    launch.run(start, command)


def planned(
    settings: "TrainSettings",
    gpus: int | None,
    gpu: str,
    mfu: float,
    price: float | None,
    json: Path | None,
) -> None:
    """Print what a run takes, and write it as JSON where that is asked for."""
    from coalm.recipe import resolved
    from coalm.store import write_json
    from coalm.train.plan import data_of, machine, make_plan, plan_lines

    data = data_of(Path(settings.data) if settings.data else None)
    devices = gpus or (8 if settings.fsdp else 1)
    found = make_plan(settings, data, machine(gpu), devices=devices, mfu=mfu, price=price)
    for line in plan_lines(found):
        console.print(line, markup=False, soft_wrap=True)
    if json:
        plain = asdict(found) | {"settings": resolved(settings)}
        more = {"hours": found.hours, "cost": found.cost, "fits": found.fits}
        write_json(json, plain | more)
        note(f"wrote {json}")


def trained(settings: "TrainSettings", folder: Path) -> "Trained":
    """Train into the folder unless that is done, and print what came of it."""
    from coalm.train import train as train_model
    from coalm.train.many import processes

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
    if not processes.is_first():
        return done
    note(f"{'trained' if done.fresh else 'was trained before'}: {done.model}")
    return done
