"""The loop: think, act, observe, answer (Paper 3).

One loop serves the terminal, the benchmarks and the server. It plays many
dialogues side by side, a model step at a time, so that an engine sees a batch.
A tool's failure is news for the model; a malformed turn ends the reply and is scored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from coalm.engines import Said, Sampling, Speaker, Unanswered
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, Turn

Ended = Literal["spoke", "steps", "malformed", "unanswered"]


class Tool(Protocol):
    """Something a model may call."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told about it."""
        ...

    def __call__(self, arguments: Mapping[str, object]) -> str:
        """The result as text for the model; raising is allowed and becomes news."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A dialogue after the assistant's turns, and how they ended."""

    dialogue: Dialogue
    ended: Ended
    said: tuple[Said, ...] = ()
    """Each step of the model, in order."""
    why: str = ""
    """What was malformed, or what kept it from being answered."""

    @property
    def turns(self) -> tuple[Assistant, ...]:
        """The turns that the model took in this reply."""
        return tuple(s.turn for s in self.said if isinstance(s.turn, Assistant))


@dataclass(frozen=True, slots=True)
class Agent:
    """A model and what it may run."""

    speaker: Speaker
    tools: Mapping[str, Tool] = field(default_factory=dict)
    max_steps: int = 6
    """Model steps in one reply; the last may still be a call, whose result nobody reads."""
    sampling: Sampling = field(default_factory=Sampling)

    def reply(self, dialogue: Dialogue) -> Reply:
        """Answer the last turn, running tools on the way."""
        return self.replies([dialogue])[0]

    def replies(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        """Answer the last turn of each dialogue, all of them side by side."""
        ended = {i: step for i, step in self.steps(dialogues) if isinstance(step, Reply)}
        return [ended[i] for i in range(len(dialogues))]

    def steps(self, dialogues: Sequence[Dialogue]) -> Iterator[tuple[int, Turn | Reply]]:
        """Each turn as it happens with its dialogue's number, and the `Reply` where one ends.

        Whoever stops listening stops the agent: no tool runs ahead of what was seen.
        """
        playing = {i: Reply(dialogue, "steps") for i, dialogue in enumerate(dialogues)}
        for _ in range(self.max_steps):
            if not playing:
                break
            answers = self.speaker.speak([r.dialogue for r in playing.values()], self.sampling)
            for i, answer in zip(tuple(playing), answers, strict=True):
                reply = _heard(playing.pop(i), answer)
                if not isinstance(answer, Unanswered) and isinstance(answer.turn, Assistant):
                    yield i, answer.turn
                if reply.ended != "steps":
                    yield i, reply
                    continue
                for call in reply.turns[-1].calls:
                    result = Observation(self.run(call), call.name)
                    reply = replace(reply, dialogue=reply.dialogue.then(result))
                    yield i, result
                playing[i] = reply
        yield from playing.items()

    def run(self, call: ToolCall) -> str:
        """What a call gives back; what goes wrong is told to the model in words."""
        tool = self.tools.get(call.name)
        if tool is None:
            return f"error: there is no tool {call.name!r}; there are {sorted(self.tools)}"
        try:
            return tool(call.arguments)
        except Exception as e:  # a tool's failure is news for the model, not for us
            return f"error: {type(e).__name__}: {e}"


def _heard(reply: Reply, answer: Said | Unanswered) -> Reply:
    """The reply one model step later; `steps` means that calls are waiting to be run."""
    if isinstance(answer, Unanswered):
        return replace(reply, ended="unanswered", why=answer.why)
    said, turn = (*reply.said, answer), answer.turn
    if isinstance(turn, Malformed):
        return replace(reply, ended="malformed", said=said, why=turn.why)
    return Reply(reply.dialogue.then(turn), "steps" if turn.calls else "spoke", said)
