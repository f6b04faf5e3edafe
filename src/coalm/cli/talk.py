"""`coalm chat`: talk with a model that has tools."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.evaluate import Chat, KeyEnv, Timeout, Urls
from coalm.cli.shared import console, note

if TYPE_CHECKING:
    from coalm.bench.evaluate import EvalSettings
    from coalm.engines import Speaker

DIALECT = "react"
"""How calls are written where nobody says, as the models trained here were shown them."""


def chat(
    model: Annotated[
        str, typer.Argument(help="A run folder, an embedded model, a model folder, or a hub id.")
    ],
    dialect: Annotated[
        str, typer.Option(help="How calls are written; else react, or an endpoint's own tools.")
    ] = "",
    max_steps: Annotated[int, typer.Option(help="Model steps in one reply.", min=1)] = 6,
    max_tokens: Annotated[int, typer.Option(help="New tokens in one step.", min=1)] = 192,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0.0)] = 0.0,
    engine: Annotated[str, typer.Option(help="What runs the model.")] = "auto",
    base_url: Urls = None,
    chat: Chat = True,
    layout: Annotated[str, typer.Option(help="Turn markers; else the model's own.")] = "",
    timeout: Timeout = 120.0,
    key_env: KeyEnv = "OPENAI_API_KEY",
    save: Annotated[Path | None, typer.Option(help="Add conversations to this JSONL.")] = None,
) -> None:
    """Talk with the Cambridge town guide: find and book hotels, restaurants, trains, taxis."""
    from coalm.agent import Agent
    from coalm.agent.cambridge import open_cambridge
    from coalm.agent.state import overview
    from coalm.bench.evaluate import EvalSettings
    from coalm.cli.chat import asker
    from coalm.cli.chat import chat as talk
    from coalm.engines import Sampling

    settings = EvalSettings(
        engine=engine,
        dialect=dialect,
        layout=layout,
        base_urls=tuple(base_url or ()),
        chat=chat,
        timeout=timeout,
        key_env=key_env,
    )
    town = open_cambridge()
    with _speaking(model, settings) as (speaker, how):
        agent = Agent(
            speaker,
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
            label=f"{model} ({how}); {town.found.describe()}",
        )


@contextmanager
def _speaking(model: str, settings: "EvalSettings") -> "Iterator[tuple[Speaker, str]]":
    """Who is talked with, and in which format: a model in this process or behind an endpoint."""
    from coalm import models
    from coalm.bench.base import About
    from coalm.bench.speakers import check_engine, opened, own_layout
    from coalm.engines import Model, open_engine
    from coalm.formats import format_of

    check_engine(settings)
    if settings.engine == "server":
        about = About("chat", "", "", (), dialect=DIALECT, max_steps=0)
        with opened(model, settings, note) as speakers:
            yield speakers.speaker(about)
        return
    markers = settings.layout or own_layout(models.folder(model, note))
    fmt = format_of(markers, settings.dialect or DIALECT)
    yield Model(open_engine(settings.engine, model, note=note), fmt), fmt.name
