"""`coalm serve`: a model or an agent behind an API that OpenAI's clients know."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note
from coalm.errors import RecipeError

if TYPE_CHECKING:
    from coalm.agent.definition import AgentFile
    from coalm.agent.history import Count
    from coalm.formats import Format
    from coalm.serve.app import Application
    from coalm.serve.settings import ServeSettings
    from coalm.serve.waiting import Line
    from coalm.types import Dialogue

ModelName = Annotated[
    str,
    typer.Argument(
        help="A run folder, an embedded model, a model folder, a hub id; an upstream's model; "
        "or nothing where the agent names one."
    ),
]
AgentName = Annotated[
    str,
    typer.Option(help="An agent's YAML file, or cambridge: the agent runs its own tools here."),
]
Upstreams = Annotated[
    list[str] | None,
    typer.Option(
        "--upstream",
        help="In front of an OpenAI-compatible server, such as http://localhost:8001/v1; "
        "repeat for several.",
    ),
]
UpstreamKey = Annotated[str, typer.Option(help="The environment variable with the upstream's key.")]
EngineName = Annotated[str, typer.Option(help="What runs the model; else the agent's.")]
DialectName = Annotated[str, typer.Option(help="How calls are written; else the agent's.")]
LayoutName = Annotated[str, typer.Option(help="Turn markers; else the model's own.")]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="Another name for it; repeat for several.")
]
Options = Annotated[
    list[str] | None,
    typer.Option("--engine-option", metavar="NAME=VALUE", help="An option of the engine."),
]
Dtype = Annotated[str, typer.Option(help="The precision of the weights.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)]
KeyEnv = Annotated[
    str, typer.Option(help="The environment variable with the keys let in, commas between.")
]
Cors = Annotated[
    list[str] | None, typer.Option(help="An origin whose pages may ask; repeat for several.")
]
MaxBody = Annotated[int, typer.Option(help="Bytes of a request.", min=1)]
Concurrency = Annotated[
    int, typer.Option(help="Requests under way at once; more are told to come back.", min=1)
]
Batch = Annotated[
    int, typer.Option(help="Prompts at once for an engine that none can join later.", min=1)
]
Timeout = Annotated[float, typer.Option(help="Seconds for one request.", min=0.01)]
MaxTokens = Annotated[
    int, typer.Option(help="New tokens of a reply, and the most a request may ask for.", min=1)
]
Drain = Annotated[
    float, typer.Option(help="Seconds for requests under way when it is told to stop.", min=0.01)
]


def serve(
    model: ModelName = "",
    agent: AgentName = "",
    upstream: Upstreams = None,
    upstream_key_env: UpstreamKey = "OPENAI_API_KEY",
    engine: EngineName = "",
    dialect: DialectName = "",
    layout: LayoutName = "",
    name: Names = None,
    engine_option: Options = None,
    dtype: Dtype = "auto",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    key_env: KeyEnv = "COALM_API_KEYS",
    cors: Cors = None,
    max_body: MaxBody = 4_000_000,
    concurrency: Concurrency = 64,
    batch: Batch = 32,
    timeout: Timeout = 300.0,
    max_tokens: MaxTokens = 1024,
    drain: Drain = 30.0,
) -> None:
    """Serve a model or an agent to OpenAI's clients: POST /v1/chat/completions."""
    from coalm.recipe import build
    from coalm.serve.settings import ServeSettings

    listening = {
        "host": host, "port": port, "key_env": key_env, "cors": tuple(cors or ()),
        "max_body": max_body, "concurrency": concurrency, "batch": batch,
        "timeout": timeout, "max_tokens": max_tokens, "drain": drain,
    }  # fmt: skip
    settings = build(ServeSettings, listening, "serve")
    runs = Runs(engine, dtype, tuple(engine_option or ()), layout, dialect)
    behind = Behind(tuple(upstream or ()), upstream_key_env)
    _serve(model, agent, tuple(name or ()), settings, runs, behind)


@dataclass(frozen=True, slots=True)
class Runs:
    """How the model is run; empty where the agent or the model itself says it."""

    engine: str
    dtype: str
    options: tuple[str, ...]
    layout: str
    dialect: str


