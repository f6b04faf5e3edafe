"""Engines and speakers around a `Server`: raw prompts, native tool calls, prompted chat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Protocol

from coalm import store
from coalm.endpoints import Answer, Refused, Usage
from coalm.endpoints import Unanswered as Lost
from coalm.engines.base import Completion, Said, Sampling, Speaker, Unanswered
from coalm.engines.journal import Route
from coalm.engines.messages import Names, names_of, native, offered, prompted, turn_of, written
from coalm.engines.server import too_long
from coalm.formats import Piece
from coalm.formats.chat import understood
from coalm.formats.dialects import Dialect
from coalm.formats.layouts import LAYOUTS, Role
from coalm.types import Dialogue

ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


class Asked(Protocol):
    """Whoever has answers to requests: a `Server`, or a folder's `Kept` ones."""

    def ask(
        self, route: Route, bodies: Sequence[Mapping[str, Any]]
    ) -> list[Answer | Lost | Refused]:
        """An outcome for each request, in order."""
        ...


@dataclass(frozen=True)
class Raw:
    """An engine: our own prompt, markers and all, goes to `/completions` as text."""

    server: Asked

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt, in the order of the prompts."""
        stops = [stop for stop in (sampling.end, *sampling.stops) if stop]
        # Our prompts bring their own first marker, which a server would else put twice.
        more = {"stop": stops, "add_special_tokens": False} if stops else {}
        # As many of the likeliest tokens beside the one that was taken; 0 is nothing to some.
        told = {"logprobs": 1} if sampling.logprobs else {}
        bodies = [
            {"prompt": raw_text(prompt, sampling.end), **_drawn(sampling), **told, **more}
            for prompt in prompts
        ]
        outcomes = self.server.ask("completions", bodies)
        return [
            _completion(outcome, outcome.text if isinstance(outcome, Answer) else "")
            for outcome in outcomes
        ]


@dataclass(frozen=True)
class Native:
    """A speaker: tools and calls are the chat API's own."""

    server: Asked

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """One turn for each dialogue, in order."""
        tables = [names_of(dialogue) for dialogue in dialogues]
        bodies = []
        for dialogue, names in zip(dialogues, tables, strict=True):
            tools = offered(dialogue.tools, names)
            bodies.append(
                {"messages": native(dialogue, names)}
                | ({"tools": tools} if tools else {})
                | _drawn(sampling, chat=True)
            )
        outcomes = self.server.ask("chat", bodies)
        return [
            _heard(outcome, body, names)
            for outcome, body, names in zip(outcomes, bodies, tables, strict=True)
        ]

    def in_dialect(self, dialect: Dialect) -> Speaker:
        """The same model, told of its tools in a dialect's words."""
        return Prompted(self.server, dialect)


@dataclass(frozen=True)
class Prompted:
    """A speaker: a dialect's words in the system message, its text read from the answer."""

    server: Asked
    dialect: Dialect

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """One turn for each dialogue, in order."""
        drawn = replace(sampling, stops=(*sampling.stops, *self.dialect.stops))
        bodies = [
            {"messages": prompted(dialogue, self.dialect), **_drawn(drawn, chat=True)}
            for dialogue in dialogues
        ]
        found: list[Said | Unanswered] = []
        for outcome, body in zip(self.server.ask("chat", bodies), bodies, strict=True):
            text = (outcome.text or outcome.refusal) if isinstance(outcome, Answer) else ""
            completion = _completion(outcome, text)
            if isinstance(completion, Unanswered):
                found.append(completion)
                continue
            found.append(Said(understood(self.dialect, text), completion, _shown(body)))
        return found

    def in_dialect(self, dialect: Dialect) -> Speaker:
        """The same model in another dialect."""
        return Prompted(self.server, dialect)


def _drawn(sampling: Sampling, *, chat: bool = False) -> dict[str, Any]:
    """How it is drawn, in the API's words; greedy is a temperature of 0."""
    found: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
    }
    if chat:  # a raw prompt has its own
        found |= {"stop": list(sampling.stops)} if sampling.stops else {}
        found |= {"logprobs": True} if sampling.logprobs else {}
    return found


def _heard(
    outcome: Answer | Lost | Refused, body: Mapping[str, Any], names: Names
) -> Said | Unanswered:
    answer = outcome if isinstance(outcome, Answer) else Answer("", "length", Usage())
    completion = _completion(outcome, written(answer, names))
    if isinstance(completion, Unanswered):
        return completion
    return Said(turn_of(answer, names), completion, _shown(body))


def _completion(outcome: Answer | Lost | Refused, text: str) -> Completion | Unanswered:
    match outcome:
        case Answer(ended=ended, usage=usage):
            how: Literal["stop", "length"] = "length" if ended == "length" else "stop"
            told = _logprobs(outcome.logprobs)
            return Completion(text, how, usage.prompt_tokens, usage.completion_tokens, told)
        case Refused(why=why) if too_long(why):
            return Completion("", "length", 0, 0)
        case _:
            return Unanswered(outcome.why)


def _logprobs(given: object) -> tuple[float, ...] | None:
    """One number a token, from what either route gives, or the parts of a stream; else None."""
    found: list[object] = []
    for part in given if isinstance(given, list) else [given]:
        if not isinstance(part, Mapping):
            return None
        rows, plain = part.get("content"), part.get("token_logprobs")
        if isinstance(rows, list):
            plain = [row.get("logprob") if isinstance(row, Mapping) else None for row in rows]
        found += plain if isinstance(plain, list) else [None]
    numbers = [float(one) for one in found if isinstance(one, int | float)]
    return tuple(numbers) if len(numbers) == len(found) else None


def _shown(body: Mapping[str, Any]) -> str:
    """What was asked, for a person: messages and tools as JSON."""
    return store.compact({name: body[name] for name in ("messages", "tools") if name in body})


def raw_text(prompt: Sequence[Piece], end: str) -> str:
    """The prompt as one text, in which data cannot press the layout's own control keys.

    A marker that stands in data is broken by a zero-width space: the server cannot tell
    it from ours.
    """
    markers = {piece.text for piece in prompt if piece.control} | _relatives(end)
    parts = []
    for piece in prompt:
        text = piece.text
        if not piece.control:
            for marker in markers:
                text = text.replace(marker, f"{marker[0]}\u200b{marker[1:]}")
        parts.append(text)
    return "".join(parts)


@cache
def _relatives(end: str) -> frozenset[str]:
    """All markers of the layouts that end a turn so; a prompt need not hold each of them."""
    found = {end} if end else set()
    for layout in LAYOUTS.values():
        if layout.stop == end:
            pieces = layout.begin()
            for role in ROLES:
                pieces += [*layout.head(role), *layout.tail(role)]
            found |= {piece.text for piece in pieces if piece.control}
    return frozenset(found)
