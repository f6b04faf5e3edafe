"""What happens while an agent answers, as values: for a terminal, a server, a page, a trace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from coalm.agent.loop import Reply
from coalm.agent.tracking import State
from coalm.types import Assistant, Json, ToolCall


@dataclass(frozen=True, slots=True)
class Writing:
    """What is certain of the turn that is being written; each one replaces the last."""

    thought: str
    text: str


@dataclass(frozen=True, slots=True)
class Took:
    """The model took a turn: its thought, its words, its calls."""

    turn: Assistant


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A turn that could not be read, and is asked for again."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A call waits for a human's yes or no, under this number."""

    number: int
    call: ToolCall
    description: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A tool gave this back."""

    tool: str
    text: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """The dialogue state, after it changed."""

    state: State


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The model is not shown the oldest rounds any more: they do not fit its context."""

    rounds: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The reply is over."""

    reply: Reply
    cancelled: bool = False


Event: TypeAlias = Writing | Took | Unreadable | Asking | Observed | Tracked | Trimmed | Ended


def as_json(event: Event) -> dict[str, Json]:
    """An event as a JSON object, its kind under `event`; what a page or a log is sent."""
    match event:
        case Writing(thought, text):
            return {"event": "writing", "thought": thought, "text": text}
        case Took(turn):
            calls: list[Json] = [_call(call) for call in turn.calls]
            return {"event": "took", "thought": turn.thought, "text": turn.text, "calls": calls}
        case Unreadable(text, why):
            return {"event": "unreadable", "text": text, "why": why}
        case Asking(number, call, description):
            return {
                "event": "asking",
                "number": number,
                "description": description,
                **_call(call),
            }
        case Observed(tool, text):
            return {"event": "observed", "tool": tool, "text": text}
        case Tracked(state):
            return {"event": "tracked", "state": state.as_json()}
        case Trimmed(rounds):
            return {"event": "trimmed", "rounds": rounds}
        case Ended(reply, cancelled):
            completions = [said.completion for said in reply.said]
            return {
                "event": "ended",
                "how": "cancelled" if cancelled else reply.ended,
                "why": reply.why,
                "cut": bool(completions) and completions[-1].ended == "length",
                "prompt_tokens": sum(c.prompt_tokens for c in completions),
                "completion_tokens": sum(c.completion_tokens for c in completions),
            }


def _call(call: ToolCall) -> dict[str, Json]:
    arguments: Mapping[str, Json] = call.arguments
    return {"name": call.name, "arguments": dict(arguments)}
