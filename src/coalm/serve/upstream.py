"""An OpenAI-compatible server behind ours: our own raw prompts go to its `/completions`.

Requests go out as they come, to whichever server has the fewest, and are answered as they
are written. A server that cannot be reached is left alone for a while and another is asked;
what has begun to be answered is never asked again. A request that nobody wants any more is
broken off there as well.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from coalm.endpoints import Client, Settings, address, key_from
from coalm.endpoints.addresses import KEY
from coalm.engines import Completion, Unanswered
from coalm.engines.remote import raw_text
from coalm.engines.server import OPTIONAL, too_long
from coalm.serve.waiting import Answer, Wanted

_REST = 2.0
"""Seconds that a server which cannot be reached is left alone for."""
_LOOK = 0.2
"""Seconds between looks whether an answer is still wanted."""
_CONNECT = 10.0
_STOPPING = Unanswered("the server is stopping")


@dataclass(eq=False)
class _Place:
    """One of the servers."""

    url: str
    in_flight: int = 0
    resting: float = 0.0
    """The time, by the monotonic clock, from which on it may be asked."""


class _Elsewhere(Exception):
    """This server did not begin to answer; another may."""


class Upstream:
    """A model behind one or several base URLs, as a `Line`."""

    def __init__(
        self, model: str, base_urls: Sequence[str], *, key_env: str = KEY, timeout: float = 300.0
    ) -> None:
        self.model = model
        self._places = [_Place(address(url).url) for url in dict.fromkeys(base_urls)]
        self._key, self._timeout = key_from(key_env), timeout
        self._dropped: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True)
        self._thread.start()
        self._client = asyncio.run_coroutine_threadsafe(self._connected(), self._loop).result()

    @property
    def waiting(self) -> int:
        """None: whatever comes goes out at once."""
        return 0

    @property
    def under_way(self) -> int:
        """Requests that are with the servers now."""
        return len(self._tasks)

    def put(self, wanted: Wanted) -> None:
        """Send a prompt, from any thread."""
        if self._closed:
            wanted.end(_STOPPING)
            return
        self._loop.call_soon_threadsafe(self._begin, wanted)

    def close(self, seconds: float = 10.0) -> None:
        """Send nothing any more, wait so long for what is under way, then break it off."""
        if self._closed:
            return
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._finish(seconds), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- in the loop --------------------------------------------------------------------------

    async def _connected(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(self._timeout, connect=_CONNECT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=256),
        )

    async def _finish(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _begin(self, wanted: Wanted) -> None:
        task = self._loop.create_task(self._kept(wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kept(self, wanted: Wanted) -> None:
        """Answer, unless nobody wants it any more; whatever happens, tell of the end."""
        answering = asyncio.ensure_future(self._answer(wanted))
        try:
            while not (await asyncio.wait({answering}, timeout=_LOOK))[0]:
                if wanted.gone:
                    return
            wanted.end(answering.result())
        except Exception as e:  # whatever a server says must not leave somebody waiting
            wanted.end(Unanswered(f"{type(e).__name__}: {e}"))
        except asyncio.CancelledError:
            wanted.end(_STOPPING)
        finally:
            answering.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await answering

    async def _answer(self, wanted: Wanted) -> Answer:
        why = "no server can be reached"
        for _ in range(len(self._places) + 1):
            place = self._free()
            place.in_flight += 1
            try:
                return await self._try(place, wanted)
            except _Elsewhere as e:
                place.resting = time.monotonic() + _REST
                why = f"{httpx.URL(place.url).netloc.decode()}: {e}"
            finally:
                place.in_flight -= 1
        return Unanswered(why)

    def _free(self) -> _Place:
        now = time.monotonic()
        return min(self._places, key=lambda p: (max(p.resting - now, 0.0), p.in_flight))

    async def _try(self, place: _Place, wanted: Wanted) -> Answer:
        while True:
            body = {k: v for k, v in self._body(wanted).items() if k not in self._dropped}
            try:
                async with self._client.stream(
                    "POST", f"{place.url}/completions", json=body
                ) as response:
                    if response.status_code == 200:
                        return await _heard(response, wanted)
                    said = _said(await response.aread())
                    status = response.status_code
            except (httpx.TransportError, OSError) as e:
                raise _Elsewhere(f"the connection failed: {e or type(e).__name__}") from None
            if status in {400, 422} and (name := _named(said, body)):
                self._dropped.add(name)
                continue
            if status in {400, 413, 422} and too_long(said):
                return Completion("", "length", 0, 0)
            if status in {408, 429} or status >= 500:
                raise _Elsewhere(f"HTTP {status}: {said}")
            return Unanswered(f"HTTP {status}: {said}")

    def _body(self, wanted: Wanted) -> dict[str, Any]:
        drawn = wanted.sampling
        stops = [stop for stop in (drawn.end, *drawn.stops) if stop]
        return {
            "model": self.model,
            "prompt": raw_text(wanted.prompt, drawn.end),
            "max_tokens": drawn.max_tokens,
            "temperature": drawn.temperature,
            "seed": drawn.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Our prompts bring their own first marker, which a server would else put twice.
            **({"stop": stops, "add_special_tokens": False} if stops else {}),
        }


async def _heard(response: httpx.Response, wanted: Wanted) -> Answer:
    """The answer that a stream adds up to, told while it grows."""
    text, ended, usage = "", "", dict[str, Any]()
    try:
        async for event in _events(response):
            if "error" in event:
                return Unanswered(f"the upstream failed: {_message(event)}")
            usage = event.get("usage") or usage
            for choice in (event.get("choices") or ())[:1]:
                text += choice.get("text") or ""
                ended = choice.get("finish_reason") or ended
                if not wanted.grow(text):
                    return Completion(text, "stop", 0, 0)
    except (httpx.TransportError, OSError) as e:
        if not text:
            raise _Elsewhere(f"the connection broke: {e or type(e).__name__}") from None
        return Unanswered("the upstream's answer broke off")
    except (ValueError, AttributeError, TypeError):
        return Unanswered("the upstream's answer cannot be read")
    if not ended:
        return Unanswered("the upstream's answer broke off")
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return Completion(
        text, "length" if ended == "length" else "stop", int(read or 0), int(written or 0)
    )


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        event = json.loads(data)
        if not isinstance(event, dict):
            raise ValueError("not an event")  # noqa: TRY004  one kind, caught above
        yield event


def _said(body: bytes) -> str:
    try:
        return _message(json.loads(body))
    except (ValueError, RecursionError):
        return " ".join(body.decode(errors="replace").split())[:300]


def _message(row: object) -> str:
    found = row.get("error", row) if isinstance(row, Mapping) else row
    said = (found.get("message") or found) if isinstance(found, Mapping) else found
    return " ".join(str(said).split())[:300]


def _named(said: str, body: Mapping[str, Any]) -> str:
    """A field that may be left out and that a refusal names."""
    known = (*OPTIONAL, "stream_options")
    return next((name for name in known if name in body and name in said.lower()), "")


def greet(base_urls: Sequence[str], key_env: str = KEY) -> None:
    """See that all servers are there and take the key; an `EndpointError` names one that is not."""

    async def all_of_them() -> None:
        async with Client(base_urls, Settings(key_variable=key_env)) as client:
            await client.greet()

    asyncio.run(all_of_them())
