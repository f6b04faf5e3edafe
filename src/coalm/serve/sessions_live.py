"""A conversation that a page holds: its events on their way, its trace, its feedback."""

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from coalm.agent.events import Ended, Writing, as_json
from coalm.agent.session import Session, Setting
from coalm.agent.traces import Feedback, Trace
from coalm.errors import CoalmError
from coalm.types import User

Row = dict[str, Any]

_PACE = 0.03
"""Seconds between two tellings of what is being written."""

_log = logging.getLogger(__name__)


class Outbox:
    """Events from an agent's thread to an event loop; a slow reader gets the latest writing."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._changed = loop, asyncio.Event()
        self._lock, self._rows = threading.Lock(), deque[Row | None]()

    def put(self, row: Row | None) -> None:
        """Add an event, from any thread; None ends."""
        with self._lock:
            last = self._rows[-1] if self._rows else None
            if row and last and row["event"] == last["event"] == "writing":
                self._rows.pop()
            self._rows.append(row)
        with suppress(RuntimeError):  # the loop has ended: nobody reads any more
            self._loop.call_soon_threadsafe(self._changed.set)

    async def rows(self, beat: float = 10.0) -> AsyncIterator[Row | None]:
        """The events in order; None after `beat` seconds without any."""
        while True:
            with self._lock:
                found = list(self._rows)
                self._rows.clear()
                self._changed.clear()
            for row in found:
                if row is None:
                    return
                yield row
            if found and found[-1] and found[-1]["event"] == "writing":
                await asyncio.sleep(_PACE)  # the next one has all of it again, and more
            elif not found:
                try:
                    await asyncio.wait_for(self._changed.wait(), beat)
                except TimeoutError:
                    yield None


class Live:
    """A session, with all that is to be known of it afterwards."""

    def __init__(
        self,
        id: str,
        agent: str,
        model: str,
        setting: Setting,
        keep: Callable[[Trace], str] = lambda _: "",
    ) -> None:
        self.id, self.agent, self.model = id, agent, model
        self.session = Session(setting)
        self.busy = False
        self.used = time.monotonic()
        """When somebody last did something with it."""
        self._keep = keep
        self._began, self._since = datetime.now(UTC), time.monotonic()
        self._told: list[list[Row]] = []  # by user turn, so that going back takes them along
        self._feedback: dict[int, Feedback] = {}
        self._sent = 0
        self._stopped = False

    @property
    def rounds(self) -> int:
        """User turns so far."""
        return sum(isinstance(turn, User) for turn in self.session.dialogue.turns)

    @property
    def feedback(self) -> list[Feedback]:
        """What people thought of the replies, in order."""
        return [self._feedback[number] for number in sorted(self._feedback)]

    def say(self, text: str, loop: asyncio.AbstractEventLoop) -> Outbox:
        """Begin a reply in a thread; its events come out of what is given back."""
        self.busy, self._stopped, self.used = True, False, time.monotonic()
        out = Outbox(loop)
        threading.Thread(target=self._play, args=(text, out), name="reply", daemon=True).start()
        return out

    def cancel(self) -> None:
        """Stop the reply that is under way, if there is one."""
        self._stopped = True
        self.session.cancel()

    def back(self, turn: int) -> str:
        """Take back a user turn and what came after it; its words come back."""
        words = self.session.back_to(turn)
        del self._told[turn:]
        self._feedback = {n: one for n, one in self._feedback.items() if n < turn}
        return words

    def judge(self, number: int, one: Feedback | None) -> str:
        """Take what somebody thinks of a reply, or take it back; what kept it from the file."""
        if one is None:
            self._feedback.pop(number, None)
        else:
            self._feedback[number] = one
        return self._keep(self.trace)

    @property
    def trace(self) -> Trace:
        """The conversation as it is kept."""
        return Trace(
            self.id,
            self.agent,
            self.model,
            self._began.isoformat(timespec="seconds"),
            self.session.dialogue,
            tuple(row for rows in self._told for row in rows),
            tuple(self.feedback),
        )

    def _play(self, text: str, out: Outbox) -> None:
        """A reply, in its thread. Its last event comes when the conversation can go on."""
        told: list[Row] = []
        self._told.append(told)
        last: Row | None = None
        try:
            for event in self.session.say(text):
                if self._stopped:  # it may have been said before the reply began
                    self.session.cancel()
                row = self._row(as_json(event))
                if not isinstance(event, Writing):
                    told.append(row)
                if isinstance(event, Ended):
                    last = row
                else:
                    out.put(row)
        except Exception as e:  # whatever it is, the page must hear of it
            if not isinstance(e, CoalmError):
                _log.exception("a reply failed")
            why = str(e) if isinstance(e, CoalmError) else f"{type(e).__name__}: {e}"
            last = self._row({"event": "failed", "why": why})
            told.append(last)
        untold = self._keep(self.trace)
        if untold:
            out.put(self._row({"event": "untraced", "why": untold}))
            last = self._row(last) if last else None  # it comes after that
        self.busy, self.used = False, time.monotonic()
        out.put(last)
        out.put(None)

    def _row(self, row: Mapping[str, Any]) -> Row:
        """An event with its number and the seconds since the conversation began."""
        self._sent += 1
        at = round(time.monotonic() - self._since, 3)
        return {name: finite(value) for name, value in row.items()} | {"id": self._sent, "at": at}


def finite(value: Any) -> Any:
    """The value with words for the numbers that JSON cannot say, which a model may write."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
