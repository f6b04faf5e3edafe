"""`coalm web`: a page to talk with an agent, and to watch what it does."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coalm.cli.evaluate import Chat, KeyEnv, Timeout, Urls
from coalm.cli.shared import note
from coalm.errors import RecipeError

if TYPE_CHECKING:
    from coalm.agent.definition import AgentFile
    from coalm.agent.session import Setting
    from coalm.bench.evaluate import EvalSettings
    from coalm.cli.speaking import Speaking
    from coalm.formats import Format
    from coalm.serve.waiting import Line

_PATIENCE = 3600.0
"""Seconds for one request: a reply may wait for somebody's leave to use a tool."""
_AT_ONCE = 256


ModelName = Annotated[
    str, typer.Argument(help="A run folder, an embedded model, a model folder, or a hub id.")
]
Rival = Annotated[
    str, typer.Argument(metavar="[MODEL2]", help="Another model, to compare it with.")
]
AgentName = Annotated[str, typer.Option(help="An agent's YAML file, or cambridge, the town guide.")]
EngineName = Annotated[str, typer.Option(help="What runs the models; else the agent's.")]
Traces = Annotated[
    Path | None, typer.Option(help="Add conversations and opinions to this JSONL, redacted.")
]
Personal = Annotated[
    bool, typer.Option("--personal", help="Redact mail addresses and numbers of people too.")
]
Browse = Annotated[bool, typer.Option("--open", help="Show the page in a browser.")]
AtOnce = Annotated[int, typer.Option(help="Conversations at once.", min=1)]
Idle = Annotated[float, typer.Option(help="Seconds of silence that end one.", min=1)]
DialectName = Annotated[
    str, typer.Option(help="How calls are written; else the agent's, or an endpoint's tools.")
]


def web(
    model: ModelName = "",
    rival: Rival = "",
    agent: AgentName = "cambridge",
    engine: EngineName = "",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: a free one.", min=0, max=65535)] = 8080,
    traces: Traces = None,
    personal: Personal = False,
    open: Browse = False,
    sessions: AtOnce = 64,
    idle: Idle = 3600.0,
    dialect: DialectName = "",
    layout: Annotated[str, typer.Option(help="Turn markers; else the model's own.")] = "",
    base_url: Urls = None,
    chat: Chat = True,
    timeout: Timeout = 120.0,
    key_env: KeyEnv = "OPENAI_API_KEY",
) -> None:
    """Talk with an agent on a page, and see what it thinks, calls and understands.

    Two models are asked side by side. The first one is served under /v1 as well. Keys that
    are let in stand in COALM_API_KEYS, with commas between; everybody is if there are none.
    """
    from coalm.agent.definition import load
    from coalm.bench.evaluate import EvalSettings
    from coalm.cli.speaking import model_of
    from coalm.serve.sessions_kept import SessionLimits
    from coalm.serve.settings import ServeSettings

    described = load(agent)
    name = model_of(described, model)
    asked = EvalSettings(
        engine=engine or described.engine,
        dialect=dialect,
        layout=layout,
        base_urls=tuple(base_url or ()),
        chat=chat,
        timeout=timeout,
        key_env=key_env,
    )
    limits = SessionLimits(sessions=sessions, idle=idle)
    served = ServeSettings(host=host, port=port, timeout=_PATIENCE, concurrency=_AT_ONCE)
    names = {name: name}
    if rival:
        names[rival if rival != name else f"{rival} (2)"] = rival
    with ExitStack() as stack:
        models = _Models(stack, described, asked, names)
        _serve(models, served, limits, traces, personal=personal, browse=open)


@dataclass(frozen=True)
class _Voice:
    """A model that any number of conversations may ask at once."""

    spoken: "Speaking"
    line: "Line | None" = None
    """Where its prompts stand in line; None where a chat endpoint is asked."""
    format: "Format | None" = None


