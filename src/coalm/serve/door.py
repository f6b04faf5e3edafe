"""What every request must pass: a key, a size, a place in line, a time limit.

Plain ASGI, so that a streamed answer is not held back, and what is refused costs nothing.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from coalm.serve.metrics import Metrics
from coalm.serve.settings import ServeSettings
from coalm.serve.wire import error_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/healthz"})
"""Paths that need no key."""
COUNTED = ("/v1/", "/agent/")
"""Paths whose requests take a place in line."""


class Door:
    """An ASGI application around another."""

    def __init__(self, app: App, settings: ServeSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._keys = settings.keys
        self.under_way = 0
        self.closing = False
        """Whether nobody is let in any more, because the server is stopping."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path not in OPEN and not _public(path) and not self._known(scope):
            await _refuse(send, 401, "an API key is needed: Authorization: Bearer KEY")
            return
        if not path.startswith(COUNTED):
            await self._app(scope, receive, send)
            return
        if self.closing:
            await _refuse(send, 503, "the server is stopping")
            return
        if self.under_way >= self._settings.concurrency:
            await _refuse(send, 429, f"{self.under_way} requests are under way; come back soon")
            return
        await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status = time.monotonic(), 500
        started = False

        async def told(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
            await send(message)

        self.under_way += 1
        self._metrics.under_way.set(self.under_way)
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._app(scope, _measured(receive, self._settings.max_body), told)
        except TimeoutError:
            status = 504
            if not started:
                await _refuse(send, 504, f"no answer within {self._settings.timeout:g} seconds")
        except TooLarge:
            status = 413
            if not started:
                await _refuse(send, 413, f"a request may have {self._settings.max_body} bytes")
        finally:
            self.under_way -= 1
            self._metrics.under_way.set(self.under_way)
            route = _route(scope["path"])
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.monotonic() - begun)

    def _known(self, scope: Scope) -> bool:
        """Whether the request brings a key; compared in constant time."""
        if not self._keys:
            return True
        headers = dict(scope["headers"])
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()
        found = [hmac.compare_digest(given, key.encode()) for key in self._keys]
        return any(found)


class TooLarge(Exception):
    """A request that is longer than it may be."""


def _measured(receive: Receive, most: int) -> Receive:
    seen = 0

    async def measured() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise TooLarge
        return message

    return measured


def _public(path: str) -> bool:
    """The page and its files ask for the key themselves."""
    return path == "/" or path.startswith("/page/")


def _route(path: str) -> str:
    """A path without the ids in it, so that there are few of them."""
    parts = path.split("/")
    if parts[1:3] == ["agent", "sessions"] and len(parts) > 3:
        parts[3] = "ID"
    return "/".join(parts[:6])


async def _refuse(send: Send, status: int, why: str) -> None:
    body = json.dumps(error_of(why, status=status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"retry-after", b"1")] if status in (429, 503) else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
