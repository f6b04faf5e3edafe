"""The bundled town and its users, for the tests of the online protocol."""

from collections.abc import Callable, Sequence
from typing import Any

from coalm.agent import Agent, Reply
from coalm.bench.base import Verdict
from coalm.bench.multiwoz.online import MultiWozOnline, OnlineCase, Simulator
from coalm.bench.multiwoz.online.protocol import STEPS
from coalm.bench.multiwoz.online.wishes import tasks
from coalm.engines import Completion, Said, Sampling, Unanswered
from coalm.formats import Malformed
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, Dialogue, ToolCall, User

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
BENCH = MultiWozOnline(SMALL)


class Saying:
    """A speaker that says what a function makes of each dialogue."""

    def __init__(self, turn: Callable[[Dialogue], Assistant | Malformed | None]) -> None:
        self.turn = turn

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        return [self._said(self.turn(dialogue)) for dialogue in dialogues]

    def _said(self, turn: Assistant | Malformed | None) -> Said | Unanswered:
        if turn is None:
            return Unanswered("503")
        return Said(turn, Completion(turn.text, "stop", 0, 0), "")


def case(goal: dict[str, Any], name: str = "X") -> OnlineCase:
    lines = goal.get("message", ())
    return OnlineCase(name, tasks(goal), tuple(lines))


def scripted(*turns: Assistant | Malformed | None) -> Saying:
    """The turns one after the other, then silence; for one conversation."""
    left = list(turns)
    return Saying(lambda _: left.pop(0) if left else Assistant(""))


def played(
    of: OnlineCase, speaker: Any, users: Simulator | None = None, steps: int = STEPS
) -> tuple[Reply, Verdict]:
    bench = MultiWozOnline(SMALL, users) if users else BENCH
    [reply] = bench.play([of], Agent(speaker, {}, steps))
    return reply, BENCH.score(of, reply)


def heard(reply: Reply) -> list[str]:
    """What the user said."""
    return [turn.text for turn in reply.dialogue.turns if isinstance(turn, User)]


def call(tool: str, /, **arguments: Any) -> Assistant:
    return Assistant(calls=(ToolCall(tool, arguments),))


def say(text: str) -> Assistant:
    return Assistant(text)
