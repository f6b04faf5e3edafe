"""Conversations with the agent over HTTP: JSON in, server-sent events out.

The agent runs its tools here; whoever asks watches, answers its questions, goes back and
judges. A request that changes something must say that it is JSON: no other site's page can
send that without being allowed to.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from coalm.agent.traces import Feedback
from coalm.errors import RecipeError
from coalm.serve.sessions_kept import Sessions
from coalm.serve.sessions_live import Live, Outbox, finite
from coalm.serve.wire import Invalid
from coalm.store import dump_turns
from coalm.types import System

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

PREFIX = "/agent/sessions"
_SHOWN = 600
"""Characters of the operator's words that are told."""

Answer = Callable[["Request"], Awaitable["Response"]]


def routes(sessions: Sessions) -> "list[Route]":
    """The routes of the sessions, for `app.make`."""
    from starlette.routing import Route

    desk = _Desk(sessions)
    one = PREFIX + "/{id}"
    return [
        Route(PREFIX, desk.opened, methods=["POST"]),
        Route(one, desk.shown, methods=["GET"]),
        Route(one, desk.closed, methods=["DELETE"]),
        Route(one + "/say", desk.said, methods=["POST"]),
        Route(one + "/cancel", desk.cancelled, methods=["POST"]),
        Route(one + "/decide", desk.decided, methods=["POST"]),
        Route(one + "/back", desk.taken_back, methods=["POST"]),
        Route(one + "/feedback", desk.judged, methods=["POST"]),
        Route(one + "/trace", desk.traced, methods=["GET"]),
    ]


