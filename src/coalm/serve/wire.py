"""OpenAI's chat completions on the wire: requests as dialogues, turns as responses.

What a request asks for and cannot get is an error that names it, never left out in silence:
several choices, log-probabilities, a response format, sampling other than by temperature.
"""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from coalm.corpora.own import chat
from coalm.corpora.own.faults import Faults
from coalm.engines import Completion, Sampling
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, System

Finish = Literal["stop", "length", "tool_calls"]


class Invalid(Exception):
    """A request that cannot be answered as it is; becomes an error of OpenAI's form."""

    def __init__(self, message: str, param: str = "", status: int = 400, code: str = "") -> None:
        super().__init__(message)
        self.param, self.status, self.code = param, status, code


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood."""

    model: str
    dialogue: Dialogue
    sampling: Sampling
    must_call: str | None = None
    """A tool that must be called, empty for any; None where the model may choose."""
    parallel: bool = True
    """Whether several calls in a turn are welcome."""
    stream: bool = False
    usage_at_end: bool = False


_IGNORED = frozenset(
    {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}
)
"""What changes nothing of an answer."""
_AT_REST: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "top_p": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
"""What may be said only as it is anyway."""
_READ = frozenset(
    {
        "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "stream",
        "stream_options", "temperature", "seed", "stop", "max_tokens", "max_completion_tokens",
    }
)  # fmt: skip


def understood(body: object, *, most_tokens: int) -> Asked:
    """The request in a body; `Invalid` names what is wrong with it."""
    if not isinstance(body, dict):
        raise Invalid("the body must be a JSON object")
    for name, value in body.items():
        if name in _READ or name in _IGNORED or value is None:
            continue
        if name not in _AT_REST:
            raise Invalid(f"this server does not know {name!r}", name)
        if value not in _AT_REST[name]:
            raise Invalid(f"{name!r} can only be {_AT_REST[name][0]!r} here", name)
    dialogue = _dialogue(body)
    choice = body.get("tool_choice") or ("auto" if dialogue.tools else "none")
    must = _must_call(choice, dialogue)
    if choice == "none":
        dialogue = replace(dialogue, tools=())
    options = body.get("stream_options") or {}
    return Asked(
        str(body.get("model") or ""),
        dialogue,
        _sampling(body, most_tokens),
        must,
        _flag(body, "parallel_tool_calls", default=True),
        _flag(body, "stream", default=False),
        bool(isinstance(options, dict) and options.get("include_usage")),
    )


def _dialogue(body: Mapping[str, Any]) -> Dialogue:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Invalid("'messages' must be a list with at least one message", "messages")
    faults = Faults()
    dialogue, _ = chat.dialogue(
        {"messages": messages, "tools": body.get("tools") or []}, faults, "messages"
    )
    if faults:
        raise Invalid(f"{faults[0]}", str(faults[0]).split(":", 1)[0])
    if all(isinstance(turn, System) for turn in dialogue.turns):
        raise Invalid("nobody has said anything yet", "messages")
    if isinstance(dialogue.turns[-1], Assistant):
        raise Invalid(
            "the last message is the assistant's own: there is nothing to answer", "messages"
        )
    return dialogue


def _must_call(choice: object, dialogue: Dialogue) -> str | None:
    names = [tool.name for tool in dialogue.tools]
    match choice:
        case "none" | "auto":
            return None
        case "required" if names:
            return ""
        case {"type": "function", "function": {"name": str(name)}} if name in names:
            return name
        case "required":
            raise Invalid("'required' needs tools", "tool_choice")
        case {"type": "function", "function": {"name": str(name)}}:
            raise Invalid(f"there is no tool {name!r}; there are {names}", "tool_choice")
        case _:
            raise Invalid("must be none, auto, required or a function by name", "tool_choice")


def _sampling(body: Mapping[str, Any], most: int) -> Sampling:
    tokens = body.get("max_completion_tokens", body.get("max_tokens"))
    if tokens is None:
        tokens = most
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 1 <= tokens <= most:
        raise Invalid(f"must be a whole number from 1 to {most}", "max_completion_tokens")
    temperature = body.get("temperature")
    temperature = 0.0 if temperature is None else temperature
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise Invalid("must be a number", "temperature")
    if not 0 <= temperature <= 2:
        raise Invalid("must be from 0 to 2", "temperature")
    seed = body.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise Invalid("must be a whole number", "seed")
    stops = body.get("stop") or ()
    stops = (stops,) if isinstance(stops, str) else stops
    if not all(isinstance(stop, str) and stop for stop in stops) or len(stops) > 4:
        raise Invalid("must be a text, or up to four of them", "stop")
    drawn = secrets.randbelow(1 << 31) if seed is None and temperature > 0 else seed or 0
    return Sampling(tokens, float(temperature), drawn, stops=tuple(stops))


def _flag(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Invalid("must be true or false", name)
    return value


# --- responses ------------------------------------------------------------------------------


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
    """A turn as a message; what cannot be read is given as the words that it is."""
    if isinstance(turn, Malformed):
        return {"role": "assistant", "content": turn.text}
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


def rest_of(message: Mapping[str, Any], *, thought: str, text: str) -> list[dict[str, Any]]:
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
    return deltas


def error_of(message: str, *, status: int, param: str = "", code: str = "") -> dict[str, Any]:
    """An error of OpenAI's form."""
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return {"error": error}
