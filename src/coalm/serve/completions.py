"""`/v1/chat/completions`: the client runs the tools, we render the prompt and read the reply."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coalm.engines import Completion, Unanswered
from coalm.errors import FormatError
from coalm.formats import Format, Malformed, Piece
from coalm.formats.chat import understood as read_as
from coalm.formats.forcing import forced
from coalm.formats.glimpse import glimpse
from coalm.serve.batching import Batcher, Ticket
from coalm.serve.metrics import Metrics
from coalm.serve.wire import (
    Asked,
    Invalid,
    Named,
    chunk,
    finish_of,
    last_chunk,
    message_of,
    response,
    rest_of,
    understood,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Completions:
    """One model, asked in one format."""

    names: tuple[str, ...]
    """What the model is called; the first is its own name."""
    format: Format
    batcher: Batcher
    metrics: Metrics
    most_tokens: int

    async def __call__(self, request: "Request") -> "Response":
        """Answer a request, whole or as a stream of server-sent events."""
        from starlette.responses import JSONResponse, StreamingResponse

        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise Invalid("the body is not JSON") from None
        asked = understood(body, most_tokens=self.most_tokens)
        if asked.model not in self.names:
            raise Invalid(
                f"there is no model {asked.model!r}; there is {', '.join(self.names)}",
                "model",
                404,
                "model_not_found",
            )
        begun, ticket = self._begun(asked)
        named = Named.new(asked.model)
        if asked.stream:
            events = self._streamed(asked, begun, ticket, named)
            first = await anext(events)  # what goes wrong before the first word is still a status
            return StreamingResponse(
                _again(first, events),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
        async for step in ticket.growing():
            if isinstance(step, str):
                if await request.is_disconnected():
                    break
                continue
            completion = _answered(step)
            message = self._message(asked, begun + completion.text, completion)
            return JSONResponse(response(named, message, completion))
        raise Invalid("the client has gone", status=499)

    def _begun(self, asked: Asked) -> tuple[str, Ticket]:
        """How the reply begins, and the place in line of the rest."""
        try:
            prompt = self.format.prompt(asked.dialogue)
            begin = "" if asked.must_call is None else forced(self.format.dialect, asked.must_call)
        except FormatError as e:
            raise Invalid(
                f"the conversation cannot be shown to this model: {e}", "messages"
            ) from None
        sampling = replace(
            asked.sampling,
            end=self.format.layout.stop,
            stops=(*asked.sampling.stops, *self.format.stops),
        )
        pieces = [*prompt, Piece(begin)] if begin else prompt
        return begin, self.batcher.ask(pieces, sampling)

    def _message(self, asked: Asked, text: str, completion: Completion) -> dict[str, Any]:
        """The reply as a message."""
        turn = read_as(self.format.dialect, text)
        if isinstance(turn, Malformed):
            self.metrics.malformed.inc()
        elif turn.calls and not asked.dialogue.tools:
            # Nothing was offered, so what looks like a call is words.
            turn = replace(turn, text=text, thought="", calls=())
        self.metrics.tokens.labels("prompt").inc(completion.prompt_tokens)
        self.metrics.tokens.labels("completion").inc(completion.completion_tokens)
        return message_of(turn, parallel=asked.parallel)

    async def _streamed(
        self, asked: Asked, begin: str, ticket: Ticket, named: Named
    ) -> AsyncIterator[bytes]:
        """Server-sent events: what is certain as it comes, the rest at the end."""
        thought = text = ""
        yield _event(chunk(named, {"role": "assistant"}))
        async for step in ticket.growing():
            if isinstance(step, str):
                seen = glimpse(self.format.dialect, begin + step)
                for name, had, now in (
                    ("reasoning_content", thought, seen.thought),
                    ("content", text, seen.text),
                ):
                    if len(now) > len(had) and now.startswith(had):
                        yield _event(chunk(named, {name: now[len(had) :]}))
                thought, text = max(thought, seen.thought, key=len), max(text, seen.text, key=len)
                continue
            if isinstance(step, Unanswered):
                yield _event({"error": {"message": step.why, "type": "server_error"}})
                return
            message = self._message(asked, begin + step.text, step)
            for delta in rest_of(message, thought=thought, text=text):
                yield _event(chunk(named, delta))
            yield _event(chunk(named, {}, finish_of(message, step)))
            if asked.usage_at_end:
                yield _event(last_chunk(named, step))
            yield b"data: [DONE]\n\n"


def _answered(step: Completion | Unanswered) -> Completion:
    if isinstance(step, Unanswered):
        raise Invalid(step.why, status=503)
    return step


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


async def _again(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for one in rest:
        yield one
