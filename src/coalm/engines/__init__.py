"""Engines: prompts in, completions out."""

from collections.abc import Callable

from coalm.engines.base import (
    Completion,
    Engine,
    Model,
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
    "Said",
    "Sampling",
    "Speaker",
    "Unanswered",
    "open_engine",
]

ENGINES = ("transformers",)
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
        case _:
            raise RecipeError(unknown("engine", name, ENGINES))
