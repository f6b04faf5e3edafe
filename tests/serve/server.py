"""A real server on a free port, in a thread: scripted models behind real sockets."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from coalm.engines import Completion, Engine, Sampling, Unanswered
from coalm.engines.streaming import Done, Growing
from coalm.formats import Format, Piece, format_of, plain
from coalm.serve.app import Application, make
from coalm.serve.running import address_of, listener, run
from coalm.serve.settings import ServeSettings

FIND: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "find_bus",
        "description": "Find a bus.",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "string"}},
            "required": ["to"],
        },
    },
}
HELLO: Any = [{"role": "user", "content": "Hello."}]


@dataclass
class Running:
    """Where it listens."""

    url: str
    app: Application
    stop: threading.Event
    thread: threading.Thread
    notes: list[str] = field(default_factory=list)

    def post(self, body: Any, **more: Any) -> httpx.Response:
        """A chat completion, asked for plainly."""
        given = {"model": "m", "messages": HELLO} | body if isinstance(body, dict) else body
        return httpx.post(f"{self.url}/v1/chat/completions", json=given, timeout=10, **more)

    def end(self, seconds: float = 10.0) -> None:
        """Stop it and wait."""
        self.stop.set()
        self.thread.join(seconds)
        assert not self.thread.is_alive()


@contextmanager
def running(app: Application, *, drain: float = 5.0) -> Iterator[Running]:
    """The application on a free port."""
    sock = listener("127.0.0.1", 0)
    stop, ready, notes = threading.Event(), threading.Event(), list[str]()

    def work() -> None:
        run(app, sock, drain=drain, note=notes.append, ready=ready.set, stop=stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(10)
        yield Running(address_of(sock), app, stop, thread, notes)
    finally:
        stop.set()
        thread.join(20)
        sock.close()
        assert not thread.is_alive()


@contextmanager
def served(
    engine: Engine, dialect: str = "json", *, drain: float = 5.0, **settings: Any
) -> Iterator[Running]:
    """A model called `m` that an engine plays."""
    made = make(engine, chatml(dialect), ["m"], ServeSettings(**settings))
    with running(made, drain=drain) as server:
        yield server


def chatml(dialect: str = "json") -> Format:
    """ChatML with a dialect."""
    return format_of("chatml", dialect)


@dataclass
class Typing:
    """An engine that writes its answer a few characters at a time, and can be joined."""

    answer: Callable[[str], str]
    every: float = 0.0
    """Seconds a step."""
    size: int = 4
    """Characters a step."""
    seen: list[list[Piece]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """What had been written of those that were broken off."""
    _rows: list[list[Any]] = field(default_factory=list)

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """All of it at once."""
        return [_done(self.answer(plain(prompt)), prompt) for prompt in prompts]

    def join(
        self,
        prompt: Sequence[Piece],
        sampling: Sampling,
        growing: Callable[[str], bool],
        done: Done,
    ) -> None:
        """Begin an answer."""
        self.seen.append(list(prompt))
        self._rows.append([prompt, self.answer(plain(prompt)), 0, growing, done])

    def step(self) -> bool:
        """A few characters more of each."""
        if not self._rows:
            return False
        time.sleep(self.every)
        for row in tuple(self._rows):
            prompt, text, at, growing, done = row
            row[2] = at = at + self.size
            if not growing(text[:at]):
                self.stopped.append(text[:at])
                self._rows.remove(row)
                done(_done(text[:at], prompt))
            elif at >= len(text):
                self._rows.remove(row)
                done(_done(text, prompt))
        return True


@dataclass
class Batched:
    """The same, but only for whole batches."""

    inner: Typing
    batches: list[int] = field(default_factory=list)

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """All of it at once."""
        return self.stream(prompts, sampling, lambda _n, _t: True)

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        """A batch, told while it grows."""
        self.batches.append(len(prompts))
        found: dict[int, Completion | Unanswered] = {}

        def told(number: int) -> Callable[[str], bool]:
            return lambda text: growing(number, text)

        for n, prompt in enumerate(prompts):
            self.inner.join(prompt, sampling, told(n), lambda a, n=n: found.update({n: a}))  # type: ignore[misc]
        while self.inner.step():
            pass
        return [found[n] for n in range(len(prompts))]


def saying(text: str, **more: Any) -> Typing:
    """An engine that always says the same."""
    return Typing(lambda _: text, **more)


def _done(text: str, prompt: Sequence[Piece]) -> Completion:
    return Completion(text, "stop", len(plain(prompt).split()), max(1, len(text.split())))
