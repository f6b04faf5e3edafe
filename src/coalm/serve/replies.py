"""Answers as plain ASGI: JSON with its length, or server-sent events with an end of their own.

A client can tell a whole answer from half of one: JSON says its length beforehand, and a
stream is whole only if it ends with `data: [DONE]`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from coalm.serve.wire import Invalid

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_SOON = 0.05
"""Seconds before anybody looks whether the client is still there."""


class Gone(Exception):
    """The client has hung up."""


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request; `Gone` if it does not come to its end."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    raise Gone


async def send_json(send: Send, status: int, value: object, headers: Headers = ()) -> None:
    """A whole answer."""
    body = written(value)
    length = (b"content-length", str(len(body)).encode())
    kind = (b"content-type", b"application/json")
    start = {"type": "http.response.start", "status": status, "headers": [kind, length, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def send_invalid(send: Send, why: Invalid) -> None:
    """An error as OpenAI's clients expect it; they come back later where that may help."""
    again = [(b"retry-after", b"1")] if why.status in {429, 503} else []
    await send_json(send, why.status, why.row, again)


def written(value: object) -> bytes:
    """JSON on one line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class Events:
    """A stream of server-sent events, begun with the first one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def tell(self, *values: object) -> None:
        """Some values, each an event."""
        if values:
            await self._body(b"".join(b"data: %b\n\n" % written(value) for value in values))

    async def beat(self) -> None:
        """A sign of life: proxies hang up on who is silent."""
        await self._body(b": still here\n\n")

    async def done(self, *last: object) -> None:
        """The last values and the mark that the answer is whole."""
        events = [b"data: %b\n\n" % written(value) for value in last]
        await self._body(b"".join([*events, b"data: [DONE]\n\n"]), more=False)

    async def broken(self, why: Invalid) -> None:
        """An answer that is not whole: an error, and no mark."""
        if not self.begun:
            await send_invalid(self._send, why)
            return
        await self._body(b"data: %b\n\n" % written(why.row), more=False)

    async def _body(self, body: bytes, *, more: bool = True) -> None:
        if not self.begun:
            self.begun = True
            headers = [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-cache"),
                (b"x-accel-buffering", b"no"),
            ]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


class Watch:
    """Calls a function if the client hangs up while the block lasts.

    Nobody looks in the first moment: most answers are quicker than that.
    """

    def __init__(self, receive: Receive, left: Callable[[], None]) -> None:
        self._receive, self._left = receive, left
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(_SOON, self._begin)

    def __exit__(self, *_: object) -> None:
        self._handle.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        with suppress(Exception):
            while (await self._receive())["type"] != "http.disconnect":
                pass
        self._left()
