"""Requests as dialogues: what a chat completion asks for, checked.

What a request asks for and cannot get is an error that names it, never left out in silence:
several choices, log-probabilities, a response format, sampling other than by temperature.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coalm.corpora.own import chat
from coalm.corpora.own.faults import Faults
from coalm.engines import Sampling
from coalm.serve.wire import Invalid
from coalm.types import Assistant, Dialogue, System

DEEPEST = 64
"""Levels of lists and objects in a request."""


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
    given: frozenset[str] = frozenset()
    """The fields that the request has."""


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


def decoded(raw: bytes) -> Any:
    """The JSON of a body, which holds nothing that cannot be said again."""
    try:
        body = json.loads(raw, parse_constant=_refuse)
        _check(body)
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except UnicodeError:
        raise Invalid("the body is not UTF-8, or holds half of a character") from None
    except ValueError as e:
        raise Invalid(f"the body is not JSON: {str(e)[:200]}") from None
    return body


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
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Invalid("must name the model; GET /v1/models lists what there is", "model")
    dialogue = _dialogue(body)
    choice = body.get("tool_choice") or ("auto" if dialogue.tools else "none")
    must = _must_call(choice, dialogue)
    if choice == "none":
        dialogue = replace(dialogue, tools=())
    return Asked(
        model,
        dialogue,
        _sampling(body, most_tokens),
        must,
        _flag(body, "parallel_tool_calls", default=True),
        _flag(body, "stream", default=False),
        _flag(_options(body), "include_usage", default=False),
        frozenset(name for name, value in body.items() if value is not None),
    )


def _dialogue(body: Mapping[str, Any]) -> Dialogue:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Invalid("'messages' must be a list with at least one message", "messages")
    for number, message in enumerate(messages):
        _check_parts(message, f"messages[{number}]")
    faults = Faults()
    row = {"messages": _ordered(messages), "tools": _tools(body)}
    dialogue, _ = chat.dialogue(row, faults, "messages")
    if faults:
        raise Invalid(f"{faults[0]}", str(faults[0]).split(":", 1)[0])
    if all(isinstance(turn, System) for turn in dialogue.turns):
        raise Invalid("nobody has said anything yet", "messages")
    if isinstance(dialogue.turns[-1], Assistant):
        raise Invalid(
            "the last message is the assistant's own: there is nothing to answer", "messages"
        )
    return dialogue


def _tools(body: Mapping[str, Any]) -> list[Any]:
    tools = body.get("tools")
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise Invalid("must be a list", "tools")
    for number, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind != "function" or not isinstance(tool.get("function"), dict):
            raise Invalid(
                'must be {"type": "function", "function": {...}}; there are no other tools here',
                f"tools[{number}]",
            )
    return tools


def _check_parts(message: object, place: str) -> None:
    """An `Invalid` for a message that holds anything but text."""
    content = message.get("content") if isinstance(message, dict) else None
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in {"text", "input_text", "output_text"}:
            raise Invalid(
                f"{place}: a part of the content is {kind!r}; this model reads text alone", place
            )


def _ordered(messages: Sequence[Any]) -> list[Any]:
    """The messages, results of tools in the order in which they were called for.

    Clients that run tools side by side send results as they come; a model that is shown no
    ids has only their order to go by.
    """
    found: list[Any] = []
    places: dict[str, int] = {}
    at = 0
    while at < len(messages):
        end = at
        while end < len(messages) and _result_of(messages[end]) in places:
            end += 1
        if end > at:
            found += sorted(messages[at:end], key=lambda one: places[_result_of(one)])
            at = end
            continue
        calls = messages[at].get("tool_calls") if isinstance(messages[at], dict) else None
        if isinstance(calls, list):
            ids = [str(call.get("id")) for call in calls if isinstance(call, dict)]
            places = {id: place for place, id in enumerate(ids)}
        found.append(messages[at])
        at += 1
    return found


def _result_of(message: object) -> str:
    if isinstance(message, dict) and message.get("role") == "tool":
        return str(message.get("tool_call_id"))
    return ""


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
    name = "max_tokens" if body.get("max_completion_tokens") is None else "max_completion_tokens"
    tokens = _number(body, name, most, 1, most)
    temperature = body.get("temperature")
    temperature = 0.0 if temperature is None else temperature
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise Invalid("must be a number", "temperature")
    if not 0 <= temperature <= 2:
        raise Invalid("must be from 0 to 2", "temperature")
    drawn = secrets.randbelow(1 << 31) if temperature > 0 else 0
    seed = _number(body, "seed", drawn, -(1 << 63), (1 << 63) - 1)
    stops = body.get("stop")
    stops = [stops] if isinstance(stops, str) else stops or []
    if not isinstance(stops, list) or len(stops) > 4:
        raise Invalid("must be a text, or up to four of them", "stop")
    if not all(isinstance(stop, str) and 0 < len(stop) <= 256 for stop in stops):
        raise Invalid("each must be a text of 1 to 256 characters", "stop")
    return Sampling(tokens, float(temperature), seed, stops=tuple(stops))


def _number(body: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(f"must be a whole number from {least} to {most}", name)
    return value


def _flag(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Invalid("must be true or false", name)
    return value


def _options(body: Mapping[str, Any]) -> Mapping[str, Any]:
    options = body.get("stream_options")
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise Invalid("must be an object", "stream_options")
    return options


def _check(value: object, depth: int = 0) -> None:
    """A `ValueError` for what nests too deep or what UTF-8 cannot carry."""
    if isinstance(value, str):
        if not value.isascii():
            value.encode()  # half of a surrogate pair is a UnicodeError
    elif isinstance(value, dict | list):
        if depth >= DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            for key in value:
                _check(key)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth + 1)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
