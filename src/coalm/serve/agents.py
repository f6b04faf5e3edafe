"""`/v1/chat/completions` of an agent: it runs its own tools here and answers in words.

Nothing is kept between requests: the messages give the history. What happened on the way is
in `coalm_events` beside the answer; a client that sends its messages back with them lets the
agent see its earlier calls and results again. A tool that needs somebody's consent is refused,
because nobody can be asked.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from coalm.agent.events import Ended, Event, Took, Unreadable, Writing, as_json
from coalm.agent.session import Session, Setting
from coalm.engines import Completion
from coalm.formats import Malformed
from coalm.serve.asking import Asked
from coalm.serve.completions import BEAT, asked_by, grown
from coalm.serve.metrics import Metrics
from coalm.serve.replies import Events, Gone, Receive, Scope, Send, Watch, send_invalid, send_json
from coalm.serve.wire import Invalid, Named, chunk, finish_of, last_chunk, response, rest_of
from coalm.types import Json, System, Turn, User

NOBODY = "nobody can be asked over this interface"
"""What the model is told of a call that needs somebody's consent."""


@dataclass(frozen=True)
class AgentCompletions:
    """An agent under the names of models; an ASGI application."""

    names: tuple[str, ...]
    setting: Setting
    metrics: Metrics
    most_tokens: int
    pool: ThreadPoolExecutor
    """Threads for as many replies as are let in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whole or as a stream of server-sent events."""
        try:
            asked = await asked_by(receive, self.names, self.most_tokens, retold)
            session, words = self._session(asked)
            news = _News(session, asyncio.get_running_loop())
            begun = self.pool.submit(news.play, words)
            try:
                with Watch(receive, news.leave):
                    if asked.stream:
                        await self._streamed(asked, news, send)
                    else:
                        await self._whole(asked, news, send)
            finally:
                news.leave()
                begun.cancel()
        except Invalid as e:
            await send_invalid(send, e)
        except Gone:
            return

    def _session(self, asked: Asked) -> tuple[Session, str]:
        """The conversation so far, and what is said in it now."""
        if "tools" in asked.given or asked.must_call is not None:
            raise Invalid("this agent has tools of its own and takes no others", "tools")
        *before, last = asked.dialogue.turns
        if not isinstance(last, User):
            raise Invalid("the last message must be the user's", "messages")
        if asked.sampling.stops:
            raise Invalid("an agent decides itself where it stops", "stop")
        setting, opening = self.setting, self.setting.opening
        while before and isinstance(first := before[0], System):
            opening = replace(opening, turns=_told(opening.turns, first.text))
            before.pop(0)
        agent = setting.agent
        if "temperature" in asked.given or "seed" in asked.given:
            drawn = replace(agent.sampling, temperature=asked.sampling.temperature)
            agent = replace(agent, sampling=replace(drawn, seed=asked.sampling.seed))
        if asked.given & {"max_tokens", "max_completion_tokens"}:
            most = asked.sampling.max_tokens
            step = replace(agent.sampling, max_tokens=min(most, agent.sampling.max_tokens))
            agent = replace(agent, sampling=step, max_tokens=min(most, agent.max_tokens or most))
        session = Session(replace(setting, agent=agent, opening=opening))
        session.dialogue = opening.then(*before)
        return session, last.text

    async def _whole(self, asked: Asked, news: "_News", send: Send) -> None:
        heard = _Heard()
        async with aclosing(news.events()) as events:
            async for event in events:
                if event is None:
                    continue
                heard.take(event)
                if isinstance(event, Ended):
                    message, completion = self._message(heard, event)
                    named = Named.new(asked.model)
                    await send_json(send, 200, response(named, message, completion))
                    return
        raise Gone

    async def _streamed(self, asked: Asked, news: "_News", send: Send) -> None:
        heard, named, out = _Heard(), Named.new(asked.model), Events(send)
        thought = text = ""
        told = 0
        await out.tell(chunk(named, {"role": "assistant", "content": ""}))
        try:
            async with aclosing(news.events()) as events:
                async for event in events:
                    if event is None:
                        await out.beat()
                        continue
                    heard.take(event)
                    if isinstance(event, Ended):
                        message, completion = self._message(heard, event)
                        message["coalm_events"] = heard.rows[told:]
                        last = [chunk(named, delta) for delta in rest_of(message, thought, text)]
                        last.append(chunk(named, {}, finish_of(message, completion)))
                        last += [last_chunk(named, completion)] if asked.usage_at_end else []
                        await out.done(*last)
                        return
                    deltas = grown("reasoning_content", thought, heard.thought)
                    deltas += grown("content", text, heard.text)
                    thought = max(thought, heard.thought, key=len)
                    text = max(text, heard.text, key=len)
                    deltas += [{"coalm_events": [row]} for row in heard.rows[told:]]
                    told = len(heard.rows)
                    await out.tell(*(chunk(named, delta) for delta in deltas))
        except Invalid as e:
            await out.broken(e)
            return
        raise Gone

    def _message(self, heard: "_Heard", end: Ended) -> tuple[dict[str, Any], Completion]:
        """The reply as a message, and what it took."""
        reply = end.reply
        if end.cancelled:
            raise Gone
        if reply.ended == "unanswered":
            raise Invalid(reply.why, status=503)
        said = [one.completion for one in reply.said]
        cut = reply.ended in {"steps", "limit"} or bool(said and said[-1].ended == "length")
        completion = Completion(
            "",
            "length" if cut else "stop",
            sum(one.prompt_tokens for one in said),
            sum(one.completion_tokens for one in said),
        )
        self.metrics.count(completion)
        message: dict[str, Any] = {"role": "assistant", "content": heard.text}
        if heard.thought:
            message["reasoning_content"] = heard.thought
        if reply.ended == "malformed":
            self.metrics.malformed.inc()
            turn = reply.said[-1].turn
            assert isinstance(turn, Malformed)
            message["content"] = "\n".join(filter(None, [heard.text, turn.text]))
            message["coalm_malformed"] = reply.why
        elif reply.ended != "spoke":
            message["coalm_ended"] = {"how": reply.ended, "why": reply.why}
        message["coalm_events"] = heard.rows
        return message, completion


