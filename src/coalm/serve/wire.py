"""OpenAI's chat completions on the wire: turns as responses, whole or in pieces."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coalm.engines import Completion
from coalm.formats import Malformed
from coalm.types import Assistant

Finish = Literal["stop", "length", "tool_calls"]

_KINDS = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Invalid(Exception):
    """A request that cannot be answered as it is; becomes an error of OpenAI's form."""

    def __init__(self, message: str, param: str = "", status: int = 400, code: str = "") -> None:
        super().__init__(f"{param}: {message}" if param and param not in message else message)
        self.param, self.status, self.code = param, status, code

    @property
    def row(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_of(str(self), status=self.status, param=self.param, code=self.code)


def error_of(message: str, *, status: int, param: str = "", code: str = "") -> dict[str, Any]:
    """An error of OpenAI's form."""
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return {"error": error}


@dataclass(frozen=True, slots=True)
class Named:
    """What all the chunks of a response have in common."""

    id: str
    model: str
    created: int

    @classmethod
    def new(cls, model: str) -> "Named":
        """A name that no other response has."""
        return cls(f"chatcmpl-{secrets.token_hex(12)}", model, int(time.time()))


def message_of(turn: Assistant | Malformed, *, parallel: bool) -> dict[str, Any]:
    """A turn as a message; what cannot be read is the words that it is, and says why."""
    if isinstance(turn, Malformed):
        return {"role": "assistant", "content": turn.text, "coalm_malformed": turn.why}
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.thought:
        message["reasoning_content"] = turn.thought
    calls = turn.calls if parallel else turn.calls[:1]
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{secrets.token_hex(8)}",
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments, ensure_ascii=False),
                },
            }
            for call in calls
        ]
    elif not turn.text:
        message["content"] = ""
    return message


def finish_of(message: Mapping[str, Any], completion: Completion) -> Finish:
    """Why a response ends."""
    if message.get("tool_calls"):
        return "tool_calls"
    return "length" if completion.ended == "length" else "stop"


def usage_of(completion: Completion) -> dict[str, int]:
    """Tokens of a response."""
    return {
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "total_tokens": completion.prompt_tokens + completion.completion_tokens,
    }


def response(named: Named, message: Mapping[str, Any], completion: Completion) -> dict[str, Any]:
    """A whole response."""
    choice = {
        "index": 0,
        "message": dict(message),
        "logprobs": None,
        "finish_reason": finish_of(message, completion),
    }
    return {
        "id": named.id,
        "object": "chat.completion",
        "created": named.created,
        "model": named.model,
        "choices": [choice],
        "usage": usage_of(completion),
    }


def chunk(named: Named, delta: Mapping[str, Any], finish: Finish | None = None) -> dict[str, Any]:
    """One piece of a response that is streamed."""
    choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
    return {
        "id": named.id,
        "object": "chat.completion.chunk",
        "created": named.created,
        "model": named.model,
        "choices": [choice],
    }


def last_chunk(named: Named, completion: Completion) -> dict[str, Any]:
    """What says the usage of a streamed response."""
    return chunk(named, {}) | {"choices": [], "usage": usage_of(completion)}


def rest_of(message: Mapping[str, Any], thought: str, text: str) -> list[dict[str, Any]]:
    """What of a message has not been streamed yet, as deltas."""
    deltas: list[dict[str, Any]] = []
    reasoning = str(message.get("reasoning_content") or "")
    if len(reasoning) > len(thought):
        deltas.append({"reasoning_content": reasoning[len(thought) :]})
    content = str(message.get("content") or "")
    if len(content) > len(text) and content.startswith(text):
        deltas.append({"content": content[len(text) :]})
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    deltas += [{"tool_calls": [{"index": n} | dict(call)]} for n, call in enumerate(calls)]
    deltas += [{name: message[name]} for name in message if name.startswith("coalm_")]
    return deltas