@dataclass
class _Models:
    """The models of the page by their names there; each is opened when it is first asked."""

    stack: ExitStack
    agent: "AgentFile"
    settings: "EvalSettings"
    names: dict[str, str]
    voices: "dict[str, _Voice]" = field(default_factory=dict)
    tools: "Setting | None" = None

    def setting(self, label: str) -> "Setting":
        """What conversations with that model have in common."""
        from coalm.agent.opening import opened

        voice = self.voice(label)
        if self.tools is None:
            self.tools = self.stack.enter_context(opened(self.agent, voice.spoken.speaker))
        return replace(
            self.tools,
            agent=replace(self.tools.agent, speaker=voice.spoken.speaker),
            context=voice.spoken.fitting(self.agent.limits.context),
            count=voice.spoken.count,
        )

    def voice(self, label: str) -> _Voice:
        """The model, opened once, whatever it is called."""
        name = self.names[label]
        key = str(Path(name).resolve()) if Path(name).is_dir() else name
        if key not in self.voices:
            self.voices[key] = self._opened(name)
        return self.voices[key]

    def check(self) -> None:
        """An error now for a model that is not there, and not at its first conversation."""
        from coalm import models

        if self.settings.engine != "server":
            for name in self.names.values():
                models.folder(name, note)

    def _opened(self, name: str) -> _Voice:
        from coalm.cli.speaking import speaking
        from coalm.engines import Model
        from coalm.serve.batching import Batcher
        from coalm.serve.upstream import Upstream, greet
        from coalm.serve.waiting import Queued

        asked = self.settings
        if asked.engine == "server" and asked.base_urls:
            greet(asked.base_urls, asked.key_env)
        spoken = self.stack.enter_context(speaking(name, asked, self.agent.dialect))
        if not isinstance(spoken.speaker, Model):
            return _Voice(spoken)
        line: Line
        if asked.engine == "server":
            line = Upstream(name, asked.base_urls, key_env=asked.key_env, timeout=asked.timeout)
        else:
            line = Batcher(spoken.speaker.engine)
        self.stack.callback(line.close)
        fmt = spoken.speaker.format
        return _Voice(replace(spoken, speaker=Model(Queued(line), fmt)), line, fmt)


def _serve(
    models: _Models, served: Any, limits: Any, traces: Path | None, *, personal: bool, browse: bool
) -> None:
    """Serve until Ctrl-C."""
    import os
    import webbrowser

    from coalm.serve.running import address_of, listener, run
    from coalm.serve.sessions_app import paged
    from coalm.serve.sessions_kept import Keeper, Sessions, secrets_of

    if traces is not None and (traces.is_dir() or not os.access(_there(traces), os.W_OK)):
        raise RecipeError(f"{traces} cannot be written")
    models.check()
    sock = listener(served.host, served.port)
    models.stack.callback(sock.close)
    first, *_ = models.names
    models.setting(first)
    voice = models.voice(first)
    secret = secrets_of(_secret_names(models, served.key_env), os.environ)
    sessions = Sessions(
        models.agent.name,
        {label: _opener(models, label) for label in models.names},
        limits,
        Keeper(traces, secret, personal),
    )
    app = paged(sessions, [first], served, voice.line, voice.format)
    address = address_of(sock)
    if not served.keys and not served.loopback:
        note("everybody who reaches this address is let in: set COALM_API_KEYS to ask for a key")

    def ready() -> None:
        note(f"{models.agent.name} with {' and '.join(models.names)}: {address}")
        note(f"traces go to {traces}; Ctrl-C ends" if traces else "Ctrl-C ends")
        if browse and not webbrowser.open(address):
            note("no browser was found; open the address yourself")

    run(app, sock, drain=served.drain, note=note, ready=ready)


def _opener(models: _Models, label: str) -> "Callable[[], Setting]":
    return lambda: models.setting(label)


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path.resolve(), *path.resolve().parents) if place.exists())


def _secret_names(models: _Models, key_env: str) -> list[str]:
    """The environment variables whose values must be in no trace."""
    names = [key_env, models.settings.key_env]
    for tools in models.agent.tools:
        names += [*tools.env, *([tools.auth.env] if tools.auth else [])]
    return names