@dataclass
class _Heard:
    """What an agent has said and done so far."""

    thoughts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[dict[str, Json]] = field(default_factory=list)
    writing: Writing = field(default_factory=lambda: Writing("", ""))

    @property
    def thought(self) -> str:
        """All thoughts, one below the other."""
        return "\n".join(filter(None, [*self.thoughts, self.writing.thought]))

    @property
    def text(self) -> str:
        """All that was said, one turn below the other."""
        return "\n".join(filter(None, [*self.texts, self.writing.text]))

    def take(self, event: Event) -> None:
        """Hear one more."""
        match event:
            case Writing():
                self.writing = event
                return
            case Took(turn):
                self.thoughts.append(turn.thought)
                self.texts.append(turn.text)
        if isinstance(event, Took | Unreadable | Ended):
            self.writing = Writing("", "")
        if not isinstance(event, Ended):
            self.rows.append(as_json(event))


class _News:
    """A session's events, from its thread to the event loop."""

    def __init__(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        self._session, self._loop = session, loop
        self._lock, self._waiting = threading.Lock(), deque[Event | BaseException | None]()
        self._changed = asyncio.Event()
        self._left = False

    def play(self, words: str) -> None:
        """Let the agent answer; in a thread."""
        try:
            with closing(self._session.say(words, lambda _: NOBODY)) as events:
                for event in events:
                    if self._left:
                        break
                    self._put(event)
        except Exception as e:  # told where the events are read
            self._put(e)
        finally:
            self._put(None)

    def leave(self) -> None:
        """Nobody listens any more: the agent stops."""
        self._left = True
        self._session.cancel()
        self._changed.set()

    async def events(self) -> AsyncGenerator[Event | None, None]:
        """What happens, None where nothing has for a while.

        A slow reader is told the latest of what is being written.
        """
        while not self._left:
            try:
                async with asyncio.timeout(BEAT):
                    await self._changed.wait()
            except TimeoutError:
                yield None
                continue
            self._changed.clear()
            with self._lock:
                found = list(self._waiting)
                self._waiting.clear()
            for event in found:
                if event is None:
                    return
                if isinstance(event, BaseException):
                    raise event
                yield event

    def _put(self, event: Event | BaseException | None) -> None:
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(event, Writing) and isinstance(last, Writing):
                self._waiting.pop()
            self._waiting.append(event)
        with suppress(RuntimeError):  # the loop has ended: nobody listens
            self._loop.call_soon_threadsafe(self._changed.set)


def retold(body: Any) -> Any:
    """A request in which answers that bring their events are the turns that these tell of."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        return body
    found: list[Any] = []
    for number, message in enumerate(messages):
        events = message.get("coalm_events") if isinstance(message, dict) else None
        if events and message.get("role") == "assistant":
            found += _turns(events, f"messages[{number}].coalm_events")
        else:
            found.append(message)
    return body | {"messages": found}


def _turns(events: Any, place: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    try:
        for event in events:
            if event["event"] == "took":
                calls = [
                    {"function": {"name": call["name"], "arguments": call["arguments"]}}
                    for call in event["calls"]
                ]
                said = {"content": event["text"], "reasoning_content": event["thought"]}
                turns.append({"role": "assistant", **said, "tool_calls": calls})
            elif event["event"] == "observed":
                turns.append({"role": "tool", "name": event["tool"], "content": event["text"]})
    except (TypeError, LookupError):
        raise Invalid("is not what this server sent", place) from None
    return turns


def _told(turns: tuple[Turn, ...], words: str) -> tuple[Turn, ...]:
    """An opening whose first words go on with the client's."""
    if turns and isinstance(turns[0], System):
        return (System(f"{turns[0].text}\n\n{words}"), *turns[1:])
    return (System(words), *turns)
