"""Conversations between an agent and a user, side by side.

Every round each agent whose turn it is takes one step: a call, which is run in a town of its
own where nothing is booked yet, or words, which the user answers. A step that cannot be
read is heard as silence and has no place in the dialogue. An agent that still calls after
six steps of a turn, or a user who still wants something after twenty turns, ends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from coalm.agent import Agent, Reply
from coalm.agent.cambridge import Cambridge
from coalm.agent.loop import Ended
from coalm.bench.multiwoz.online.agenda import Agenda
from coalm.bench.multiwoz.online.atlas import Atlas
from coalm.bench.multiwoz.online.wishes import Task
from coalm.engines import Said, Unanswered
from coalm.types import Assistant, Dialogue, Observation, User

TURNS = 20
"""Answers that a user waits for."""


@dataclass(frozen=True, slots=True)
class OnlineCase:
    """A user with a goal."""

    id: str
    """The dialogue whose goal it is, such as `SNG0073`."""
    tasks: tuple[Task, ...]
    story: tuple[str, ...]
    """The goal as the person was told it, sentence by sentence; may be empty."""

    @property
    def full(self) -> Mapping[str, Mapping[str, str]]:
        """What can be booked nowhere in this case, by domain.

        Deviation D81: the goal says which bookings fail; in the paper's code every booking
        succeeds.
        """
        return {task.domain: task.full for task in self.tasks if task.full}


@dataclass(slots=True)
class Talk:
    """One conversation as its user sees it."""

    case: OnlineCase
    agenda: Agenda
    exchange: list[tuple[str, str]] = field(default_factory=list)
    """What the user said and what they heard, turn by turn."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a user says; with `over` they want no answer."""

    text: str
    over: bool = False


class Simulator(Protocol):
    """Whoever speaks for the users once they have said their first words."""

    @property
    def name(self) -> str:
        """What a score says of who its users were."""
        ...

    def answer(self, talks: Sequence[Talk]) -> list[Words | Unanswered]:
        """The next words of each user."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule-based users."""

    name: str = "rules"

    def answer(self, talks: Sequence[Talk]) -> list[Words | Unanswered]:
        """What each agenda says."""
        said = ((talk.agenda, talk.agenda.hear(talk.exchange[-1][1])) for talk in talks)
        return [Words(a.goodbye(), True) if text is None else Words(text) for a, text in said]


def play(
    cases: Sequence[OnlineCase],
    agent: Agent,
    town: Cambridge,
    atlas: Atlas,
    users: Simulator,
    seed: int,
) -> list[Reply]:
    """The whole conversation of each case, in order."""
    talks = [_Conversation(case, agent, town, atlas, seed) for case in cases]
    while active := [talk for talk in talks if talk.ended is None]:
        answers = agent.speaker.speak([talk.dialogue for talk in active], agent.sampling)
        for talk, answer in zip(active, answers, strict=True):
            talk.hear(answer)
        waiting = [talk for talk in active if talk.users_turn]
        if waiting:
            words = users.answer([talk.talk for talk in waiting])
            for talk, said in zip(waiting, words, strict=True):
                talk.say(said)
    return [talk.reply() for talk in talks]


def begun(case: OnlineCase, town: Cambridge, atlas: Atlas, seed: int) -> tuple[Dialogue, Agenda]:
    """The dialogue up to the user's first words, and the rest of their agenda."""
    agenda = Agenda(case.tasks, atlas, f"{seed}:{case.id}")
    return town.opening().then(User(agenda.opening())), agenda


class _Conversation:
    """One case on its way."""

    def __init__(
        self, case: OnlineCase, agent: Agent, town: Cambridge, atlas: Atlas, seed: int
    ) -> None:
        self.dialogue, agenda = begun(case, town, atlas, seed)
        self.agent = replace(agent, tools=town.fresh(case.full).tools)
        self.talk = Talk(case, agenda)
        self.said: list[Said] = []
        self.steps = 0
        self.users_turn = False
        self.ended: Ended | None = None
        self.why = ""
        self._last = _last_words(self.dialogue)

    def hear(self, answer: Said | Unanswered) -> None:
        """The agent's step, and what its calls give back."""
        if isinstance(answer, Unanswered):
            self.ended, self.why = "unanswered", answer.why
            return
        self.said.append(answer)
        turn = answer.turn
        if isinstance(turn, Assistant):
            self.dialogue = self.dialogue.then(turn)
            if turn.calls:
                results = [Observation(self.agent.run(call), call.name) for call in turn.calls]
                self.dialogue = self.dialogue.then(*results)
                self.steps += 1
                if self.steps >= self.agent.max_steps:
                    self._end("steps", f"still calling after {self.steps} steps of a turn")
                return
        self.steps, self.users_turn = 0, True
        self.talk.exchange.append((self._last, turn.text if isinstance(turn, Assistant) else ""))

    def say(self, words: Words | Unanswered) -> None:
        """The user's next words."""
        self.users_turn = False
        if isinstance(words, Unanswered):
            self.ended, self.why = "unanswered", f"the user: {words.why}"
            return
        if not words.over and len(self.talk.exchange) >= TURNS:
            self._end("steps", f"the user still wanted something after {TURNS} turns")
            return
        self._last = words.text
        self.dialogue = self.dialogue.then(User(words.text))
        if words.over:
            self._end("spoke", "")

    def _end(self, how: Ended, why: str) -> None:
        self.ended, self.why = how, why

    def reply(self) -> Reply:
        """What it came to."""
        return Reply(self.dialogue, self.ended or "steps", tuple(self.said), self.why)


def _last_words(dialogue: Dialogue) -> str:
    last = dialogue.turns[-1]
    return last.text if isinstance(last, User) else ""
