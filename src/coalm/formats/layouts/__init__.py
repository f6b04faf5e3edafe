"""Layouts by name. A new one is one file and one line here."""

from coalm.errors import ModelError, RecipeError, unknown
from coalm.formats.layouts.base import Layout, Role
from coalm.formats.layouts.chatml import ChatML
from coalm.formats.layouts.llama3 import Llama3
from coalm.formats.tokens import ModelTokenizer

__all__ = ["LAYOUTS", "Layout", "Role", "layout", "layout_for"]

LAYOUTS: dict[str, Layout] = {known.name: known for known in (ChatML(), Llama3())}


def layout(name: str) -> Layout:
    """The layout of that name; a `RecipeError` names the nearest one."""
    if name not in LAYOUTS:
        raise RecipeError(unknown("layout", name, LAYOUTS))
    return LAYOUTS[name]


def layout_for(tokenizer: ModelTokenizer) -> Layout:
    """The first layout all of whose markers a tokenizer knows; a `ModelError` if there is none."""
    for known in LAYOUTS.values():
        pieces = [*known.begin(), *known.head("user"), *known.tail("user")]
        if all(tokenizer.knows(piece.text) for piece in pieces if piece.control):
            return known
    raise ModelError(
        f"this model's tokenizer has the markers of no layout ({', '.join(LAYOUTS)}); "
        "it is not a chat model that is known here"
    )
