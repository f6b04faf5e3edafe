"""An OpenAI-compatible server for tests: real sockets, and every fault that a network has.

`Endpoint` listens on a port of its own in a thread. What it does with a request is decided
by a function from the request to a `Step`: to say something, to answer with a status, to
stall, to hang up. It notes all requests and how many were under way at once.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Say:
    """Answer well, after a while; as a stream where the request asks for one."""

    text: str
    finish: str = "stop"
    after: float = 0.0
    calls: tuple[tuple[str, str], ...] = ()
    """Tool calls: name and arguments as text."""
    usage: bool = True
    every: float = 0.0
    """Seconds between the parts of a stream."""
    thought: str = ""
    """What comes as `reasoning_content`."""


@dataclass(frozen=True)
class Status:
    """Answer with a status and a JSON error, or with any text."""

    code: int
    message: str = "a fault of the test server"
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    param: str = ""
    text: str | None = None
    """The body as it is, in place of a JSON error."""


@dataclass(frozen=True)
class Stall:
    """Take the request and never answer; with `begun`, only after half of the answer."""

    begun: bool = False


@dataclass(frozen=True)
class Drop:
    """Hang up: at once, or after half of the answer."""

    begun: bool = True


@dataclass(frozen=True)
class Stream:
    """A stream of this one event, whatever it is."""

    event: str


Step = Say | Status | Stall | Drop | Stream


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    number: int
    """Counts the posts, from 0."""
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    at: float
    """When, by the monotonic clock."""

    @property
    def prompt(self) -> str:
        """The last message, or the raw prompt."""
        messages = self.body.get("messages")
        return str(messages[-1]["content"] if messages else self.body.get("prompt"))


class Endpoint:
    """The server; `with Endpoint(behave) as server:` and then `server.url`."""

    def __init__(
        self,
        behave: Callable[[Request], Step] = lambda request: Say("ok"),
        *,
        key: str = "",
        models: tuple[str, ...] = ("teacher",),
    ) -> None:
        self.behave, self.key, self.models = behave, key, models
        self.requests: list[Request] = []
        self.looked = 0
        """How often the list of models was asked for."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=2**26)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            return await self._status(writer, Status(401, "no such key", kind="invalid_api_key"))
        if method == "GET" and path == "/v1/models":
            self.looked += 1
            rows = [{"id": name, "object": "model"} for name in self.models]
            return await self._send(writer, 200, json.dumps({"object": "list", "data": rows}))
        if method != "POST" or path not in {"/v1/chat/completions", "/v1/completions"}:
            return await self._status(writer, Status(404, f"no route {path}"))
        body = json.loads(raw)
        request = Request(len(self.requests), path, headers, body, time.monotonic())
        self.requests.append(request)
        if body.get("model") not in self.models:
            missing = Status(404, f"no model {body.get('model')}", kind="model_not_found")
            return await self._status(writer, missing)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._step(reader, writer, request, self.behave(request))
        finally:
            self.in_flight -= 1

    async def _step(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: Request,
        step: Step,
    ) -> bool:
        match step:
            case Status():
                return await self._status(writer, step)
            case Say():
                await asyncio.sleep(step.after)
                if request.body.get("stream"):
                    return await self._stream(writer, request, step)
                return await self._send(writer, 200, json.dumps(_completion(request, step)))
            case Stream(event):
                writer.write(_STREAM_HEAD + _chunk(event) + b"0\r\n\r\n")
                await writer.drain()
                return True
            case Stall(begun) | Drop(begun):
                if begun:
                    await self._half(writer, request)
                if isinstance(step, Stall):
                    await reader.read(1)  # until the client has had enough
                return False

    async def _half(self, writer: asyncio.StreamWriter, request: Request) -> None:
        if request.body.get("stream"):
            writer.write(_STREAM_HEAD + _chunk(_event(request, {"content": "half of"})))
        else:
            text = json.dumps(_completion(request, Say("half of it")))
            writer.write(_head(200, len(text)) + text[: len(text) // 2].encode())
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter, request: Request, say: Say) -> bool:
        writer.write(_STREAM_HEAD)
        parts = [say.text[i : i + 7] for i in range(0, len(say.text), 7)]
        events = [_event(request, {"reasoning_content": say.thought})] if say.thought else []
        events += [_event(request, {"content": part}) for part in parts]
        for index, (name, arguments) in enumerate(say.calls):
            call = {"index": index, "id": f"call-{index}", "type": "function"}
            half = len(arguments) // 2
            begin = {"function": {"name": name, "arguments": arguments[:half]}}
            rest = {"index": index, "function": {"arguments": arguments[half:]}}
            events += [_event(request, {"tool_calls": [c]}) for c in (call | begin, rest)]
        events.append(_event(request, {}, say.finish))
        if say.usage and request.body.get("stream_options", {}).get("include_usage"):
            events.append({"object": "chat.completion.chunk", "choices": []} | _usage(say))
        for event in events:
            writer.write(_chunk(event))
            await writer.drain()
            await asyncio.sleep(say.every)
        writer.write(_chunk("[DONE]") + b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _status(self, writer: asyncio.StreamWriter, step: Status) -> bool:
        error = {"message": step.message, "code": step.kind or None, "param": step.param or None}
        text = json.dumps({"error": error}) if step.text is None else step.text
        return await self._send(writer, step.code, text, step.headers)

    async def _send(
        self,
        writer: asyncio.StreamWriter,
        code: int,
        text: str,
        headers: Mapping[str, str] | None = None,
    ) -> bool:
        raw = text.encode()
        writer.write(_head(code, len(raw), headers) + raw)
        await writer.drain()
        return True


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _head(code: int, length: int, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {code} x", "Content-Type: application/json", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _chunk(event: object) -> bytes:
    text = event if isinstance(event, str) else json.dumps(event)
    raw = f"data: {text}\n\n".encode()
    return f"{len(raw):x}\r\n".encode() + raw + b"\r\n"


def _event(request: Request, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
    if request.path.endswith("chat/completions"):
        choice["delta"] = delta
    else:
        choice["text"] = delta.get("content", "")
    if request.body.get("logprobs") and delta.get("content"):
        choice["logprobs"] = _logprobs(request, [delta["content"]])
    return {"object": "chat.completion.chunk", "model": "teacher", "choices": [choice]}


def _logprobs(request: Request, words: list[str]) -> dict[str, Any]:
    """One number a word, -1, -2 ..., as the request's route gives them."""
    numbers = [-1.0 - n for n in range(len(words))]
    if request.path.endswith("chat/completions"):
        rows = [{"token": w, "logprob": n} for w, n in zip(words, numbers, strict=True)]
        return {"content": rows}
    return {"tokens": words, "token_logprobs": numbers, "top_logprobs": None}


def _usage(say: Say) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": 100, "completion_tokens": len(say.text.split())}}


def _completion(request: Request, say: Say) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "finish_reason": say.finish}
    if request.path.endswith("chat/completions"):
        choice["message"] = {"role": "assistant", "content": say.text}
        if say.thought:
            choice["message"]["reasoning_content"] = say.thought
        if say.calls:
            choice["message"]["tool_calls"] = [
                {"id": f"call-{i}", "type": "function", "function": {"name": n, "arguments": a}}
                for i, (n, a) in enumerate(say.calls)
            ]
    else:
        choice["text"] = say.text
    if request.body.get("logprobs"):
        choice["logprobs"] = _logprobs(request, say.text.split())
    whole = {"id": f"r{request.number}", "model": "teacher", "choices": [choice]}
    return whole | (_usage(say) if say.usage else {})
