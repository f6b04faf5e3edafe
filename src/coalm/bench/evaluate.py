"""One model on some benchmarks: a folder for each of them, under one evaluation folder."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import store
from coalm.bench.outcomes import RUN, SCORES, Scores, forget
from coalm.bench.runner import RunSettings, run
from coalm.bench.speakers import Speakers, check_engine, opened
from coalm.bench.split import Shard
from coalm.bench.table import PROTOCOLS, full_name, open_benchmark
from coalm.errors import RecipeError
from coalm.recipe import STRICT

if TYPE_CHECKING:
    from coalm.bench.multiwoz.online import Simulator

Note = Callable[[str], None]


@settings_class(frozen=True, kw_only=True, config=STRICT)
class EvalSettings:
    """Which benchmarks, how much of them, and how the model runs."""

    bench: tuple[str, ...] = tuple(PROTOCOLS)
    """Benchmarks, each `NAME` or `NAME:PROTOCOL`."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """At most so many cases of each; all of them if not given."""
    limits: Mapping[str, Annotated[int, Field(ge=1)]] = field(default_factory=dict)
    """Limits of single benchmarks, by name, where they differ from `limit`."""
    seed: int = 0
    """Chooses the cases where there is a limit, the same ones for every model."""
    user: str = "rules"
    """Who the users of multiwoz:online are: rules, a MODEL, or a MODEL@ADDRESS."""
    dialect: str = ""
    """How calls are asked for; empty means what each benchmark is used with."""
    layout: str = ""
    """Turn markers; empty means those that the model was trained with or knows."""
    rows: bool = False
    """Ask in the paper's instruction / input / output rows."""
    engine: str = "auto"
    """What runs the model; auto is the fastest that this machine has."""
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own options, such as `tensor_parallel_size` of vllm."""
    cache: bool = True
    """Take answers that the same model gave to the same prompts before, and keep new ones."""
    dtype: str = "auto"
    """Precision; auto is fp32 with openvino, else bf16 where this machine is faster with it."""
    batch: Annotated[int, Field(ge=1)] = 64
    """Cases that are asked side by side."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """New tokens a model step; what each benchmark allows if not given."""
    base_urls: tuple[str, ...] = ()
    """OpenAI-compatible endpoints for the engine `server`, all with the same model."""
    chat: bool = True
    """Ask endpoints for chat, with their own tool calls or in a dialect; else for raw text."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """Requests under way at once at all endpoints together; `batch` if not given."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds for one try of a request."""
    max_retries: Annotated[int, Field(ge=0)] = 6
    """Further tries after 429, 5xx, a time-out or a lost connection."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key."""
    price_in: Annotated[float, Field(ge=0)] = 0.0
    """Price of a million prompt tokens."""
    price_out: Annotated[float, Field(ge=0)] = 0.0
    """Price of a million answer tokens."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one benchmark gave."""

    name: str
    """`BENCHMARK:PROTOCOL`."""
    folder: Path
    scores: Scores


def evaluate(
    model: str,
    settings: EvalSettings,
    out: Path,
    *,
    label: str = "",
    shard: Shard | None = None,
    anew: bool = False,
    progress: Callable[[str, int, int, str], None],
    note: Note,
) -> list[Evaluated]:
    """Play each benchmark with the model; finished cases of an earlier call are kept.

    With `shard` only that share of the cases is played. `anew` deletes first what earlier
    calls left in the folders. `progress` is told the benchmark, how many cases of how many
    are done and the headline.
    """
    check(settings)
    names = [full_name(name) for name in settings.bench]
    folders = [out / name.replace(":", ".") for name in names]
    if anew:
        forget(folders)
    settings = _as_before(settings, folders)
    from coalm.bench.multiwoz.online.llm import users_of

    with opened(model, settings, note) as speakers, users_of(settings, note) as users:
        return [
            _evaluated(name, speakers, users, settings, out, label or model, shard, progress, note)
            for name in names
        ]


