"""Many requests at one engine: whoever waits is asked for together with the others.

The engine runs in one thread of its own. Requests that come while it works wait for the next
batch; those with the same sampling share one. A request whose client has gone is stopped.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from coalm.engines import Completion, Engine, Sampling, Unanswered
from coalm.engines.streaming import Streaming
from coalm.formats import Piece

_END = None


@dataclass(eq=False)
class Ticket:
    """A request that waits or is under way."""

    prompt: Sequence[Piece]
    sampling: Sampling
    loop: asyncio.AbstractEventLoop
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    """What is written so far."""
    answer: Completion | Unanswered | None = None
    gone: bool = False
    """Nobody wants the answer any more."""
    told: bool = False
    """Whether the loop has been woken and has not looked yet."""

    def grow(self, text: str) -> bool:
        """Take the text so far, from the engine's thread; False if nobody wants more."""
        self.text = text
        self._wake()
        return not self.gone

    def end(self, answer: Completion | Unanswered) -> None:
        """Take the answer, from the engine's thread."""
        self.answer = answer
        self._wake()

    def _wake(self) -> None:
        if not self.told:
            self.told = True
            self.loop.call_soon_threadsafe(self.changed.set)

    async def growing(self) -> AsyncIterator[str | Completion | Unanswered]:
        """The text so far whenever it has grown, then the answer. Leaving early stops it."""
        try:
            while True:
                await self.changed.wait()
                self.changed.clear()
                self.told = False
                if self.answer is not None:
                    yield self.answer
                    return
                yield self.text
        finally:
            self.gone = True


class Batcher:
    """An engine in a thread; `ask` may be called from an event loop, any number of times."""

    def __init__(self, engine: Engine, batch: int = 32) -> None:
        self._engine, self._batch = engine, batch
        self._waiting: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()
        self.under_way = 0
        """Prompts that the engine has now."""

    @property
    def waiting(self) -> int:
        """Requests that wait for the engine."""
        return self._waiting.qsize()

    def ask(self, prompt: Sequence[Piece], sampling: Sampling) -> Ticket:
        """Put a prompt in line."""
        ticket = Ticket(prompt, sampling, asyncio.get_running_loop())
        self._waiting.put(ticket)
        return ticket

    def close(self) -> None:
        """End the thread once it has answered what it has; those in line are not answered."""
        self._waiting.put(_END)
        self._thread.join()

    def _work(self) -> None:
        left: list[Ticket] = []
        while True:
            found = [self._waiting.get()] if not left else []
            while not self._waiting.empty():
                found.append(self._waiting.get())
            left += [ticket for ticket in found if ticket is not _END]
            if len(left) < len(found) and _END in found:
                for ticket in left:
                    ticket.end(Unanswered("the server is stopping"))
                return
            left = [ticket for ticket in left if not ticket.gone]
            if left:
                first = left[0].sampling
                alike = [ticket for ticket in left if ticket.sampling == first][: self._batch]
                left = [ticket for ticket in left if ticket not in alike]
                self._answer(alike)

    def _answer(self, tickets: list[Ticket]) -> None:
        self.under_way = len(tickets)
        prompts = [ticket.prompt for ticket in tickets]
        sampling = tickets[0].sampling
        try:
            if isinstance(self._engine, Streaming):
                answers = self._engine.stream(
                    prompts, sampling, lambda at, text: tickets[at].grow(text)
                )
            else:
                answers = self._engine.complete(prompts, sampling)
        except Exception as e:  # one bad batch must not end the server
            answers = [Unanswered(f"{type(e).__name__}: {e}") for _ in tickets]
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.end(answer)
        self.under_way = 0
