"""Engines: prompts in, completions out."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from coalm.engines.base import (
    Completion,
    Engine,
    Model,
    Polyglot,
    Said,
    Sampling,
    Speaker,
    Unanswered,
)
from coalm.errors import MissingExtra, RecipeError, unknown

__all__ = [
    "ENGINES",
    "Completion",
    "Engine",
    "Model",
    "Polyglot",
    "Said",
    "Sampling",
    "Speaker",
    "Unanswered",
    "check_options",
    "deciding",
    "open_engine",
    "precision",
    "resolve",
]

ENGINES = ("auto", "transformers", "openvino", "vllm", "server")
"""The engines that can be named on the command line."""


def resolve(name: str, model: str, note: Callable[[str], None] = lambda _: None) -> str:
    """The engine that `auto` stands for on this machine; another name stands for itself.

    `auto` is openvino where it is installed, there is no GPU and it can run the model; where
    it cannot, `note` is told why.
    """
    if name not in ENGINES:
        raise RecipeError(unknown("engine", name, ENGINES))
    if name != "auto":
        return name
    if not model or find_spec("openvino_genai") is None or find_spec("gguf") is None or _gpu():
        return "transformers"
    from coalm import models
    from coalm.engines.openvino_files import refusal

    why = refusal(models.folder(model, note))
    if why:
        note(f"engine transformers, because openvino is of no use here: {why}")
    return "transformers" if why else "openvino"


def _gpu() -> bool:
    if find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def precision(engine: str, dtype: str) -> str:
    """What `dtype: auto` comes to with a resolved engine, as a run's identity names it."""
    match engine:
        case "transformers":
            from coalm.devices import pick

            try:
                return pick("auto", dtype).precision
            except ImportError:
                raise MissingExtra("train", "running a model in this process") from None
        case "vllm":
            from coalm.devices import DTYPES

            if dtype not in DTYPES:
                raise RecipeError(unknown("dtype", dtype, DTYPES))
            return "bf16" if dtype == "auto" else dtype
        case "openvino":
            from coalm.engines.openvino_files import resolved

            return resolved(dtype)
        case _:
            return dtype


def deciding(engine: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an engine's options that decide what is answered, and not only how fast."""
    if engine == "openvino":
        return {}
    if engine != "vllm":
        return dict(options)
    from coalm.engines.vllm import DECIDE

    return {name: value for name, value in options.items() if name in DECIDE}


def check_options(engine: str, options: Mapping[str, Any]) -> None:
    """A `RecipeError` for an option that the engine does not have, or a value of another kind."""
    if engine == "vllm":
        from coalm.engines.vllm import VllmOptions
        from coalm.recipe import build

        build(VllmOptions, options, "engine option")
    elif engine == "openvino":
        from coalm.engines.openvino import OpenVinoOptions
        from coalm.recipe import build

        build(OpenVinoOptions, options, "engine option")
    elif options:
        raise RecipeError(
            f"the engine {engine!r} has no options, and {next(iter(options))!r} was given; "
            "those of openvino and vllm are in docs/engines.md"
        )


def open_engine(
    name: str,
    model: str,
    *,
    dtype: str = "auto",
    options: Mapping[str, Any] | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Engine:
    """The engine of that name around a model (an embedded name, a folder or a hub id).

    `options` are the engine's own, such as vllm's `tensor_parallel_size`.
    """
    engine = resolve(name, model, note)
    check_options(engine, options or {})
    match engine:
        case "transformers":
            from coalm.engines.transformers import open_transformers

            return open_transformers(model, dtype=dtype, note=note)
        case "openvino":
            from coalm.engines.openvino import open_openvino

            return open_openvino(model, dtype=dtype, options=options or {}, note=note)
        case "vllm":
            from coalm.engines.vllm import open_vllm

            return open_vllm(model, dtype=dtype, options=options or {}, note=note)
        case "server":
            raise RecipeError(
                "the engine 'server' asks endpoints and opens no model: see coalm.engines.server, "
                "or coalm eval MODEL --engine server --base-url URL"
            )
        case known:
            raise AssertionError(f"{known} is in the list and nowhere else")