def _as_before(settings: EvalSettings, folders: Iterable[Path]) -> EvalSettings:
    """The settings with `auto` as it was resolved when a run began that is now gone on with.

    Which precision is faster is measured, and an engine may have been installed since.
    """
    for folder in folders:
        if settings.engine == "server" or not (folder / RUN).is_file():
            continue
        known = store.read_json(folder / RUN)
        autos = [name for name in ("engine", "dtype") if getattr(settings, name) == "auto"]
        found = {name: known[name] for name in autos if known.get(name) not in (None, "server")}
        if found:
            return replace(settings, **found)
    return settings


def _evaluated(
    name: str,
    speakers: Speakers,
    users: "Simulator",
    settings: EvalSettings,
    out: Path,
    label: str,
    shard: Shard | None,
    progress: Callable[[str, int, int, str], None],
    note: Note,
) -> Evaluated:
    limits = {full_name(name): limit for name, limit in settings.limits.items()}
    benchmark = open_benchmark(name, users=users)
    speaker, fmt = speakers.speaker(benchmark.about)
    note(f"{name}, data {benchmark.about.version}, format {fmt}")
    where = out / name.replace(":", ".")
    longest = {} if settings.max_tokens is None else {"max_tokens": settings.max_tokens}
    identity = {"label": label, **speakers.identity, "format": fmt, **longest}
    speakers.begin(where)
    scores = run(
        benchmark,
        speaker,
        where,
        RunSettings(
            limit=limits.get(name, settings.limit),
            seed=settings.seed,
            batch=settings.batch,
            max_tokens=settings.max_tokens,
            shard=shard,
        ),
        identity=identity,
        progress=lambda n, of, said: progress(name, n, of, said),
        note=note,
    )
    spent = speakers.spent()
    _tell(where, spent, name, settings)
    if spent:
        note(f"{name}: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in spent.items()))
    return Evaluated(name, where, scores)


def _tell(where: Path, spent: Mapping[str, Any], name: str, settings: EvalSettings) -> None:
    """Add to `scores.json` what the answers took, and how to ask for them again."""
    row = store.read_json(where / SCORES)
    told: dict[str, Any] = {"usage": dict(spent)} if spent else {}
    told |= {"answers from the cache": row["cached"]} if row["cached"] else {}
    told |= {"command": _command(row, name, where, settings)}
    store.write_json(where / SCORES, row | {"identity": row["identity"] | told})


def _command(row: Mapping[str, Any], name: str, where: Path, settings: EvalSettings) -> str:
    identity = row["identity"]
    words = ["coalm", "eval", row["model"]["name"], "--bench", name]
    words += ["--engine", identity["engine"]]
    words += [word for url in settings.base_urls for word in ("--base-url", url)]
    if settings.engine == "server":
        words += ["--chat" if settings.chat else "--raw"]
    options = (f"{name}={value}" for name, value in settings.engine_options.items())
    words += [word for option in options for word in ("--engine-option", option)]
    given = {
        "dtype": identity.get("dtype"),
        "layout": settings.layout,
        "dialect": settings.dialect,
        "limit": row["limit"],
        "seed": row["seed"] or "",
        "user": "" if settings.user == "rules" else settings.user,
        "max-tokens": settings.max_tokens,
        "shard": identity.get("shard"),
        "label": row["label"],
        "out": where.parent.as_posix(),
    }
    for option, value in given.items():
        words += [] if value in ("", None) else [f"--{option}", str(value)]
    return shlex.join([*words, *(["--rows"] if settings.rows else [])])


def check(settings: EvalSettings) -> None:
    """A `RecipeError` for what would only show once the model is fetched, or even trained."""
    if not settings.bench:
        raise RecipeError("no benchmark is named; there are " + ", ".join(PROTOCOLS))
    for name in (*settings.bench, *settings.limits):
        full_name(name)
    check_engine(settings)
    from coalm.bench.multiwoz.online.llm import check_user

    check_user(settings, [full_name(name) for name in settings.bench])


def held_out() -> Mapping[str, Iterable[str]]:
    """The texts of every benchmark that must not be trained on, by benchmark."""
    from coalm.bench import apibank, bfcl, multiwoz

    return {
        "multiwoz": multiwoz.held_out_texts(),
        "apibank": apibank.held_out_texts(),
        "bfcl": bfcl.held_out_texts(),
    }
