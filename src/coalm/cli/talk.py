"""`coalm chat`: talk with a model that has tools."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.evaluate import Chat, KeyEnv, Timeout, Urls
from coalm.cli.shared import console

if TYPE_CHECKING:
    from coalm.agent.definition import AgentFile
    from coalm.agent.session import Session


ModelName = Annotated[
    str,
    typer.Argument(
        help="A run folder, an embedded model, a model folder, a hub id, or "
        "scripted:FILE for replies out of a file; else the agent's."
    ),
]
DialectName = Annotated[
    str, typer.Option(help="How calls are written; else the agent's, or an endpoint's own tools.")
]
AgentName = Annotated[str, typer.Option(help="An agent's YAML file, or cambridge, the town guide.")]
Steps = Annotated[
    int | None, typer.Option(help="Model steps in one reply; else the agent's.", min=1)
]
StepTokens = Annotated[
    int | None, typer.Option(help="New tokens in one step; else the agent's.", min=1)
]
Temperature = Annotated[float | None, typer.Option(help="0 is greedy.", min=0.0)]
EngineName = Annotated[str, typer.Option(help="What runs the model; else the agent's.")]
LayoutName = Annotated[str, typer.Option(help="Turn markers; else the model's own.")]
Saved = Annotated[Path | None, typer.Option(help="Add conversations to this JSONL.")]
Traced = Annotated[
    Path | None, typer.Option(help="Add traces to this JSONL: see coalm trace show.")
]


def chat(
    model: ModelName = "",
    agent: AgentName = "cambridge",
    dialect: DialectName = "",
    max_steps: Steps = None,
    max_tokens: StepTokens = None,
    temperature: Temperature = None,
    engine: EngineName = "",
    base_url: Urls = None,
    chat: Chat = True,
    layout: LayoutName = "",
    timeout: Timeout = 120.0,
    key_env: KeyEnv = "OPENAI_API_KEY",
    save: Saved = None,
    trace: Traced = None,
) -> None:
    """Talk with an agent: the Cambridge town guide, or one of your own."""
    from dataclasses import replace

    from coalm.agent.opening import opened
    from coalm.bench.evaluate import EvalSettings
    from coalm.cli.chat import chat as talk
    from coalm.cli.speaking import model_of, speaking
    from coalm.cli.turns import asker

    described = _described(agent, max_steps, max_tokens, temperature)
    name = model_of(described, model)
    settings = EvalSettings(
        engine=engine or described.engine,
        dialect=dialect,
        layout=layout,
        base_urls=tuple(base_url or ()),
        chat=chat,
        timeout=timeout,
        key_env=key_env,
    )
    with (
        speaking(name, settings, described.dialect) as spoken,
        opened(described, spoken.speaker) as setting,
    ):
        talk(
            replace(setting, context=spoken.fitting(described.limits.context), count=spoken.count),
            console=console,
            ask=asker(console),
            save_to=save,
            label=f"{name} ({spoken.format}); {described.name}, {len(setting.agent.tools)} tools",
            keep=_kept(trace, described.name, name) if trace else lambda _: None,
        )


def _described(
    name: str, steps: int | None, step_tokens: int | None, temperature: float | None
) -> "AgentFile":
    """The agent of that name, with what the command line says otherwise."""
    from dataclasses import replace

    from coalm.agent.definition import load

    found = load(name)
    limits = found.limits
    return replace(
        found,
        limits=replace(
            limits, steps=steps or limits.steps, step_tokens=step_tokens or limits.step_tokens
        ),
        temperature=found.temperature if temperature is None else temperature,
    )


def _kept(path: Path, agent: str, model: str) -> "Callable[[Session], None]":
    """Writes a session's trace after each reply."""
    from datetime import UTC, datetime

    from coalm import store
    from coalm.agent.traces import Trace, write

    began: dict[Session, str] = {}

    def keep(session: "Session") -> None:
        when = began.setdefault(session, datetime.now(UTC).isoformat(timespec="milliseconds"))
        name = store.content_hash([agent, model, when])[:16]
        write(path, Trace(name, agent, model, when, session.dialogue))

    return keep
