"""`coalm chat`: talk with a model that has tools."""

from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.shared import console, note


def chat(
    model: Annotated[
        str, typer.Argument(help="A run folder, an embedded model, a model folder, or a hub id.")
    ],
    dialect: Annotated[str, typer.Option(help="How calls are written.")] = "react",
    max_steps: Annotated[int, typer.Option(help="Model steps in one reply.", min=1)] = 6,
    max_tokens: Annotated[int, typer.Option(help="New tokens in one step.", min=1)] = 192,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0.0)] = 0.0,
    engine: Annotated[str, typer.Option(help="What runs the model.")] = "transformers",
    save: Annotated[Path | None, typer.Option(help="Add conversations to this JSONL.")] = None,
) -> None:
    """Talk with the Cambridge town guide: find and book hotels, restaurants, trains, taxis."""
    from coalm import models
    from coalm.agent import Agent
    from coalm.agent.cambridge import open_cambridge
    from coalm.agent.state import overview
    from coalm.bench.evaluate import format_for
    from coalm.cli.chat import asker
    from coalm.cli.chat import chat as talk
    from coalm.engines import Model, Sampling, open_engine

    folder = models.folder(model, note)
    fmt = format_for(folder, dialect)
    town = open_cambridge()
    agent = Agent(
        Model(open_engine(engine, model, note=note), fmt),
        town.tools,
        max_steps=max_steps,
        sampling=Sampling(max_tokens=max_tokens, temperature=temperature),
    )
    talk(
        agent,
        town.opening(),
        console=console,
        ask=asker(console),
        state=overview,
        save_to=save,
        label=f"{model} ({fmt.name}); {town.found.describe()}",
    )
