"""Whoever waits for an answer: a request of the server's event loop, or a thread."""

import asyncio
import queue
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from coalm.engines import Completion, Sampling, Unanswered
from coalm.engines.streaming import Growing
from coalm.formats import Piece

Answer: TypeAlias = Completion | Unanswered

_LOOK = 0.1
"""Seconds after which a thread that waits is asked whether it still wants the answer."""


class Wanted(Protocol):
    """A prompt and whoever waits for its completion; `grow` and `end` come from any thread."""

    gone: bool
    """Nobody wants the answer any more."""

    @property
    def prompt(self) -> Sequence[Piece]:
        """What the model goes on from."""
        ...

    @property
    def sampling(self) -> Sampling:
        """How it is drawn."""
        ...

    def grow(self, text: str) -> bool:
        """Take the text so far; False if nobody wants more."""
        ...

    def end(self, answer: Answer) -> None:
        """Take the answer; only the first counts."""
        ...


class Line(Protocol):
    """A model that takes a prompt from any thread at any moment."""

    @property
    def waiting(self) -> int:
        """Prompts that it has not begun."""
        ...

    def put(self, wanted: Wanted) -> None:
        """Take a prompt; whoever wants it is told of its end whatever happens."""
        ...

    def close(self, seconds: float = 10.0) -> None:
        """Take nobody any more; those in line are told, those under way are answered in time."""
        ...


@dataclass(eq=False)
class Ticket:
    """A request of an event loop that waits or is under way."""

    prompt: Sequence[Piece]
    sampling: Sampling
    loop: asyncio.AbstractEventLoop
    follows: bool = True
    """Whether it is told each time that the text has grown."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    """What is written so far."""
    answer: Answer | None = None
    gone: bool = False
    told: bool = False
    """Whether the loop has been woken and has not looked yet."""

    @classmethod
    def at(
        cls, line: Line, prompt: Sequence[Piece], sampling: Sampling, *, follows: bool = True
    ) -> "Ticket":
        """A place in a line, taken from an event loop."""
        ticket = cls(prompt, sampling, asyncio.get_running_loop(), follows)
        line.put(ticket)
        return ticket

    def grow(self, text: str) -> bool:
        """Take the text so far, from the engine's thread; False if nobody wants more."""
        if self.follows:
            self.text = text
            self._wake()
        return not self.gone

    def end(self, answer: Answer) -> None:
        """Take the answer, from the engine's thread."""
        if self.answer is None:
            self.answer = answer
            self._wake()

    def leave(self) -> None:
        """Nobody wants the answer any more; who listens hears the end at once."""
        self.gone = True
        self.changed.set()

    async def growing(self, beat: float | None = None) -> AsyncGenerator[str | Answer | None, None]:
        """The text so far whenever it has grown, then the answer. Leaving early stops it.

        None comes where nothing has for `beat` seconds.
        """
        try:
            while True:
                try:
                    async with asyncio.timeout(beat):
                        await self.changed.wait()
                except TimeoutError:
                    yield None
                    continue
                self.changed.clear()
                # In this order: what comes after `told` is False wakes us again.
                self.told = False
                if self.answer is not None:
                    yield self.answer
                    return
                if self.gone:
                    return
                yield self.text
        finally:
            self.gone = True

    def _wake(self) -> None:
        # What was written before `told` is read by whoever is woken, so one wake is enough.
        if not self.told:
            self.told = True
            with suppress(RuntimeError):  # the loop has ended: nobody listens
                self.loop.call_soon_threadsafe(self.changed.set)


@dataclass(eq=False)
class _Order:
    """A prompt of a thread."""

    prompt: Sequence[Piece]
    sampling: Sampling
    number: int
    news: "queue.SimpleQueue[tuple[int, str | Answer]]"
    gone: bool = False
    text: str = ""
    ended: bool = False

    def grow(self, text: str) -> bool:
        if text != self.text:
            self.text = text
            self.news.put((self.number, text))
        return not self.gone

    def end(self, answer: Answer) -> None:
        if not self.ended:
            self.ended = True
            self.news.put((self.number, answer))


@dataclass(frozen=True)
class Queued:
    """A line as an engine: for agents, each of which plays in a thread of its own."""

    line: Line

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt, in their order."""
        return self.stream(prompts, sampling, lambda _number, _text: True)

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        """As `complete`; `growing` is also asked while nothing is written, ten times a second.

        So whoever does not want an answer any more is rid of it at once, even where the
        engine cannot be stopped.
        """
        news: queue.SimpleQueue[tuple[int, str | Answer]] = queue.SimpleQueue()
        orders = [_Order(prompt, sampling, n, news) for n, prompt in enumerate(prompts)]
        answers: dict[int, Answer] = {}
        texts = dict.fromkeys(range(len(orders)), "")
        try:
            for order in orders:
                self.line.put(order)
            while len(answers) < len(orders):
                with suppress(queue.Empty):
                    number, said = news.get(timeout=_LOOK)
                    if not isinstance(said, str):
                        answers.setdefault(number, said)
                        continue
                    texts[number] = said
                for number in [n for n in texts if n not in answers]:
                    if not growing(number, texts[number]):
                        orders[number].gone = True
                        # Nobody counted the tokens of what was broken off.
                        answers[number] = Completion(texts[number], "stop", 0, 0)
        finally:
            for order in orders:
                order.gone = True
        return [answers[n] for n in range(len(orders))]
