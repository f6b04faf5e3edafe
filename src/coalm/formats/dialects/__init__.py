"""Dialects by name. A new one is one file and one line here."""

from coalm.errors import RecipeError, unknown
from coalm.formats.dialects.base import Dialect
from coalm.formats.dialects.hermes import Hermes
from coalm.formats.dialects.json_calls import JsonCalls
from coalm.formats.dialects.pythonic import Pythonic
from coalm.formats.dialects.react import ReAct

__all__ = ["DIALECTS", "Dialect", "dialect"]

DIALECTS: dict[str, Dialect] = {
    known.name: known for known in (Pythonic(), JsonCalls(), ReAct(), Hermes())
}


def dialect(name: str) -> Dialect:
    """The dialect of that name; a `RecipeError` names the nearest one."""
    if name not in DIALECTS:
        raise RecipeError(unknown("dialect", name, DIALECTS))
    return DIALECTS[name]