@dataclass(frozen=True, slots=True)
class Behind:
    """The servers that run the model, if it is not run here."""

    urls: tuple[str, ...]
    key_env: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that takes prompts, and what is known of it."""

    line: "Line"
    format: "Format"
    about: str
    context: int | None = None
    count: "Count | None" = None


def _serve(
    model: str,
    agent: str,
    aliases: tuple[str, ...],
    settings: "ServeSettings",
    runs: Runs,
    behind: Behind,
) -> None:
    from coalm.agent.definition import load
    from coalm.cli.speaking import DIALECT, model_of
    from coalm.serve.running import address_of, listener, run

    described = load(agent) if agent else None
    chosen = model_of(described, model)
    spoken = runs.dialect or (described.dialect if described else DIALECT)
    engine = runs.engine or (described.engine if described else "auto")
    runs = replace(runs, engine=engine, dialect=spoken)
    with ExitStack() as stack:
        sock = stack.enter_context(listener(settings.host, settings.port))
        made = (_upstream if behind.urls else _local)(chosen, runs, behind, settings)
        stack.callback(made.line.close)
        names = tuple(dict.fromkeys([*aliases, chosen]))
        app = stack.enter_context(_application(made, names, settings, described))

        def ready() -> None:
            mode = f"agent {described.name}" if described else "the client runs the tools"
            console.print(f"{address_of(sock)}/v1", soft_wrap=True)
            note(f"{', '.join(names)}: {made.about}, format {made.format.name}, {mode}")
            _tell_of_keys(settings)

        run(app, sock, drain=settings.drain, note=note, ready=ready)
    note("stopped")


def _local(model: str, runs: Runs, _: Behind, settings: "ServeSettings") -> Opened:
    """A model in this process."""
    from coalm import models, store
    from coalm.bench.speakers import own_layout
    from coalm.cli.evaluate import options_of
    from coalm.engines import open_engine, resolve
    from coalm.formats import encode, format_of
    from coalm.formats.tokens import open_tokenizer
    from coalm.serve.batching import Batcher

    if runs.engine == "server":
        raise RecipeError("the engine 'server' is --upstream URL here")
    folder = models.folder(model, note)
    fmt = format_of(runs.layout or own_layout(folder), runs.dialect)
    name = resolve(runs.engine, model, note)
    options = options_of(runs.options)
    engine = open_engine(name, model, dtype=runs.dtype, options=options, note=note)
    tokenizer = open_tokenizer(folder)
    context = store.read_json(folder / "config.json").get("max_position_embeddings")

    def count(dialogue: "Dialogue") -> int:
        return len(encode(fmt.prompt(dialogue), tokenizer).ids)

    return Opened(Batcher(engine, settings.batch), fmt, f"engine {name}", context, count)


def _upstream(model: str, runs: Runs, behind: Behind, settings: "ServeSettings") -> Opened:
    """A model that another server runs."""
    from coalm.formats import format_of
    from coalm.serve.upstream import Upstream, greet

    if not runs.layout:
        raise RecipeError("an upstream does not tell its model's turn markers: add --layout")
    if runs.options or runs.engine not in {"auto", "server"}:
        raise RecipeError("with --upstream another server runs the model: no engine, no options")
    fmt = format_of(runs.layout, runs.dialect)
    greet(behind.urls, behind.key_env)
    line = Upstream(model, behind.urls, key_env=behind.key_env, timeout=settings.timeout)
    return Opened(line, fmt, f"upstream {', '.join(behind.urls)}")


@contextmanager
def _application(
    made: Opened,
    names: tuple[str, ...],
    settings: "ServeSettings",
    described: "AgentFile | None",
) -> "Iterator[Application]":
    """What is served: the model itself, or the agent with its conversations for pages."""
    from coalm.serve.app import around, of_agent

    if described is None:
        yield around(made.line, made.format, names, settings)
        return
    from coalm.agent.opening import opened
    from coalm.cli.speaking import fitting
    from coalm.engines import Model
    from coalm.serve.waiting import Queued

    with opened(described, Model(Queued(made.line), made.format)) as setting:
        context = fitting(described.limits.context, made.context)
        full = replace(setting, context=context, count=made.count)
        yield of_agent(described.name, full, made.line, names, settings)


def _tell_of_keys(settings: "ServeSettings") -> None:
    """Whether keys are needed; a warning where they should be."""
    if settings.keys:
        note(f"{len(settings.keys)} API keys from {settings.key_env}; Ctrl-C stops")
    elif settings.loopback:
        note(f"no API key is needed, {settings.key_env} holds none; Ctrl-C stops")
    else:
        console.print(
            f"warning: whoever reaches {settings.host} can use this without a key; "
            f"put keys into {settings.key_env}",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