class _Desk:
    """What each route does."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def opened(self, request: "Request") -> "Response":
        body = await _body(request)
        live, dropped = await self.sessions.open(_text(body, "model", ""))
        about = await asyncio.to_thread(self._about, live)  # reading the state may ask a model
        return _json(about | {"dropped": dropped}, 201)

    async def shown(self, request: "Request") -> "Response":
        live = self._live(request)
        feedback = [
            {"reply": f.reply, "vote": f.vote, "correction": f.correction, "note": f.note}
            for f in live.feedback
        ]
        turns = [t for t in live.session.dialogue.turns if not isinstance(t, System)]
        rows = {"busy": live.busy, "turns": dump_turns(turns), "feedback": feedback}
        return _json(await asyncio.to_thread(self._about, live) | rows)

    async def closed(self, request: "Request") -> "Response":
        self.sessions.close(request.path_params["id"])
        return _json({"closed": True})

    async def said(self, request: "Request") -> "Response":
        from starlette.responses import StreamingResponse

        body = await _body(request)
        live = self._live(request)
        words = _utf8(_text(body, "text"))
        most = self.sessions.limits.words
        if not words.strip():
            raise Invalid("there are no words in it", "text")
        if len(words) > most:
            raise Invalid(f"{len(words)} characters are too many; {most} are the limit", "text")
        _idle(live)
        out = live.say(words, asyncio.get_running_loop())
        return StreamingResponse(
            _events(live, out),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def cancelled(self, request: "Request") -> "Response":
        await _body(request)
        live = self._live(request)
        busy = live.busy
        live.cancel()
        return _json({"cancelled": busy})

    async def decided(self, request: "Request") -> "Response":
        body = await _body(request)
        live = self._live(request)
        number, allowed = body.get("number"), body.get("allowed")
        if not isinstance(number, int) or not isinstance(allowed, bool):
            raise Invalid("say the question's number, and allowed true or false", "number")
        why = _utf8(_text(body, "why", ""))
        if not live.session.decide(number, allowed or why):
            raise Invalid(f"nobody asks question {number} any more", "number", 409)
        return _json({"decided": number, "allowed": allowed})

    async def taken_back(self, request: "Request") -> "Response":
        body = await _body(request)
        live = self._live(request)
        _idle(live)
        turn = body.get("turn")
        if not isinstance(turn, int) or isinstance(turn, bool):
            raise Invalid("say which user turn, from 0", "turn")
        try:
            words = live.back(turn)
        except RecipeError as e:
            raise Invalid(str(e), "turn") from None
        return _json({"text": words, "state": await asyncio.to_thread(_state, live)})

    async def judged(self, request: "Request") -> "Response":
        body = await _body(request)
        live = self._live(request)
        reply, vote = body.get("reply"), body.get("vote")
        if not isinstance(reply, int) or not 0 <= reply < live.rounds:
            raise Invalid(f"there is no reply {reply!r}; there are {live.rounds}", "reply")
        if vote not in ("up", "down", "none"):
            raise Invalid("a vote is up, down or none", "vote")
        better, note = _utf8(_text(body, "correction", "")), _utf8(_text(body, "note", ""))
        one = None if vote == "none" else Feedback(reply, vote, better.strip(), note.strip())
        untraced = await asyncio.to_thread(live.judge, reply, one)
        return _json({"kept": self.sessions.keeper.path is not None, "untraced": untraced})

    async def traced(self, request: "Request") -> "Response":
        from starlette.responses import Response

        trace = self._live(request).trace
        try:
            line = await asyncio.to_thread(self.sessions.keeper.line, trace)
        except ValueError as e:
            raise Invalid(f"the trace cannot be written: {e}", status=500) from None
        name = f"coalm-{trace.began[:10]}-{trace.id[:6]}.jsonl"
        told = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(line, media_type="application/x-ndjson", headers=told)

    def _live(self, request: "Request") -> Live:
        return self.sessions.find(request.path_params["id"])

    def _about(self, live: Live) -> dict[str, Any]:
        """What a page must know of a conversation."""
        setting, limits = live.session.setting, self.sessions.limits
        words = [turn.text for turn in setting.opening.turns if isinstance(turn, System)]
        manners = setting.manners
        tools = [
            {
                "name": spec.name,
                "description": spec.description,
                "writes": spec.name in manners and manners[spec.name].writes,
                "asks": spec.name in manners and manners[spec.name].asks,
            }
            for spec in setting.opening.tools
        ]
        return {
            "id": live.id,
            "agent": live.agent,
            "model": live.model,
            "models": list(self.sessions.models),
            "policy": "\n".join(words)[:_SHOWN],
            "tools": tools,
            "state": _state(live),
            "steps": setting.agent.max_steps,
            "words": limits.words,
            "kept": self.sessions.keeper.path is not None,
        }


# --- requests and answers -------------------------------------------------------------------


async def _events(live: Live, out: Outbox) -> AsyncIterator[bytes]:
    """A reply as server-sent events; whoever goes before its end stops it."""
    ended = False
    try:
        async for row in out.rows():
            if row is None:
                yield b": still here\n\n"  # proxies hang up on who is silent
                continue
            ended = row["event"] in ("ended", "failed")
            yield f"id: {row['id']}\ndata: {json.dumps(row, allow_nan=False)}\n\n".encode()
    finally:
        if not ended:
            live.cancel()


async def _body(request: "Request") -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid("say Content-Type: application/json", status=415)
    try:
        body = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Invalid("the body is not a JSON object")
    return body


def _text(body: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    value = body.get(name, otherwise)
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text", name)
    return value


def _utf8(text: str) -> str:
    """The text as UTF-8 can carry it: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _idle(live: Live) -> None:
    if live.busy:
        raise Invalid(
            "the agent is still answering; wait, or cancel it first", status=409, code="busy"
        )


def _state(live: Live) -> dict[str, Any]:
    return live.session.state.as_json()


def _json(value: dict[str, Any], status: int = 200) -> "Response":
    from starlette.responses import Response

    # Only ASCII, so that no half of a character can keep an answer from being sent.
    text = json.dumps(finite(value), allow_nan=False)
    return Response(text, status, media_type="application/json")
