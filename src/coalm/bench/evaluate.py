"""One model on some benchmarks: a folder for each of them, under one evaluation folder."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import models, store
from coalm.bench.outcomes import Scores
from coalm.bench.runner import RunSettings, run
from coalm.bench.table import PROTOCOLS, full_name, open_benchmark
from coalm.engines import ENGINES, Engine, Model, open_engine
from coalm.engines.lazy import Lazy
from coalm.errors import RecipeError, unknown
from coalm.formats import Format, format_of
from coalm.formats.dialects import dialect
from coalm.formats.layouts import layout, layout_for
from coalm.formats.tokens import open_tokenizer
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
    limits = {full_name(name): limit for name, limit in settings.limits.items()}
    folder = models.folder(model, note)
    markers = settings.layout or _layout(folder)
    engine = Lazy(lambda: _open(settings, model, note))
    identity = {
        "label": label or model,
        "model": models.identity(model, folder),
        "engine": settings.engine,
        "dtype": settings.dtype,
    }
    done = []
    for name in names:
        benchmark = open_benchmark(name)
        about = benchmark.about
        fmt = format_of(markers, settings.dialect or about.dialect, rows=settings.rows)
        note(f"{name}, data {about.version}, format {fmt.name}")
        where = out / name.replace(":", ".")
        scores = run(
            benchmark,
            Model(engine, fmt),
            where,
            RunSettings(
                limit=limits.get(name, settings.limit), seed=settings.seed, batch=settings.batch
            ),
            identity={**identity, "format": fmt.name},
            progress=lambda n, of, said, name=name: progress(name, n, of, said),  # type: ignore[misc]
            note=note,
        )
        done.append(Evaluated(name, where, scores))
    return done


def check(settings: EvalSettings) -> None:
    """A `RecipeError` for what would only show once the model is fetched, or even trained."""
    if not settings.bench:
        raise RecipeError("no benchmark is named; there are " + ", ".join(PROTOCOLS))
    for name in (*settings.bench, *settings.limits):
        full_name(name)
    if settings.dialect:
        dialect(settings.dialect)
    if settings.layout:
        layout(settings.layout)
    if settings.engine not in ENGINES:
        raise RecipeError(unknown("engine", settings.engine, ENGINES))


def format_for(folder: Path, dialect_name: str) -> Format:
    """The format to speak with a model in: its own layout, the dialect asked for."""
    return format_of(_layout(folder), dialect_name)


def held_out() -> Mapping[str, Iterable[str]]:
    """The texts of every benchmark that must not be trained on, by benchmark."""
    from coalm.bench import apibank, bfcl, multiwoz

    return {
        "multiwoz": multiwoz.held_out_texts(),
        "apibank": apibank.held_out_texts(),
        "bfcl": bfcl.held_out_texts(),
    }


def _layout(folder: Path) -> str:
    """The layout that a model of ours was trained with, else one that its tokenizer knows."""
    trained: Any = {}
    if (folder / "coalm-format.json").exists():
        trained = store.read_json(folder / "coalm-format.json")
    return str(trained.get("layout") or layout_for(open_tokenizer(folder)).name)


def _open(settings: EvalSettings, model: str, note: Note) -> Engine:
    return open_engine(settings.engine, model, dtype=settings.dtype, note=note)
