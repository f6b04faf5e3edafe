"""Turns of a dialogue, each played by a fresh agent that is given the gold history.

All turns of all cases are played side by side, so an engine sees them as one batch. What
comes back is one `Reply` a case: its dialogue holds the turns one after the other, each from
the user's words to the agent's last step; its `said` holds the model's steps as they were
taken, the first of every turn, then the second of every turn that went on, and so forth.
Steps can be given back to their turns, because a turn goes on for as long as it calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coalm.agent import Agent, Reply
from coalm.agent.loop import Tool
from coalm.bench.multiwoz.turns import TurnCase
from coalm.corpora.states import agent_request
from coalm.engines import Said
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, Observation, ToolCall, ToolSpec, Turn, User

CALLS = 5
"""At most so many calls a turn (Paper 5.1)."""

STEPS = CALLS + 1
"""Model steps of a turn: the last is for the answer."""


@dataclass(frozen=True, slots=True)
class DialogueCase:
    """One test dialogue."""

    id: str
    """Such as `SNG0073`."""
    turns: tuple[TurnCase, ...]
    """Its user turns with what was said before and the gold states."""


@dataclass(frozen=True, slots=True)
class Played:
    """What an agent did in one turn."""

    said: tuple[Said, ...] = ()
    """Its steps."""
    seen: tuple[str, ...] = ()
    """What each of its calls gave back."""

    @property
    def called(self) -> tuple[ToolCall, ...]:
        """All its calls."""
        steps = (one.turn for one in self.said if isinstance(one.turn, Assistant))
        return tuple(call for turn in steps for call in turn.calls)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """Those of its calls that count: the first five."""
        return self.called[:CALLS]

    @property
    def answer(self) -> str:
        """Its words to the user; empty where it never answered or called too often."""
        last = self.said[-1].turn if self.said else None
        spoke = isinstance(last, Assistant) and not last.calls
        return last.text if spoke and isinstance(last, Assistant) and not self.too_many else ""

    @property
    def unreadable(self) -> Malformed | None:
        """The step that could not be read, which ends a turn."""
        last = self.said[-1].turn if self.said else None
        return last if isinstance(last, Malformed) else None

    @property
    def too_many(self) -> bool:
        """Whether it called more than five times, or had no step left to answer in."""
        last = self.said[-1].turn if self.said else None
        at_end = isinstance(last, Assistant) and bool(last.calls)
        return len(self.called) > CALLS or at_end

    @property
    def heard(self) -> bool:
        """Whether anything of the turn could be read: a call, or words."""
        return bool(self.called or self.answer.strip() or self.too_many)


def request(turn: TurnCase, tools: Sequence[ToolSpec]) -> Dialogue:
    """How a turn's agent is asked: in the words that our training rows use (`sgd-react`)."""
    return agent_request(turn.history, tools)


def play(
    cases: Sequence[DialogueCase],
    agent: Agent,
    tools: Mapping[str, Tool],
    specs: Sequence[ToolSpec],
) -> list[Reply]:
    """Every turn of every case, side by side; a reply for each case, in order."""
    player = replace(agent, tools=tools, max_steps=STEPS)
    openings = [request(turn, specs) for case in cases for turn in case.turns]
    replies = iter(player.replies(openings))
    return [joined([next(replies) for _ in case.turns]) for case in cases]


def joined(turns: Sequence[Reply]) -> Reply:
    """The replies of a dialogue's turns as one; unanswered where any of them is."""
    lost = next((reply for reply in turns if reply.ended == "unanswered"), None)
    spoken = tuple(turn for reply in turns for turn in reply.dialogue.turns)
    tools = turns[0].dialogue.tools if turns else ()
    steps = max((len(reply.said) for reply in turns), default=0)
    said = tuple(
        reply.said[step] for step in range(steps) for reply in turns if step < len(reply.said)
    )
    if lost is not None:
        return Reply(Dialogue(spoken, tools), "unanswered", said, lost.why)
    broken = next((reply for reply in turns if reply.ended != "spoke"), None)
    if broken is None:
        return Reply(Dialogue(spoken, tools), "spoke", said)
    return Reply(Dialogue(spoken, tools), broken.ended, said, broken.why)


def parted(reply: Reply, turns: int) -> list[Played]:
    """The reverse of `joined`: what was done in each of so many turns."""
    steps: list[list[Said]] = [[] for _ in range(turns)]
    left = iter(reply.said)
    playing = list(range(turns))
    while playing and (given := list(zip(playing, left, strict=False))):
        playing = []
        for turn, said in given:
            steps[turn].append(said)
            calls = said.turn.calls if isinstance(said.turn, Assistant) else ()
            if calls and len(steps[turn]) < STEPS:
                playing.append(turn)
    seen = [*_seen(reply.dialogue.turns), *[()] * turns]
    return [Played(tuple(one), seen[turn]) for turn, one in enumerate(steps)]


def _seen(turns: Sequence[Turn]) -> Iterator[tuple[str, ...]]:
    """The observations of each turn: a turn begins where the user speaks."""
    found: list[str] | None = None
    for turn in turns:
        if isinstance(turn, User):
            if found is not None:
                yield tuple(found)
            found = []
        elif isinstance(turn, Observation) and found is not None:
            found.append(turn.text)
    if found is not None:
        yield tuple(found)
