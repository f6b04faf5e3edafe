"""Engines: prompts in, completions out."""

from collections.abc import Callable

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
from coalm.errors import RecipeError, unknown

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
    "open_engine",
]

ENGINES = ("transformers", "server")
"""The engines that can be named on the command line."""


def open_engine(
    name: str,
    model: str,
    *,
    dtype: str = "auto",
    note: Callable[[str], None] = lambda _: None,
) -> Engine:
    """The engine of that name around a model (an embedded name, a folder or a hub id)."""
    match name:
        case "transformers":
            from coalm.engines.transformers import open_transformers

            return open_transformers(model, dtype=dtype, note=note)
        case "server":
            raise RecipeError(
                "the engine 'server' asks endpoints and opens no model: see coalm.engines.server, "
                "or coalm eval MODEL --engine server --base-url URL"
            )
        case _:
            raise RecipeError(unknown("engine", name, ENGINES))
