"""What every request must pass: a key, a size, a place in line, a time limit.

Plain ASGI, so that a streamed answer is not held back, and what is refused costs nothing.
"""

import asyncio
import hmac
import logging
import time
from contextlib import suppress

from coalm.serve.metrics import Metrics
from coalm.serve.replies import App, Message, Receive, Scope, Send, send_invalid, written
from coalm.serve.settings import ServeSettings
from coalm.serve.wire import Invalid

OPEN = frozenset({"/healthz"})
"""Paths that need no key."""
COUNTED = ("/v1/", "/agent/")
"""Paths whose requests take a place in line."""
NAMED = frozenset({"/v1/chat/completions", "/v1/models", "/agent/sessions"})
"""Paths under which requests are counted; others share a few names, whatever is asked for."""
_VERBS = frozenset({"say", "cancel", "decide", "back", "feedback", "trace"})
_HERE = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
_PATIENCE = 1.0
"""Seconds that a client which does not read is given to take an error."""

_log = logging.getLogger(__name__)


class Door:
    """An ASGI application around another."""

    def __init__(self, app: App, settings: ServeSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._keys = [key.encode() for key in settings.keys]
        # Else any web site could have its own name point here and use the server.
        self._local = settings.loopback and not self._keys
        self.under_way = 0
        """Requests that are being answered."""
        self.closing = False
        """Whether nobody is let in any more, because the server is stopping."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        path: str = scope["path"]
        try:
            self._look_at(scope, path)
        except Invalid as e:
            await send_invalid(send, e)
            return
        if not path.startswith(COUNTED):
            await self._app(scope, receive, send)
            return
        await _Visit(self, scope, receive, send).run()

    def _look_at(self, scope: Scope, path: str) -> None:
        """An `Invalid` for who may not come in."""
        if self._local and not _here(scope):
            raise Invalid(
                "this server needs no key, so it is for this machine alone: ask it as localhost "
                "or 127.0.0.1, or give it keys",
                status=403,
            )
        if path not in OPEN and not _public(path) and not self._known(scope):
            raise Invalid(
                "an API key is needed: Authorization: Bearer KEY", "", 401, "invalid_api_key"
            )
        if not path.startswith(COUNTED):
            return
        most = self._settings.max_body
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > most:
                raise too_large(most)
        if self.closing:
            raise Invalid("the server is stopping", status=503)
        if self.under_way >= self._settings.concurrency:
            why = f"{self.under_way} requests are under way; come back soon"
            raise Invalid(why, status=429, code="rate_limit_exceeded")

    def _known(self, scope: Scope) -> bool:
        """Whether the request brings a key; compared in constant time."""
        if not self._keys:
            return True
        given = next((v for name, v in scope["headers"] if name == b"authorization"), b"")
        kind, _, key = given.partition(b" ")
        found = [hmac.compare_digest(key.strip(), one) for one in self._keys]
        return kind.lower() == b"bearer" and any(found)


class _Visit:
    """A request that was let in."""

    def __init__(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        self._door, self._scope, self._inner, self._send = door, scope, receive, send
        self._seen, self._status, self._events = 0, 0, False

    async def run(self) -> None:
        """Answer it within its time, whatever goes wrong."""
        door, begun = self._door, time.monotonic()
        seconds = door._settings.timeout
        door.under_way += 1
        door._metrics.under_way.set(door.under_way)
        try:
            async with asyncio.timeout(seconds):
                await door._app(self._scope, self._receive, self._told)
        except TimeoutError:
            await self._fail(Invalid(f"no answer within {seconds:g} seconds", status=504))
        except Invalid as e:
            await self._fail(e)
        except Exception:
            _log.exception("%s failed", self._scope["path"])
            await self._fail(Invalid("the server failed; its log says why", status=500))
        finally:
            door.under_way -= 1
            door._metrics.under_way.set(door.under_way)
            route = _route(self._scope["path"])
            door._metrics.answered(route, self._status or 499, time.monotonic() - begun)

    async def _receive(self) -> Message:
        message = await self._inner()
        self._seen += len(message.get("body", b""))
        if self._seen > self._door._settings.max_body:
            raise too_large(self._door._settings.max_body)
        return message

    async def _told(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._events = any(
                name.lower() == b"content-type" and value.startswith(b"text/event-stream")
                for name, value in message["headers"]
            )
        await self._send(message)

    async def _fail(self, why: Invalid) -> None:
        """Tell what went wrong, if that is still possible; half an answer stays without end."""
        started, self._status = self._status, why.status
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_PATIENCE):
                if not started:
                    await send_invalid(self._send, why)
                elif self._events:
                    body = b"data: %b\n\n" % written(why.row)
                    await self._send({"type": "http.response.body", "body": body})


def _here(scope: Scope) -> bool:
    """Whether the request was sent to a name of this machine."""
    given = next((v for name, v in scope["headers"] if name == b"host"), b"localhost")
    return given.rpartition(b":")[0] in _HERE or given in _HERE


def too_large(most: int) -> Invalid:
    """What somebody is told who sends too much."""
    return Invalid(f"a request may have {most} bytes", status=413, code="request_too_large")


def _public(path: str) -> bool:
    """The page and its files ask for the key themselves."""
    return path == "/" or path.startswith("/page/")


def _route(path: str) -> str:
    """A path without the ids in it, so that there are few of them."""
    if path in NAMED:
        return path
    parts = path.split("/")
    if path.startswith("/agent/sessions/") and (len(parts) == 4 or parts[4:] in _VERB_LISTS):
        return "/".join(["/agent/sessions/ID", *parts[4:]])
    return "other"


_VERB_LISTS = [[verb] for verb in sorted(_VERBS)]
