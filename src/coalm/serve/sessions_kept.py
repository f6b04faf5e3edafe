"""The conversations that the server holds for pages, and the file that their traces go to."""

import asyncio
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm.agent import traces
from coalm.agent.session import Setting
from coalm.agent.traces import Trace
from coalm.errors import CoalmError, unknown
from coalm.recipe import STRICT
from coalm.serve.sessions_live import Live
from coalm.serve.wire import Invalid

_REMEMBERED = 500
"""Conversations that are gone, of which it is still known why."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class SessionLimits:
    """How many conversations are held, and for how long."""

    sessions: Annotated[int, Field(ge=1)] = 64
    """Conversations at once; for one more, the one that was idle longest is dropped."""
    idle: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds after which a conversation in which nothing happens is dropped."""
    words: Annotated[int, Field(ge=1)] = 8_000
    """Characters of what is said at once."""


@dataclass(frozen=True)
class Keeper:
    """Writes traces to a file, redacted."""

    path: Path | None = None
    """None keeps nothing."""
    secrets: tuple[str, ...] = ()
    """Taken out wherever they stand, besides what looks like a key."""
    personal: bool = False
    """Whether mail addresses, telephone and card numbers are taken out as well."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, trace: Trace) -> str:
        """Add the trace to the file; what kept it from being written, if something did."""
        if self.path is None:
            return ""
        try:
            with self.lock:
                self._write(self.path, trace)
        except (OSError, ValueError) as e:  # the conversation goes on all the same
            return f"{self.path}: {e}"
        return ""

    def line(self, trace: Trace) -> str:
        """The trace as the line that `keep` would add."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.jsonl")
            self._write(path, trace)
            return path.read_text(encoding="utf-8")

    def _write(self, path: Path, trace: Trace) -> None:
        traces.write(path, trace, secrets=self.secrets, personal=self.personal)


class Sessions:
    """The conversations that are open. Used from the server's event loop alone.

    `models` gives what opens each model; it is called for every conversation, and should
    remember what it has opened.
    """

    def __init__(
        self,
        agent: str,
        models: Mapping[str, Callable[[], Setting]],
        limits: SessionLimits | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.agent, self.models = agent, models
        self.limits = limits or SessionLimits()
        self.keeper = keeper or Keeper()
        self._live: dict[str, Live] = {}
        self._gone: dict[str, str] = {}
        self._opening = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._live)

    async def open(self, model: str = "") -> tuple[Live, int]:
        """A new conversation with a model, the first by default; and how many others it cost.

        A model that nobody has talked with yet is opened first, which can take a while.
        """
        name = model or next(iter(self.models))
        if name not in self.models:
            raise Invalid(unknown("model", name, self.models), "model", 404, "model_not_found")
        try:
            async with self._opening:
                setting = await asyncio.to_thread(self.models[name])
        except CoalmError as e:
            raise Invalid(f"the model cannot be opened: {e}", "model", 503) from None
        self._sweep()
        dropped = 0
        while len(self._live) >= self.limits.sessions:
            idle = [one for one in self._live.values() if not one.busy]
            if not idle:
                raise Invalid(
                    f"all {len(self._live)} conversations are being answered; come back soon",
                    status=429,
                    code="too_many_sessions",
                )
            oldest = min(idle, key=lambda one: one.used)
            self._drop(oldest.id, f"it was idle when {self.limits.sessions} others were open")
            dropped += 1
        live = Live(secrets.token_urlsafe(18), self.agent, name, setting, self.keeper.keep)
        self._live[live.id] = live
        return live, dropped

    def find(self, id: str) -> Live:
        """The conversation of that id; an `Invalid` says what became of it."""
        self._sweep()
        if id in self._live:
            self._live[id].used = time.monotonic()
            return self._live[id]
        why = self._gone.get(id)
        if why is None:
            raise Invalid("there is no such conversation", status=404, code="no_session")
        raise Invalid(f"this conversation is over: {why}", status=410, code="session_gone")

    def close(self, id: str) -> None:
        """End a conversation."""
        self.find(id)
        self._drop(id, "it was closed")

    def close_all(self, why: str = "the server is stopping") -> None:
        """End all of them; replies under way are stopped."""
        for id in tuple(self._live):
            self._drop(id, why)

    def _sweep(self) -> None:
        now = time.monotonic()
        for one in tuple(self._live.values()):
            if not one.busy and now - one.used > self.limits.idle:
                minutes = f"{self.limits.idle / 60:.3g} minutes"
                self._drop(one.id, f"nothing happened in it for {minutes}")

    def _drop(self, id: str, why: str) -> None:
        self._live.pop(id).cancel()
        self._gone[id] = why
        while len(self._gone) > _REMEMBERED:
            self._gone.pop(next(iter(self._gone)))


def secrets_of(names: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """What environment variables hold, for a `Keeper`; several may stand in one with commas."""
    found = (environment.get(name, "") for name in names if name)
    return tuple(one.strip() for text in found for one in text.split(",") if one.strip())
