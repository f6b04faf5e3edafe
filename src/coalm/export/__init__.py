"""Data folders as the rows that other tools read. A new target is one file and one line here."""

from coalm.errors import RecipeError, unknown
from coalm.export.alpaca import Alpaca
from coalm.export.base import OWN, THOUGHTS, Manner, Said, Target, Unsaid
from coalm.export.coalm_it import CoalmIt
from coalm.export.folder import Exported, Origin, export
from coalm.export.openai import OpenAi
from coalm.export.sharegpt import ShareGpt

__all__ = [
    "OWN",
    "TARGETS",
    "THOUGHTS",
    "Exported",
    "Manner",
    "Origin",
    "Said",
    "Target",
    "Unsaid",
    "export",
    "target",
]

TARGETS: dict[str, Target] = {
    known.name: known for known in (CoalmIt(), OpenAi(), ShareGpt(), Alpaca())
}


def target(name: str) -> Target:
    """The target of that name; a `RecipeError` names the nearest one."""
    if name not in TARGETS:
        raise RecipeError(unknown("target", name, TARGETS))
    return TARGETS[name]
