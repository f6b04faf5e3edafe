"""Many requests at one engine, which runs in one thread of its own.

An engine that a prompt may join at any moment is given each one as it comes. Another is asked
for all that wait, together: those with the same sampling share a batch, the others wait for
the next. A request that nobody wants any more is stopped, or not begun at all.
"""

import logging
import queue
import threading
from collections.abc import Sequence

from coalm.engines import Engine, Sampling, Unanswered
from coalm.engines.streaming import Continuous, Streaming
from coalm.formats import Piece
from coalm.serve.waiting import Answer, Ticket, Wanted

__all__ = ["STOPPING", "Batcher", "Ticket"]

STOPPING = Unanswered("the server is stopping")
"""What those in line are told at the end."""

_END = None
_log = logging.getLogger(__name__)


class Batcher:
    """An engine in a thread, as a `Line`."""

    def __init__(self, engine: Engine, batch: int = 32) -> None:
        self._engine, self._batch = engine, batch
        self._arrived: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._left: list[Wanted] = []
        self._taken: set[Wanted] = set()
        self._busy = False
        self._door, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait for the engine."""
        return self._arrived.qsize() + len(self._left)

    @property
    def under_way(self) -> int:
        """Requests that the engine has now."""
        return len(self._taken)

    def put(self, wanted: Wanted) -> None:
        """Put a prompt in line, from any thread."""
        with self._door:  # nobody is put in line behind the end
            if not self._closed:
                self._arrived.put(wanted)
                return
        wanted.end(STOPPING)

    def ask(self, prompt: Sequence[Piece], sampling: Sampling, *, follows: bool = True) -> Ticket:
        """Put a prompt in line, from an event loop."""
        return Ticket.at(self, prompt, sampling, follows=follows)

    def close(self, seconds: float = 10.0) -> None:
        """Take nobody any more; harmless if done twice.

        Those in line are told that the server stops. The engine is given so many seconds for
        those it has; then they are told as well.
        """
        with self._door:
            if not self._closed:
                self._closed = True
                self._arrived.put(_END)
        self._thread.join(seconds)
        for wanted in tuple(self._taken):
            wanted.gone = True
            wanted.end(STOPPING)

    # --- in the engine's thread ---------------------------------------------------------------

    def _work(self) -> None:
        engine = self._engine
        work = self._joined if isinstance(engine, Continuous) else self._batches
        while True:
            try:
                if not work():
                    break
            except Exception as e:  # one bad request must not end the server
                _log.exception("the engine failed")
                self._busy = False
                self._end_all(tuple(self._taken), Unanswered(f"{type(e).__name__}: {e}"))
                if self._closed and self._arrived.empty():
                    break  # the end was met by what failed
        self._end_all(self._left, STOPPING)
        self._left = []

    def _newcomers(self, *, wait: bool) -> bool:
        """Add whoever has come to those that are left; False once the end has come."""
        more = True
        while wait or not self._arrived.empty():
            wait = False
            wanted = self._arrived.get()
            if wanted is _END:
                more = False
            elif not wanted.gone:
                self._left.append(wanted)
        return more

    def _batches(self) -> bool:
        if not self._newcomers(wait=not self._left):
            return False
        self._left = [wanted for wanted in self._left if not wanted.gone]
        if self._left:
            first = self._left[0].sampling
            alike = [wanted for wanted in self._left if wanted.sampling == first][: self._batch]
            chosen = set(alike)
            self._left = [wanted for wanted in self._left if wanted not in chosen]
            self._answer(alike)
        return True

    def _answer(self, batch: list[Wanted]) -> None:
        self._taken = set(batch)
        prompts = [wanted.prompt for wanted in batch]
        sampling = batch[0].sampling
        if isinstance(self._engine, Streaming):
            answers = self._engine.stream(prompts, sampling, lambda at, text: batch[at].grow(text))
        else:
            answers = self._engine.complete(prompts, sampling)
        for wanted, answer in zip(batch, answers, strict=True):
            wanted.end(answer)
        self._taken = set()

    def _joined(self) -> bool:
        engine = self._engine
        assert isinstance(engine, Continuous)
        # An engine that has just let somebody go has a last step to take before it rests.
        more = self._newcomers(wait=not self._taken and not self._busy)
        if not more:
            self._end_all(self._left, STOPPING)
        for wanted in self._left if more else ():
            self._join(engine, wanted)
        self._left = []
        self._busy = engine.step()
        while not more and self._busy:
            self._busy = engine.step()
        if not self._busy and self._taken:
            raise RuntimeError("the engine has lost a request")
        return more

    def _join(self, engine: Continuous, wanted: Wanted) -> None:
        self._taken.add(wanted)

        def done(answer: Answer) -> None:
            self._taken.discard(wanted)
            wanted.end(answer)

        try:
            engine.join(wanted.prompt, wanted.sampling, wanted.grow, done)
        except Exception as e:  # a prompt that cannot be taken is its own matter
            _log.exception("the engine does not take a prompt")
            done(Unanswered(f"{type(e).__name__}: {e}"))

    def _end_all(self, wanted: Sequence[Wanted], why: Unanswered) -> None:
        for one in wanted:
            self._taken.discard(one)
            one.end(why)
