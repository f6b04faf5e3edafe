"""Dialects by name. A new one is one file and one line here."""

from coalm.errors import RecipeError, unknown
from coalm.formats.dialects.base import Dialect
from coalm.formats.dialects.codeact import CodeAct
from coalm.formats.dialects.fnctod import FnCTOD
from coalm.formats.dialects.hammer import Hammer
from coalm.formats.dialects.hermes import Hermes
from coalm.formats.dialects.json_calls import JsonCalls
from coalm.formats.dialects.openai_calls import OpenAICalls
from coalm.formats.dialects.pythonic import Pythonic
from coalm.formats.dialects.react import ReAct
from coalm.formats.dialects.verbatim import Verbatim

__all__ = ["AS_GIVEN", "DIALECTS", "Dialect", "dialect"]

DIALECTS: dict[str, Dialect] = {
    known.name: known
    for known in (
        Pythonic(),
        Hammer(),
        JsonCalls(),
        ReAct(),
        Hermes(),
        FnCTOD(),
        CodeAct(),
        OpenAICalls(),
    )
}
"""Those that an agent can speak.

Where the dialect of a text is guessed, the last that reads calls in it is taken: markers tell
most, and a list in JSON is `json` before it is `hammer`.
"""

AS_GIVEN: dict[str, Dialect] = {known.name: known for known in (Verbatim(),)}
"""Those of rows that are given whole; they say words alone."""


def dialect(name: str) -> Dialect:
    """The dialect of that name; a `RecipeError` names the nearest one."""
    known = {**DIALECTS, **AS_GIVEN}
    if name not in known:
        raise RecipeError(unknown("dialect", name, known))
    return known[name]
