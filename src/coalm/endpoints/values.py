"""What comes back from an endpoint, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; sums with `+`."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0
    """Answers that these tokens belong to."""
    uncounted: int = 0
    """Answers among them whose endpoint did not say what they took."""

    def __add__(self, other: Self) -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.requests + other.requests,
            self.uncounted + other.uncounted,
        )

    @classmethod
    def of(cls, given: object) -> "Usage":
        """The usage of one answer, from the `usage` field of its body."""
        if not isinstance(given, Mapping):
            return cls(requests=1, uncounted=1)
        counts = [given.get(name) for name in ("prompt_tokens", "completion_tokens")]
        prompt, completion = (n if isinstance(n, int) else 0 for n in counts)
        return cls(prompt, completion, 1, int(not prompt))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a vendor takes for a million tokens, in whatever currency the user thinks in."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, usage: Usage) -> float:
        """The price of some usage."""
        spent = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return spent / 1e6


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call as the endpoint gave it."""

    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said."""

    text: str
    ended: str
    """The endpoint's `finish_reason`: `stop`, `length`, `tool_calls`, `content_filter` ..."""
    usage: Usage
    calls: tuple[ToolUse, ...] = ()
    endpoint: str = ""
    """Who answered, without anything secret."""
    refusal: str = ""
    """What the model said in place of an answer, where the endpoint tells that apart."""
    logprobs: object = None
    """The choice's `logprobs` as they came, where they were asked for."""
    reasoning: str = ""
    """What the model thought before it spoke, where the endpoint tells that apart."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The world kept a request from being answered; it may be asked again later."""

    why: str
    tries: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The endpoint turned this request down (HTTP 400, 413, 422 ...); trying again is no use."""

    why: str
    status: int


def read(body: object, endpoint: str) -> Answer:
    """An `Answer` from the body of a completion; a `ValueError` where it is none."""
    if not isinstance(body, Mapping):
        raise ValueError("the body is no JSON object")  # noqa: TRY004  callers catch one kind
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        said = body.get("error") or "nothing"
        raise ValueError(f"no choices but {str(said)[:200]}")  # noqa: TRY004  as above
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    text = message.get("content") if message else choice.get("text")
    if isinstance(text, list):  # some endpoints give the content in parts
        text = "".join(str(p.get("text", "")) for p in text if isinstance(p, Mapping))
    return Answer(
        _writable(text) if isinstance(text, str) else "",
        str(choice.get("finish_reason") or ""),
        Usage.of(body.get("usage")),
        tuple(_uses(message.get("tool_calls"))),
        endpoint,
        _writable(str(message.get("refusal") or "")),
        choice.get("logprobs"),
        _writable(str(message.get("reasoning_content") or message.get("reasoning") or "")),
    )


def _uses(given: object) -> list[ToolUse]:
    found = []
    for call in given if isinstance(given, list) else []:
        function: Any = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            found.append(
                ToolUse(*(_writable(str(function.get(k) or "")) for k in ("name", "arguments")))
            )
    return found


def _writable(text: str) -> str:
    """The text without halves of surrogate pairs, which no file could hold."""
    return text.encode("utf-8", "replace").decode()
