"""One model on some benchmarks: a folder for each of them, under one evaluation folder."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import store
from coalm.bench.outcomes import SCORES, Scores
from coalm.bench.runner import RunSettings, run
from coalm.bench.speakers import Speakers, check_engine, opened, own_layout
from coalm.bench.table import PROTOCOLS, full_name, open_benchmark
from coalm.errors import RecipeError
from coalm.formats import Format, format_of
from coalm.recipe import STRICT

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
    dialect: str = ""
    """How calls are asked for; empty means what each benchmark is used with."""
    layout: str = ""
    """Turn markers; empty means those that the model was trained with or knows."""
    rows: bool = False
    """Ask in the paper's instruction / input / output rows."""
    engine: str = "transformers"
    """What runs the model."""
    dtype: str = "auto"
    """Precision; auto is bf16 where this machine is faster with it."""
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
    progress: Callable[[str, int, int, str], None],
    note: Note,
) -> list[Evaluated]:
    """Play each benchmark with the model; finished cases of an earlier call are kept.

    `progress` is told the benchmark, how many cases of how many are done and the headline.
    """
    check(settings)
    names = [full_name(name) for name in settings.bench]
    with opened(model, settings, note) as speakers:
        return [
            _evaluated(name, speakers, settings, out, label or model, progress, note)
            for name in names
        ]


def _evaluated(
    name: str,
    speakers: Speakers,
    settings: EvalSettings,
    out: Path,
    label: str,
    progress: Callable[[str, int, int, str], None],
    note: Note,
) -> Evaluated:
    limits = {full_name(name): limit for name, limit in settings.limits.items()}
    benchmark = open_benchmark(name)
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
        ),
        identity=identity,
        progress=lambda n, of, said: progress(name, n, of, said),
        note=note,
    )
    spent = speakers.spent()
    if spent:
        _tell(where, spent, name, settings)
        note(f"{name}: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in spent.items()))
    return Evaluated(name, where, scores)


def _tell(where: Path, spent: Mapping[str, Any], name: str, settings: EvalSettings) -> None:
    """Add to `scores.json` what the answers took, and how to ask for them again."""
    row = store.read_json(where / SCORES)
    told = {"usage": dict(spent), "command": _command(row, name, where, settings)}
    store.write_json(where / SCORES, row | {"identity": row["identity"] | told})


def _command(row: Mapping[str, Any], name: str, where: Path, settings: EvalSettings) -> str:
    words = ["coalm", "eval", row["model"]["name"], "--bench", name, "--engine", "server"]
    words += [word for url in settings.base_urls for word in ("--base-url", url)]
    words += ["--chat" if settings.chat else "--raw"]
    given = {
        "layout": settings.layout,
        "dialect": settings.dialect,
        "limit": row["limit"],
        "seed": row["seed"] or "",
        "max-tokens": settings.max_tokens,
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


def format_for(folder: Path, dialect_name: str) -> Format:
    """The format to speak with a model in: its own layout, the dialect asked for."""
    return format_of(own_layout(folder), dialect_name)


def held_out() -> Mapping[str, Iterable[str]]:
    """The texts of every benchmark that must not be trained on, by benchmark."""
    from coalm.bench import apibank, bfcl, multiwoz

    return {
        "multiwoz": multiwoz.held_out_texts(),
        "apibank": apibank.held_out_texts(),
        "bfcl": bfcl.held_out_texts(),
    }
