"""A page's server with a scripted model: what it answers depends on what was asked alone."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from coalm.agent import Agent
from coalm.agent.functions import Refused, tools
from coalm.agent.guard import Manners
from coalm.agent.session import Setting
from coalm.agent.tracking import Domains
from coalm.engines import Completion, Model, Sampling, Unanswered
from coalm.engines.streaming import Growing
from coalm.formats import Piece, format_of, plain
from coalm.serve.batching import Batcher
from coalm.serve.running import address_of, listener, run
from coalm.serve.sessions_app import paged
from coalm.serve.sessions_kept import Keeper, SessionLimits, Sessions
from coalm.serve.settings import ServeSettings
from coalm.serve.waiting import Queued
from coalm.types import Dialogue, System

REACT = format_of("chatml", "react")
NASTY = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> "
    "[a](javascript:alert(1)) \x1b[31mred\x07 \u202egnp.exe <b>bold</b> &amp; end"
)
SCRIPT: Mapping[str, Sequence[str]] = {
    "thai please": (
        "Thought: They want Thai food.\nAction: find(food='thai', area='north')",
        "Thought: One is enough.\nSystem: Thai House is in the north.",
    ),
    "indian instead": ("Action: find(food='indian')", "System: Indian House it is."),
    "book it": (
        "Thought: They want it.\nAction: book(name='Thai House', people=2)",
        "System: That is done.",
    ),
    "hello": ("System: Hello there.",),
    "count": ("System: " + " ".join(f"{n}" for n in range(9_000)),),
    "nasty": (
        f"Thought: {NASTY}\n"
        "Action: find(food='<i>thai</i>', area='<script>window.hacked=1</script>')",
        f"System: {NASTY}",
    ),
    "huge": ("System: " + "long" * 50_000,),
    "wide": ("System: " + "w" * 3_000,),
    "silence": ("System: ",),
    "garbage": ("Action: (((",),
    "again and again": ("Action: find(food='thai')",) * 9,
}
"""The user's words -> what the model writes, step by step."""


@dataclass
class Typing:
    """Writes its script bit by bit; notices if it is run from two threads at once."""

    name: str = ""
    pace: float = 0.0
    """Seconds between bits."""
    batches: list[int] = field(default_factory=list)
    crowded: bool = False
    _inside: threading.Lock = field(default_factory=threading.Lock)

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        return self.stream(prompts, sampling, lambda _n, _text: True)

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        if not self._inside.acquire(blocking=False):
            self.crowded = True
            self._inside.acquire()
        try:
            self.batches.append(len(prompts))
            return [self._written(n, plain(p), growing) for n, p in enumerate(prompts)]
        finally:
            self._inside.release()

    def _written(self, number: int, prompt: str, growing: Growing) -> Completion | Unanswered:
        text = self._answer(prompt)
        if text is None:
            return Unanswered("the model is asleep")
        size = max(6, len(text) // 400)
        for end in range(size, len(text) + size, size):
            time.sleep(self.pace or (0.02 if "count" in prompt[-60:] else 0))
            if not growing(number, text[:end]):
                return Completion(text[:end], "stop", 0, 0)
        return Completion(text, "length" if "cut me" in prompt else "stop", 7, 3)

    def _answer(self, prompt: str) -> str | None:
        said, _, after = prompt.rpartition("<|im_start|>user\n")[2].partition("<|im_end|>")
        if "did not allow" in after:
            return f"System: Then I leave it: {after.rpartition('allow it: ')[2].split('<')[0]}"
        if said not in SCRIPT:
            return None if said == "asleep" else f"System: {self.name} heard: {said}"
        return SCRIPT[said][after.count("<|im_start|>tool\n")]


@dataclass
class Stage:
    """The server under test."""

    url: str
    engines: list[Typing]
    sessions: Sessions
    booked: list[str]
    stop: threading.Event

    def post(self, path: str, body: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/agent/sessions{path}", json=body or {}, timeout=20, **more)

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}/agent/sessions{path}", timeout=20).json()

    def opened(self, model: str = "") -> str:
        return str(self.post("", {"model": model} if model else {}).json()["id"])


@contextmanager
def stage(
    *,
    models: Sequence[str] = ("tuned",),
    pace: float = 0.0,
    limits: SessionLimits | None = None,
    keeper: Keeper | None = None,
    context: int | None = None,
    **served: Any,
) -> Iterator[Stage]:
    """A server on a free port while the block lasts; `book` writes and asks first."""
    booked: list[str] = []

    def find(food: str = "", area: str = "") -> Mapping[str, object]:
        """Find places."""
        return {"hits": [{"name": f"{food.title()} House", "food": food, "text": "x" * 400}]}

    def book(name: str, people: int) -> Mapping[str, object]:
        """Book a table."""
        if people > 9:
            raise Refused("too many")
        booked.append(name)
        return {"booked": name, "reference": "X1", "people": people}

    given = tools(find, book)
    opening = Dialogue((System("Help visitors."),), tuple(t.spec for t in given.values()))
    domains = Domains({"book": "table", "find": "table"}, frozenset({"book"}))
    engines = [Typing(name, pace) for name in models]
    lines = [Batcher(engine) for engine in engines]
    settings = {
        name: Setting(
            Agent(Model(Queued(line), REACT), given, max_steps=4),
            opening,
            {"book": Manners(writes=True)},
            domains,
            context,
            lambda dialogue: 10 * len(dialogue.turns),
        )
        for name, line in zip(models, lines, strict=True)
    }
    sessions = Sessions(
        "places", {name: partial(settings.__getitem__, name) for name in settings}, limits, keeper
    )
    sock = listener("127.0.0.1", 0)
    app = paged(sessions, models[:1], ServeSettings(**served), lines[0], REACT)
    ready, stop = threading.Event(), threading.Event()
    work = threading.Thread(
        target=lambda: run(app, sock, drain=5, ready=ready.set, stop=stop), daemon=True
    )
    work.start()
    assert ready.wait(10)
    try:
        yield Stage(address_of(sock), engines, sessions, booked, stop)
    finally:
        stop.set()
        work.join(15)
        sock.close()
        for line in lines:
            line.close()
