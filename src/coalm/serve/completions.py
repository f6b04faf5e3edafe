"""`/v1/chat/completions`: the client runs the tools, we render the prompt and read the reply."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from coalm.engines import Completion, Unanswered
from coalm.errors import FormatError
from coalm.formats import Format, Malformed, Piece
from coalm.formats.chat import understood as read_as
from coalm.formats.forcing import forced
from coalm.formats.glimpse import glimpse
from coalm.serve.asking import Asked, decoded, understood
from coalm.serve.metrics import Metrics
from coalm.serve.replies import (
    Events,
    Gone,
    Receive,
    Scope,
    Send,
    Watch,
    body_of,
    send_invalid,
    send_json,
)
from coalm.serve.waiting import Answer, Line, Ticket
from coalm.serve.wire import (
    Invalid,
    Named,
    chunk,
    finish_of,
    last_chunk,
    message_of,
    response,
    rest_of,
)
from coalm.types import Assistant

LARGE = 50_000
"""Bytes of a request from which on it is read in a thread: it would keep others waiting."""
BEAT = 10.0
"""Seconds without news after which a stream gives a sign of life."""


@dataclass(frozen=True, slots=True)
class Completions:
    """One model, asked in one format; an ASGI application."""

    names: tuple[str, ...]
    """What the model is called; the first is its own name."""
    format: Format
    line: Line
    metrics: Metrics
    most_tokens: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whole or as a stream of server-sent events."""
        try:
            asked = await asked_by(receive, self.names, self.most_tokens)
            large = len(asked.dialogue.turns) > 100
            begin, prompt = await aside(large, self._prompt, asked)
            sampling = replace(
                asked.sampling,
                end=self.format.layout.stop,
                stops=(*asked.sampling.stops, *self.format.stops),
            )
            ticket = Ticket.at(self.line, prompt, sampling, follows=asked.stream)
            with Watch(receive, ticket.leave):
                if asked.stream:
                    await self._streamed(asked, begin, ticket, send)
                else:
                    await self._whole(asked, begin, ticket, send)
        except Invalid as e:
            await send_invalid(send, e)
        except Gone:
            return

    def _prompt(self, asked: Asked) -> tuple[str, list[Piece]]:
        """How the reply begins, and what the model goes on from."""
        dialect = self.format.dialect
        try:
            prompt = self.format.prompt(asked.dialogue)
            begin = "" if asked.must_call is None else forced(dialect, asked.must_call)
            for piece in prompt:
                if not piece.text.isascii():
                    piece.text.encode()
        except (FormatError, UnicodeError, RecursionError) as e:
            raise Invalid(
                f"the conversation cannot be shown to this model: {e}", "messages"
            ) from None
        # As in training, where the turn's own words are tokens apart from what is before them.
        return begin, [*prompt, Piece(begin, learned=True)] if begin else prompt

    async def _whole(self, asked: Asked, begin: str, ticket: Ticket, send: Send) -> None:
        async with aclosing(ticket.growing()) as steps:
            async for step in steps:
                if step is None or isinstance(step, str):
                    continue
                completion = answered(step)
                message = self._message(asked, begin + completion.text, completion)
                named = Named.new(asked.model)
                await send_json(send, 200, response(named, message, completion))
                return
        raise Gone

    def _message(self, asked: Asked, text: str, completion: Completion) -> dict[str, Any]:
        """The reply as a message."""
        dialect = self.format.dialect
        turn = read_as(dialect, text)
        if isinstance(turn, Assistant):
            if turn.calls and not asked.dialogue.tools:
                # Nothing was offered, so what looks like a call is words.
                words = dialect.write(Assistant(calls=turn.calls))
                turn = Assistant("\n".join(filter(None, [turn.text, words])), turn.thought)
            elif asked.must_call is not None and not turn.calls:
                turn = Malformed(text, "no tool was called, though one had to be")
        if isinstance(turn, Malformed):
            self.metrics.malformed.inc()
        self.metrics.count(completion)
        return message_of(turn, parallel=asked.parallel)

    async def _streamed(self, asked: Asked, begin: str, ticket: Ticket, send: Send) -> None:
        """What is certain as it comes, the rest at the end."""
        named, events = Named.new(asked.model), Events(send)
        thought = text = ""
        async with aclosing(ticket.growing(BEAT)) as growing:
            async for step in growing:
                try:
                    if step is None:
                        await self._begin(events, named)
                        await events.beat()
                        continue
                    if isinstance(step, str):
                        seen = glimpse(self.format.dialect, begin + step)
                        deltas = grown("reasoning_content", thought, seen.thought)
                        deltas += grown("content", text, seen.text)
                        thought = max(thought, seen.thought, key=len)
                        text = max(text, seen.text, key=len)
                        if deltas:
                            await self._begin(events, named)
                            await events.tell(*(chunk(named, delta) for delta in deltas))
                        continue
                    completion = answered(step)
                except Invalid as e:
                    await events.broken(e)
                    return
                message = self._message(asked, begin + completion.text, completion)
                await self._begin(events, named)
                last = [chunk(named, delta) for delta in rest_of(message, thought, text)]
                last.append(chunk(named, {}, finish_of(message, completion)))
                last += [last_chunk(named, completion)] if asked.usage_at_end else []
                await events.done(*last)
                return
        raise Gone

    async def _begin(self, events: Events, named: Named) -> None:
        """The first chunk, unless it was sent: what fails before it is still a status."""
        if not events.begun:
            await events.tell(chunk(named, {"role": "assistant", "content": ""}))


async def asked_by(
    receive: Receive,
    names: tuple[str, ...],
    most_tokens: int,
    seen: Callable[[Any], Any] = lambda body: body,
) -> Asked:
    """The request that comes in, for one of these models; `seen` makes its body of what came."""
    raw = await body_of(receive)
    asked: Asked = await aside(
        len(raw) > LARGE, lambda: understood(seen(decoded(raw)), most_tokens=most_tokens)
    )
    if asked.model not in names:
        raise Invalid(
            f"there is no model {asked.model!r}; there is {', '.join(names)}",
            "model",
            404,
            "model_not_found",
        )
    return asked


async def aside(large: bool, work: Any, *given: Any) -> Any:
    """What a function gives back; run in a thread if it is much work."""
    return await asyncio.to_thread(work, *given) if large else work(*given)


def answered(step: Answer) -> Completion:
    """The completion, or an `Invalid` that says why there is none."""
    if isinstance(step, Unanswered):
        raise Invalid(step.why, status=503)
    if step.ended == "length" and not step.completion_tokens and not step.text:
        raise Invalid(
            "the conversation and max_tokens are more than the model's context takes",
            "messages",
            code="context_length_exceeded",
        )
    return step


def grown(name: str, had: str, now: str) -> list[dict[str, Any]]:
    """What has been added to a field, as a delta; nothing where it only looks different."""
    return [{name: now[len(had) :]}] if len(now) > len(had) and now.startswith(had) else []
