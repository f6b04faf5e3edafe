"""The loop: think, act, observe, answer (Paper 3).

One loop serves the terminal, the benchmarks and the server. It plays many
dialogues side by side, a model step at a time, so that an engine sees a batch.
A tool's failure is news for the model; a malformed turn ends the reply and is scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from coalm.engines import Said, Sampling, Speaker, Unanswered
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec

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
        replies: list[Reply | None] = [None] * len(dialogues)
        open_ones = [(i, Reply(d, "steps")) for i, d in enumerate(dialogues)]
        for _ in range(self.max_steps):
            if not open_ones:
                break
            answers = self.speaker.speak([r.dialogue for _, r in open_ones], self.sampling)
            stepped = [
                (i, *self._step(reply, answer))
                for (i, reply), answer in zip(open_ones, answers, strict=True)
            ]
            for i, reply, finished in stepped:
                replies[i] = reply if finished else None
            open_ones = [(i, reply) for i, reply, finished in stepped if not finished]
        for i, reply in open_ones:
            replies[i] = reply
        return [reply for reply in replies if reply is not None]

    def _step(self, reply: Reply, answer: Said | Unanswered) -> tuple[Reply, bool]:
        """The reply one model step later, and whether it has ended."""
        if isinstance(answer, Unanswered):
            return replace(reply, ended="unanswered", why=answer.why), True
        said = (*reply.said, answer)
        turn = answer.turn
        if isinstance(turn, Malformed):
            return replace(reply, ended="malformed", said=said, why=turn.why), True
        dialogue = reply.dialogue.then(turn)
        if not turn.calls:
            return Reply(dialogue, "spoke", said), True
        results = [Observation(self.run(call), call.name) for call in turn.calls]
        return Reply(dialogue.then(*results), "steps", said), False

    def run(self, call: ToolCall) -> str:
        """What a call gives back; what goes wrong is told to the model in words."""
        tool = self.tools.get(call.name)
        if tool is None:
            return f"error: there is no tool {call.name!r}; there are {sorted(self.tools)}"
        try:
            return tool(call.arguments)
        except Exception as e:  # a tool's failure is news for the model, not for us
            return f"error: {type(e).__name__}: {e}"
