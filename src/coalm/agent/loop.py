"""The loop: think, act, observe, answer (Paper 3).

One loop serves the terminal, the benchmarks and the server. It plays many
dialogues side by side, a model step at a time, so that an engine sees a batch.
A tool's failure is news for the model; a malformed turn ends the reply and is scored,
unless the agent is told to have it repaired.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from coalm.engines import Said, Sampling, Speaker, Unanswered
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, Turn

Ended = Literal["spoke", "steps", "limit", "malformed", "unanswered"]
Repair = Literal["none", "ask again"]
"""What is done about an unreadable turn: nothing, or the model is told why, once a reply."""


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
    """What was malformed, which limit was reached, or what kept it from being answered."""

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
    max_tokens: int | None = None
    """New tokens of all steps of a reply; calls are not run once they are spent."""
    seconds: float | None = None
    """Time for a reply; likewise. A step that is under way is not cut off."""
    repair: Repair = "none"
    parallel: int = 1
    """Calls of one turn that are run side by side; their results keep the calls' order."""

    def reply(self, dialogue: Dialogue) -> Reply:
        """Answer the last turn, running tools on the way."""
        return self.replies([dialogue])[0]

    def replies(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        """Answer the last turn of each dialogue, all of them side by side."""
        ended = {i: step for i, step in self.steps(dialogues) if isinstance(step, Reply)}
        return [ended[i] for i in range(len(dialogues))]

    def steps(
        self, dialogues: Sequence[Dialogue]
    ) -> Iterator[tuple[int, Turn | Malformed | Reply]]:
        """Each turn as it happens with its dialogue's number, and the `Reply` where one ends.

        A `Malformed` is told where it will be repaired. Whoever stops listening stops the
        agent: no turn's tools run ahead of what was seen.
        """
        playing = {i: Reply(dialogue, "steps") for i, dialogue in enumerate(dialogues)}
        begun = time.monotonic()
        for _ in range(self.max_steps):
            if not playing:
                break
            answers = self.speaker.speak([_asked(r) for r in playing.values()], self.sampling)
            for i, answer in zip(tuple(playing), answers, strict=True):
                reply = self._heard(playing.pop(i), answer, time.monotonic() - begun)
                if not isinstance(answer, Unanswered) and _shown(reply):
                    yield i, answer.turn
                if reply.ended == "steps":
                    calls = _waiting(reply)
                    for call, text in zip(calls, self._results(calls), strict=True):
                        result = Observation(text, call.name)
                        reply = replace(reply, dialogue=reply.dialogue.then(result))
                        yield i, result
                    playing[i] = reply
                else:
                    yield i, reply
        yield from playing.items()

    def _results(self, calls: Sequence[ToolCall]) -> Iterator[str]:
        if self.parallel < 2 or len(calls) < 2:
            yield from map(self.run, calls)
            return
        with ThreadPoolExecutor(min(self.parallel, len(calls))) as pool:
            yield from pool.map(self.run, calls)

    def _heard(self, reply: Reply, answer: Said | Unanswered, seconds: float) -> Reply:
        """The reply one model step later; `steps` means that it goes on."""
        if isinstance(answer, Unanswered):
            return replace(reply, ended="unanswered", why=answer.why)
        said, turn = (*reply.said, answer), answer.turn
        if isinstance(turn, Malformed):
            once = self.repair == "ask again" and reply.turns == _turns(reply.said)
            ended: Ended = "steps" if once else "malformed"
            return replace(reply, ended=ended, said=said, why=turn.why)
        heard = Reply(reply.dialogue.then(turn), "steps" if turn.calls else "spoke", said)
        limit = self._spent(heard, seconds) if turn.calls else ""
        if not limit:
            return heard
        lost = [Observation(f"error: not run: {limit}", call.name) for call in turn.calls]
        return replace(heard, dialogue=heard.dialogue.then(*lost), ended="limit", why=limit)

    def _spent(self, reply: Reply, seconds: float) -> str:
        tokens = sum(said.completion.completion_tokens for said in reply.said)
        if self.max_tokens is not None and tokens >= self.max_tokens:
            return f"the limit of {self.max_tokens} new tokens a reply is reached"
        if self.seconds is not None and seconds >= self.seconds:
            return f"the limit of {self.seconds:g} seconds a reply is reached"
        return ""

    def run(self, call: ToolCall) -> str:
        """What a call gives back; what goes wrong is told to the model in words."""
        tool = self.tools.get(call.name)
        if tool is None:
            return f"error: there is no tool {call.name!r}; there are {sorted(self.tools)}"
        try:
            return tool(call.arguments)
        except Exception as e:  # a tool's failure is news for the model, not for us
            return f"error: {type(e).__name__}: {e}"


def _asked(reply: Reply) -> Dialogue:
    """What is asked next: the dialogue, and what was wrong with a turn that is to be repaired."""
    if not reply.said or not isinstance(reply.said[-1].turn, Malformed):
        return reply.dialogue
    news = f"error: the reply could not be read: {reply.why}. Write it again, in the right form."
    return reply.dialogue.then(Observation(news))


def _shown(reply: Reply) -> bool:
    """Whether the last step of a reply is told: all but an unreadable one that ends it."""
    return reply.ended != "malformed"


def _waiting(reply: Reply) -> tuple[ToolCall, ...]:
    """The calls that are to be run now."""
    turn = reply.said[-1].turn
    return turn.calls if isinstance(turn, Assistant) else ()


def _turns(said: Sequence[Said]) -> tuple[Assistant | Malformed, ...]:
    return tuple(one.turn for one in said)
