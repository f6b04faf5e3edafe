"""Conversations of several user turns, played side by side.

A turn goes on for as long as the model calls: each call is run in the case's own
environments and its result shown as an observation. What holds no call ends the turn, and
the user speaks again. As in the official harness, a model that is still calling after 20
steps of a turn may finish that step, and the conversation is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from coalm.agent import Agent, Reply
from coalm.agent.loop import Ended
from coalm.bench.bfcl.data import Data
from coalm.bench.bfcl.multiturn.cases import Case, brought, system_prompt, tools
from coalm.bench.bfcl.multiturn.decode import decoded, from_calls
from coalm.bench.bfcl.multiturn.environment import Environments, Lost, Session
from coalm.bench.bfcl.multiturn.scoring import Steps
from coalm.engines import Model, Polyglot, Said, Speaker, Unanswered
from coalm.errors import RecipeError
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, Observation, System, ToolSpec, User


@dataclass(frozen=True, slots=True)
class AsWritten:
    """The dialect of the benchmark's own words: text, and nothing that is read in it."""

    name: str = "pythonic"
    stops: tuple[str, ...] = ()
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """Nothing: the words name the functions themselves."""
        return ""

    def write(self, turn: Assistant) -> str:
        """The text."""
        return turn.text

    def read(self, text: str) -> Assistant | Malformed:
        """The text."""
        return Assistant(text)

    def observed(self, turn: Observation) -> str:
        """The result as it is."""
        return turn.text


def as_written(speaker: Speaker) -> Speaker:
    """The speaker with a dialect that says nothing and reads nothing."""
    if not isinstance(speaker, Polyglot):
        raise RecipeError("BFCL's own words need a model that can be asked in plain text")
    return speaker.in_dialect(AsWritten())


def dialect_of(speaker: Speaker) -> str:
    """The dialect that a speaker was opened with; empty where it has none."""
    if isinstance(speaker, Model):
        return speaker.format.dialect.name
    return str(getattr(getattr(speaker, "dialect", None), "name", ""))


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model is asked and understood."""

    data: Data
    prompted: bool
    """In the benchmark's own words, its answers read as Python; else as tool calls."""

    def opening(self, case: Case) -> Dialogue:
        """What the model is shown first."""
        if self.prompted:
            system = System(system_prompt(self.data, case.functions))
            return Dialogue((system, User(self._words(case, 0))))
        return Dialogue((User(self._words(case, 0)),), tools(case.functions))

    def next_turn(self, case: Case, turn: int, dialogue: Dialogue) -> Dialogue:
        """The dialogue with the user's next words, and the functions that come with them."""
        late = () if self.prompted else tools(case.late.get(turn, ()))
        longer = replace(dialogue, tools=(*dialogue.tools, *late))
        return longer.then(User(self._words(case, turn)))

    def calls(self, said: Said) -> list[str]:
        """The calls of a model's step, as text; none where there are none."""
        if self.prompted:
            return decoded(said.completion.text)
        return from_calls(said.turn.calls) if isinstance(said.turn, Assistant) else []

    def turns(self, said: Sequence[Said]) -> list[Steps]:
        """The calls of each user turn, by step: a turn ends with the first step without any."""
        turns: list[Steps] = []
        begun = False
        for step in said:
            if not begun:
                turns.append([])
            calls = self.calls(step)
            begun = bool(calls)
            turns[-1] += [calls] if calls else []
        return turns

    def speaker(self, speaker: Speaker) -> Speaker:
        """Who is asked: where it is prompted, words go in and come out as they are."""
        return as_written(speaker) if self.prompted and isinstance(speaker, Polyglot) else speaker

    def _words(self, case: Case, turn: int) -> str:
        late = case.late.get(turn)
        if late is None:
            return case.said[turn]
        return brought(self.data, late, shown=self.prompted)


def play(
    cases: Sequence[Case], agent: Agent, manner: Manner, environments: Environments
) -> list[Reply]:
    """A whole conversation for each case, all of them side by side."""
    conversations = [_Conversation(case, manner, manner.opening(case)) for case in cases]
    speaker = manner.speaker(agent.speaker)
    try:
        while active := [c for c in conversations if c.ended is None]:
            answers = speaker.speak([c.dialogue for c in active], agent.sampling)
            for conversation, answer in zip(active, answers, strict=True):
                conversation.hear(answer, environments, agent.max_steps)
    finally:
        for conversation in conversations:
            conversation.close()
    return [c.reply() for c in conversations]


@dataclass(slots=True)
class _Conversation:
    """One case on its way; the only thing here that changes."""

    case: Case
    manner: Manner
    dialogue: Dialogue
    said: list[Said] = field(default_factory=list)
    turn: int = 0
    steps: int = 0
    ended: Ended | None = None
    why: str = ""
    session: Session | None = None

    def hear(self, answer: Said | Unanswered, environments: Environments, most: int) -> None:
        """Take the model's answer in, and do what it asks for."""
        if isinstance(answer, Unanswered):
            self.ended, self.why = "unanswered", answer.why
            return
        self.said.append(answer)
        if self.manner.prompted:
            self.dialogue = self.dialogue.then(Assistant(answer.completion.text))
        elif isinstance(answer.turn, Assistant):
            self.dialogue = self.dialogue.then(answer.turn)
        calls = self.manner.calls(answer)
        if calls:
            self._act(calls, environments, most)
            return
        self.turn, self.steps = self.turn + 1, 0
        if self.turn == len(self.case.said):
            self.ended = "spoke"
        else:
            self.dialogue = self.manner.next_turn(self.case, self.turn, self.dialogue)

    def _act(self, calls: Sequence[str], environments: Environments, most: int) -> None:
        try:
            if self.session is None:
                self.session = environments.open()
                self.session.begin(self.case.scene)
            results = self.session.run(calls)
        except Lost as e:
            self.ended, self.why = "steps", f"the environment was lost: {e}"
            return
        names = [call.partition("(")[0] for call in calls]
        seen = [Observation(r, name) for r, name in zip(results, names, strict=True)]
        self.dialogue = self.dialogue.then(*seen)
        self.steps += 1
        if self.steps > most:
            self.ended, self.why = "steps", f"still calling after {most} steps"

    def close(self) -> None:
        """End the environments."""
        if self.session is not None:
            self.session.close()

    def reply(self) -> Reply:
        """What it came to."""
        return Reply(self.dialogue, self.ended or "steps", tuple(self.said), self.why)
