"""The server as an ASGI application."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from coalm.engines import Engine
from coalm.errors import MissingExtra
from coalm.formats import Format
from coalm.serve.batching import Batcher
from coalm.serve.completions import Completions
from coalm.serve.door import Door
from coalm.serve.metrics import Metrics
from coalm.serve.settings import ServeSettings
from coalm.serve.wire import Invalid, error_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute


def make(
    engine: Engine,
    fmt: Format,
    names: Sequence[str],
    settings: ServeSettings,
    *,
    routes: "Sequence[BaseRoute]" = (),
) -> Door:
    """The application that serves a model under some names; `routes` are added to it."""
    try:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.cors import CORSMiddleware
        from starlette.responses import JSONResponse, PlainTextResponse
        from starlette.routing import Route
    except ImportError:
        raise MissingExtra("serve", "the server") from None
    batcher = Batcher(engine, settings.batch)
    metrics = Metrics(batcher)
    completions = Completions(tuple(names), fmt, batcher, metrics, settings.max_tokens)
    began = int(time.time())

    async def models(_: "Request") -> "Response":
        rows = [
            {"id": name, "object": "model", "created": began, "owned_by": "coalm"} for name in names
        ]
        return JSONResponse({"object": "list", "data": rows})

    async def healthy(_: "Request") -> "Response":
        if door.closing:
            return JSONResponse({"status": "stopping"}, 503)
        return JSONResponse({"status": "ok", "model": names[0]})

    async def counted(_: "Request") -> "Response":
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    async def refused(_: "Request", e: Exception) -> "Response":
        assert isinstance(e, Invalid)
        row = error_of(str(e), status=e.status, param=e.param, code=e.code)
        return JSONResponse(row, e.status)

    @asynccontextmanager
    async def living(_: Any) -> AsyncIterator[None]:
        yield
        door.closing = True
        batcher.close()

    origins = list(settings.cors)
    allowed = [
        Middleware(CORSMiddleware, allow_origins=origins, allow_headers=["*"], allow_methods=["*"])
    ]
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", completions.__call__, methods=["POST"]),
            Route("/v1/models", models),
            Route("/healthz", healthy),
            Route("/metrics", counted),
            *routes,
        ],
        middleware=allowed if origins else [],
        exception_handlers={Invalid: refused},
        lifespan=living,
    )
    door = Door(app, settings, metrics)
    return door
