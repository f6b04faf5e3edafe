"""Layouts by name. A new one is one file and one line here."""

from coalm.errors import RecipeError, unknown
from coalm.formats.layouts.base import Layout, Role
from coalm.formats.layouts.chatml import ChatML
from coalm.formats.layouts.llama3 import Llama3

__all__ = ["LAYOUTS", "Layout", "Role", "layout"]

LAYOUTS: dict[str, Layout] = {known.name: known for known in (ChatML(), Llama3())}


def layout(name: str) -> Layout:
    """The layout of that name; a `RecipeError` names the nearest one."""
    if name not in LAYOUTS:
        raise RecipeError(unknown("layout", name, LAYOUTS))
    return LAYOUTS[name]
