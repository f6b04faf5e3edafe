"""Who is talked with: a model in this process or behind an endpoint, for chat, web and serve."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coalm.cli.shared import note
from coalm.errors import RecipeError

if TYPE_CHECKING:
    from coalm.agent.definition import AgentFile
    from coalm.agent.history import Count
    from coalm.bench.evaluate import EvalSettings
    from coalm.engines import Speaker

DIALECT = "react"
"""How calls are written where nobody says, as the models trained here were shown them."""


SCRIPTED = "scripted:"
"""Before the name of a file: its replies are given one after the other, whatever is said."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """A model that can be talked with."""

    speaker: "Speaker"
    format: str
    """The format's name."""
    context: int | None = None
    """Tokens that it can be shown; None where nobody knows."""
    count: "Count | None" = None
    """How they are counted."""

    def fitting(self, wanted: int | None) -> int | None:
        """The context where so much of it is wanted: never more than the model can be shown."""
        return fitting(wanted, self.context)


def model_of(described: "AgentFile | None", wanted: str) -> str:
    """The model that is wanted, else the agent's; a `RecipeError` where neither is named."""
    name = wanted or (described.model if described else "")
    if not name:
        raise RecipeError("which model? name one, or let the agent's file say `model:`")
    return name


def fitting(wanted: int | None, context: int | None) -> int | None:
    """The smaller of what is wanted and what a model can be shown; None knows no limit."""
    return min((one for one in (wanted, context) if one is not None), default=None)


@contextmanager
def speaking(model: str, settings: "EvalSettings", dialect: str = DIALECT) -> Iterator[Speaking]:
    """The model as the settings want it; `dialect` is spoken where they name none."""
    from coalm import models, store
    from coalm.bench.base import About
    from coalm.bench.speakers import check_engine, opened, own_layout
    from coalm.engines import Model, open_engine
    from coalm.formats import encode, format_of
    from coalm.formats.tokens import open_tokenizer
    from coalm.types import Dialogue

    check_engine(settings)
    if settings.engine == "server":
        about = About("chat", "", "", (), dialect=dialect, max_steps=0)
        with opened(model, settings, note) as speakers:
            yield Speaking(*speakers.speaker(about))
        return
    if model.startswith(SCRIPTED):
        yield _scripted(model.removeprefix(SCRIPTED), settings, dialect)
        return
    folder = models.folder(model, note)
    fmt = format_of(settings.layout or own_layout(folder), settings.dialect or dialect)
    tokenizer = open_tokenizer(folder)
    context = store.read_json(folder / "config.json").get("max_position_embeddings")

    def count(dialogue: Dialogue) -> int:
        return len(encode(fmt.prompt(dialogue), tokenizer).ids)

    engine = open_engine(settings.engine, model, note=note)
    yield Speaking(Model(engine, fmt), fmt.name, context, count)


def _scripted(file: str, settings: "EvalSettings", dialect: str) -> Speaking:
    """No model at all, for trying out an agent's tools, which are real."""
    from pathlib import Path

    from coalm.engines import Model
    from coalm.engines.scripted import Script, read_script
    from coalm.formats import format_of

    replies = read_script(Path(file).expanduser())
    fmt = format_of(settings.layout or "chatml", settings.dialect or dialect)
    note(f"no model: {len(replies)} replies are read from {file}, whatever you say")
    return Speaking(Model(Script(list(replies)), fmt), fmt.name)
