"""The server as an ASGI application."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.engines import Engine
from coalm.errors import MissingExtra
from coalm.formats import Format
from coalm.serve.agents import AgentCompletions
from coalm.serve.batching import Batcher
from coalm.serve.completions import Completions
from coalm.serve.door import Door
from coalm.serve.metrics import Metrics
from coalm.serve.replies import App, Receive, Scope, Send
from coalm.serve.settings import ServeSettings
from coalm.serve.waiting import Line
from coalm.serve.wire import Invalid, error_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from coalm.agent.session import Setting


@dataclass(frozen=True)
class Application:
    """An ASGI application, and what it is made of."""

    door: Door
    line: Line
    metrics: Metrics
    outer: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self.outer(scope, receive, send)

    @property
    def under_way(self) -> int:
        """Requests that are being answered."""
        return self.door.under_way

    def refuse(self) -> None:
        """Let nobody in any more; who is in is answered."""
        self.door.closing = True


def make(
    engine: Engine,
    fmt: Format,
    names: Sequence[str],
    settings: ServeSettings,
    *,
    routes: "Sequence[BaseRoute]" = (),
) -> Application:
    """The application that serves a model under some names; `routes` are added to it."""
    return around(Batcher(engine, settings.batch), fmt, names, settings, routes=routes)


def around(
    line: Line,
    fmt: Format,
    names: Sequence[str],
    settings: ServeSettings,
    *,
    routes: "Sequence[BaseRoute]" = (),
) -> Application:
    """The application around a line: the client runs the tools."""
    metrics = Metrics(line)
    completions = Completions(tuple(names), fmt, line, metrics, settings.max_tokens)
    return assembled(completions, line, names, settings, metrics, routes=routes)


def of_agent(
    name: str, setting: "Setting", line: Line, names: Sequence[str], settings: ServeSettings
) -> Application:
    """The application of an agent that runs its own tools, and its conversations for pages."""
    from coalm.serve import sessions
    from coalm.serve.sessions_kept import Sessions

    metrics = Metrics(line)
    pool = ThreadPoolExecutor(settings.concurrency, "agent")
    chosen = tuple(names)
    completions = AgentCompletions(chosen, setting, metrics, settings.max_tokens, pool)
    held = Sessions(name, {names[0]: lambda: setting})
    routes = sessions.routes(held)
    return assembled(
        completions, line, names, settings, metrics, routes=routes, last=held.close_all
    )


def assembled(
    completions: App,
    line: Line,
    names: Sequence[str],
    settings: ServeSettings,
    metrics: Metrics,
    *,
    routes: "Sequence[BaseRoute]" = (),
    last: Callable[[], None] = lambda: None,
) -> Application:
    """The application whose `/v1/chat/completions` is given; closes the line at its end."""
    try:
        from starlette.applications import Starlette
        from starlette.middleware.cors import CORSMiddleware
        from starlette.routing import Route
    except ImportError:
        raise MissingExtra("serve", "the server") from None

    door: Door

    @asynccontextmanager
    async def living(_: Any) -> AsyncIterator[None]:
        yield
        door.closing = True
        last()
        await asyncio.to_thread(line.close)

    app = Starlette(
        routes=[
            Route("/v1/chat/completions", completions, methods=["POST"]),
            *_about(names, metrics, lambda: door.closing),
            *routes,
        ],
        exception_handlers=_handlers(),
        lifespan=living,
    )
    app.router.redirect_slashes = False  # a path is there, or a 404 says that it is not
    door = Door(app, settings, metrics)
    outer: App = door
    if settings.cors:  # outside, so that a page can read a refusal, and asks before it has a key
        outer = CORSMiddleware(
            door,
            allow_origins=list(settings.cors),
            allow_headers=["*"],
            allow_methods=["GET", "POST", "DELETE"],
        )
    return Application(door, line, metrics, outer)


def _about(names: Sequence[str], metrics: Metrics, closing: Any) -> "list[BaseRoute]":
    """The routes that tell of the server."""
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    began = int(time.time())
    rows = {
        name: {"id": name, "object": "model", "created": began, "owned_by": "coalm"}
        for name in names
    }

    async def models(_: "Request") -> "Response":
        return JSONResponse({"object": "list", "data": list(rows.values())})

    async def model(request: "Request") -> "Response":
        name = request.path_params["name"]
        if name not in rows:
            why = f"there is no model {name!r}; there is {', '.join(names)}"
            raise Invalid(why, "model", 404, "model_not_found")
        return JSONResponse(rows[name])

    async def healthy(_: "Request") -> "Response":
        if closing():
            return JSONResponse({"status": "stopping"}, 503)
        return JSONResponse({"status": "ok", "model": names[0]})

    async def counted(_: "Request") -> "Response":
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    return [
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", model),
        Route("/healthz", healthy),
        Route("/metrics", counted),
    ]


def _handlers() -> dict[Any, Any]:
    """How errors are told: always in OpenAI's form."""
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    async def refused(_: "Request", e: Exception) -> "Response":
        assert isinstance(e, Invalid)
        return JSONResponse(e.row, e.status)

    async def unknown(request: "Request", e: Exception) -> "Response":
        assert isinstance(e, HTTPException)
        why = {
            404: f"there is nothing at {request.url.path}",
            405: f"{request.url.path} does not take {request.method}",
        }.get(e.status_code, e.detail)
        return JSONResponse(error_of(why, status=e.status_code), e.status_code, e.headers)

    return {Invalid: refused, HTTPException: unknown}
