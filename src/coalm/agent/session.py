"""One conversation, live: what a person says goes in, events come out as they happen.

The loop is `Agent`'s, in a thread of its own; a session adds what a person needs who watches
it: words as they are written, a question before a tool writes, a way to stop, the dialogue
state, and going back to an earlier turn.
"""

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace

from coalm.agent.events import (
    Asking,
    Ended,
    Event,
    Observed,
    Took,
    Tracked,
    Trimmed,
    Unreadable,
    Writing,
)
from coalm.agent.guard import Guarded, Manners
from coalm.agent.history import Count, Fitting
from coalm.agent.loop import Agent, Reply
from coalm.agent.tracking import Domains, Reader, State
from coalm.engines.streaming import heard
from coalm.errors import RecipeError
from coalm.formats import Malformed
from coalm.formats.glimpse import Glimpse
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, User

Decide = Callable[[Asking], bool | str]
"""Answers a question: may the call run? A text is a no, and says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every conversation with an agent has in common."""

    agent: Agent
    opening: Dialogue
    """The operator's words and the tools."""
    manners: Mapping[str, Manners] = field(default_factory=dict)
    state: Reader = field(default_factory=lambda: Domains({}))
    context: int | None = None
    """Tokens that the model can be shown; None where nobody knows."""
    count: Count | None = None
    """How they are counted."""


_ALL = 1_000
"""More than a reply has steps."""


@dataclass(frozen=True, slots=True)
class _Line:
    """From the agent's thread to whoever reads the events."""

    events: "queue.SimpleQueue[Event | BaseException | None]" = field(
        default_factory=queue.SimpleQueue
    )
    seen: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def show(self, event: Event) -> None:
        """Tell, and wait until it has been looked at: no tool runs ahead of what was seen."""
        self.events.put(event)
        self.seen.acquire()


class Session:
    """A conversation. One reply at a time; `cancel` and `decide` may come from other threads."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.dialogue = setting.opening
        self._busy = threading.Lock()
        self._work: threading.Thread | None = None
        self._stop = threading.Event()  # a new one for each reply: an old thread must never go on
        self._answers: dict[int, queue.SimpleQueue[bool | str]] = {}
        self._numbers = itertools.count(1)

    @property
    def state(self) -> State:
        """The dialogue state now."""
        return self.setting.state(self.dialogue)

    def say(self, text: str, decide: Decide | None = None) -> Generator[Event, None, None]:
        """The user's words, and what comes of them; ends with `Ended`.

        A question is answered by `decide`, or by `Session.decide` while this waits. Closing
        the iterator stops the agent; what had happened by then stays in the conversation.
        A `RecipeError` if a reply is under way.
        """
        if not self._busy.acquire(blocking=False):
            raise RecipeError("the agent is still answering; wait, or cancel it first")
        try:
            self._stop = threading.Event()
            yield from self._replied(self.dialogue.then(User(text)), decide)
        finally:
            self._busy.release()

    def cancel(self) -> None:
        """Stop the reply that is under way; no tool is begun after this."""
        self._stop.set()
        for waiting in tuple(self._answers.values()):
            waiting.put("the user stopped the reply")

    def decide(self, number: int, allowed: bool | str) -> bool:
        """Answer question `number`; False if nobody asks it (any more)."""
        waiting = self._answers.pop(number, None)
        if waiting is None:
            return False
        waiting.put(allowed)
        return True

    def back_to(self, user_turn: int) -> str:
        """Take back user turn `user_turn` (from 0) and all after it; its words come back.

        What tools have written in the world stays written: a `RecipeError` says nothing of that,
        only of a turn that is not there.
        """
        places = [i for i, turn in enumerate(self.dialogue.turns) if isinstance(turn, User)]
        if not 0 <= user_turn < len(places):
            raise RecipeError(f"there is no user turn {user_turn}; there are {len(places)}")
        turn = self.dialogue.turns[places[user_turn]]
        self.dialogue = self.dialogue.until(places[user_turn])
        return turn.text if isinstance(turn, User) else ""

    # --- behind the scenes ------------------------------------------------------------------

    def _replied(self, asked: Dialogue, decide: Decide | None) -> Generator[Event, None, None]:
        line = _Line()
        if self._work is not None:
            self._work.join()  # a reply that was stopped may still be in the model's hands
        self._work = threading.Thread(
            target=self._run, args=(asked, self._stop, line), name="agent", daemon=True
        )
        self._work.start()
        so_far, waiting, before = asked, list[ToolCall](), self.state
        try:
            while (event := line.events.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                match event:
                    case Took(turn):
                        so_far, waiting = so_far.then(turn), list(turn.calls)
                    case Observed(tool, text):
                        so_far, waiting = so_far.then(Observation(text, tool)), waiting[1:]
                    case Ended(reply, cancelled=False):
                        so_far, waiting = reply.dialogue, []
                        self.dialogue = so_far
                yield event
                if isinstance(event, Asking) and decide is not None:
                    self.decide(event.number, decide(event))
                if isinstance(event, Took | Observed):
                    now = self.setting.state(so_far)  # it may ask the model, which has one voice
                    line.seen.release()
                    if now != before:
                        before = now
                        yield Tracked(now)
        finally:
            self.cancel()
            line.seen.release(_ALL)
            lost = [Observation("error: stopped by the user", call.name) for call in waiting]
            self.dialogue = so_far.then(*lost)

    def _run(
        self,
        asked: Dialogue,
        stop: threading.Event,
        line: "_Line",
    ) -> None:
        events = line.events
        agent = self._agent(stop, line)
        last = Reply(asked, "steps")
        try:
            for _, step in agent.steps([asked]):
                if stop.is_set() and not isinstance(step, Observation | Reply):
                    break  # it may be cut in the middle
                match step:
                    case Reply():
                        last = step
                    case Malformed(text, why):
                        events.put(Unreadable(text, why))
                    case Assistant():
                        line.show(Took(step))
                    case Observation():
                        line.show(Observed(step.tool, step.text))
                    case _:
                        pass  # an agent takes no other turns
                if stop.is_set():
                    break
            events.put(Ended(last, cancelled=stop.is_set()))
        except BaseException as e:  # told where the events are read
            events.put(e)
        finally:
            events.put(None)

    def _agent(self, stop: threading.Event, line: "_Line") -> Agent:
        """The agent, telling of itself."""
        events = line.events
        seen: list[Glimpse] = [Glimpse()]

        def told(_number: int, now: Glimpse) -> bool:
            if now != seen[0]:
                seen[0] = now
                events.put(Writing(now.thought, now.text))
            return not stop.is_set()

        def approve(spec: ToolSpec, arguments: Mapping[str, object]) -> bool | str:
            call = ToolCall(spec.name, dict(arguments))  # type: ignore[arg-type]
            question = Asking(next(self._numbers), call, spec.description)
            waiting: queue.SimpleQueue[bool | str] = queue.SimpleQueue()
            self._answers[question.number] = waiting
            events.put(question)
            try:
                return "the user stopped the reply" if stop.is_set() else waiting.get()
            finally:
                self._answers.pop(question.number, None)

        known = self.setting
        speaker = heard(known.agent.speaker, told)
        if known.context is not None and known.count is not None:
            trimmed = lambda rounds: events.put(Trimmed(rounds))  # noqa: E731
            speaker = Fitting(speaker, known.count, known.context, trimmed)
        usual = Manners()
        tools = {
            name: Guarded(tool, known.manners.get(name, usual), approve)
            for name, tool in known.agent.tools.items()
        }
        return replace(known.agent, speaker=speaker, tools=tools)
