"""Layouts by name. A new one is one file and one line here."""

from coalm.errors import ModelError, RecipeError, unknown
from coalm.formats.layouts.base import Layout, Message, Role
from coalm.formats.layouts.chatml import ChatML
from coalm.formats.layouts.granite import Granite
from coalm.formats.layouts.llama3 import Llama3
from coalm.formats.layouts.mistral import Mistral
from coalm.formats.layouts.qwen import Qwen
from coalm.formats.tokens import ModelTokenizer

__all__ = ["LAYOUTS", "Layout", "Message", "Role", "layout", "layout_for"]

LAYOUTS: dict[str, Layout] = {
    known.name: known for known in (ChatML(), Llama3(), Qwen(), Mistral(), Granite())
}


def layout(name: str) -> Layout:
    """The layout of that name; a `RecipeError` names the nearest one."""
    if name not in LAYOUTS:
        raise RecipeError(unknown("layout", name, LAYOUTS))
    return LAYOUTS[name]


def layout_for(tokenizer: ModelTokenizer) -> Layout:
    """The layout whose signs a tokenizer has, of several the one with most signs.

    A `ModelError` if there is none.
    """
    fitting = [
        known
        for known in LAYOUTS.values()
        if all(map(tokenizer.knows, known.signs)) and not any(map(tokenizer.knows, known.strangers))
    ]
    if not fitting:
        raise ModelError(
            f"this model's tokenizer has the markers of no layout ({', '.join(LAYOUTS)}); "
            "it is not a chat model that is known here"
        )
    return max(fitting, key=lambda known: len(known.signs))
