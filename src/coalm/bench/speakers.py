"""Who is asked: a model in this process, or one behind endpoints, for any benchmark."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from coalm import models, store
from coalm.bench.base import About
from coalm.engines import (
    Engine,
    Model,
    Speaker,
    check_options,
    deciding,
    open_engine,
    precision,
    resolve,
)
from coalm.engines.answers import Answers
from coalm.engines.cached import Cached
from coalm.engines.lazy import Lazy
from coalm.errors import RecipeError
from coalm.formats import format_of
from coalm.formats.dialects import dialect
from coalm.formats.layouts import layout, layout_for
from coalm.formats.tokens import open_tokenizer

if TYPE_CHECKING:
    from coalm.bench.evaluate import EvalSettings
    from coalm.engines.server import Server

Note = Callable[[str], None]


class Speakers(Protocol):
    """A model that can be asked in the way that a benchmark wants."""

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this model's runs from any other's."""
        ...

    def speaker(self, about: About) -> tuple[Speaker, str]:
        """Who is asked, and the name of the format."""
        ...

    def begin(self, folder: Path) -> None:
        """A benchmark's run begins, in that folder."""
        ...

    def spent(self) -> dict[str, Any]:
        """What the run took that its outcomes do not say; empty where nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """A model in this process, opened when it is first needed."""

    identity: dict[str, Any]
    engine: Engine
    markers: str
    settings: "EvalSettings"

    def speaker(self, about: About) -> tuple[Speaker, str]:
        """The model with the benchmark's dialect, or with the one that was asked for."""
        return _formatted(self.engine, self.markers, self.settings, about)

    def begin(self, folder: Path) -> None:
        """Nothing to do."""

    def spent(self) -> dict[str, Any]:
        """Nothing that the outcomes do not say."""
        return {}


@dataclass(frozen=True, slots=True)
class Remote:
    """A model behind endpoints."""

    server: "Server"
    settings: "EvalSettings"

    @property
    def identity(self) -> dict[str, Any]:
        """Its name and its hosts; there are no weights to be hashed."""
        return {"model": self.server.identity, "engine": "server"}

    def speaker(self, about: About) -> tuple[Speaker, str]:
        """Raw prompts; or chat, with the API's own tools where no dialect is asked for."""
        from coalm.engines.remote import Native, Prompted, Raw

        if not self.settings.chat:
            return _formatted(Raw(self.server), self.settings.layout, self.settings, about)
        name = f"chat/{about.asked or self.settings.dialect or 'native'}"
        if self.settings.dialect:
            return Prompted(self.server, dialect(self.settings.dialect)), name
        return Native(self.server), name

    def begin(self, folder: Path) -> None:
        """Answers are kept in the folder, one by one."""
        self.server.keep_in(folder)

    def spent(self) -> dict[str, Any]:
        """Requests, tokens and cost, those of earlier sittings included."""
        from coalm.endpoints import Prices

        prices = Prices(self.settings.price_in, self.settings.price_out)
        return self.server.bill(prices)


@contextmanager
def opened(model: str, settings: "EvalSettings", note: Note) -> Iterator[Speakers]:
    """The model as its settings want it; leaving the block hangs up."""
    if settings.engine != "server":
        yield _local(model, settings, note)
        return
    from coalm.endpoints import Settings
    from coalm.engines.server import Server

    asked = Settings(
        settings.concurrency or settings.batch,
        settings.timeout,
        settings.max_retries,
        key_variable=settings.key_env,
    )
    with Server(model, settings.base_urls, asked, note=note) as server:
        yield Remote(server, settings)


def check_engine(settings: "EvalSettings") -> None:
    """A `RecipeError` for an engine that cannot be used with the other settings."""
    if settings.dialect:
        dialect(settings.dialect)
    if settings.layout:
        layout(settings.layout)
    # `auto` is never the server, and takes the options of none.
    check_options(resolve(settings.engine, ""), settings.engine_options)
    if settings.engine != "server":
        if settings.base_urls:
            raise RecipeError("a base URL is asked by the engine 'server': add --engine server")
        return
    from coalm.endpoints import address

    if not settings.base_urls:
        raise RecipeError("the engine 'server' needs --base-url, such as http://localhost:8000/v1")
    for url in settings.base_urls:
        address(url)
    if settings.chat and (settings.rows or settings.layout):
        raise RecipeError(
            "a chat endpoint puts its own turn markers around messages; a layout or the paper's "
            "rows need --raw"
        )
    if not settings.chat and not settings.layout:
        raise RecipeError(
            "a raw prompt needs turn markers and an endpoint does not tell them: add --layout, "
            "or ask with --chat"
        )


def own_layout(folder: Path) -> str:
    """The layout that a model of ours was trained with, else one that its tokenizer knows."""
    trained: Any = {}
    if (folder / "coalm-format.json").exists():
        trained = store.read_json(folder / "coalm-format.json")
    return str(trained.get("layout") or layout_for(open_tokenizer(folder)).name)


def _local(model: str, settings: "EvalSettings", note: Note) -> Local:
    folder = models.folder(model, note)
    name = resolve(settings.engine, model, note)
    options = deciding(name, settings.engine_options)
    decides: dict[str, Any] = {
        "engine": name,
        "dtype": precision(name, settings.dtype),
        **({"engine_options": options} if options else {}),
    }
    known = models.identity(model, folder)

    def opened() -> Engine:
        return open_engine(
            name, model, dtype=decides["dtype"], options=settings.engine_options, note=note
        )

    # Both keep the keys and values of what they have read.
    engine: Engine = Lazy(opened, shares_prefixes=name in ("openvino", "vllm"))
    if settings.cache:
        engine = Cached(engine, Answers.of(known["sha256"], model), decides)
    markers = settings.layout or own_layout(folder)
    return Local({"model": known, **decides}, engine, markers, settings)


def _formatted(
    engine: Engine, markers: str, settings: "EvalSettings", about: About
) -> tuple[Speaker, str]:
    fmt = format_of(markers, settings.dialect or about.dialect, rows=settings.rows)
    return Model(engine, fmt), f"{markers}/{about.asked}" if about.asked else fmt.name
