"""A conversation, live: what comes out, what stays, and who may stop it."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from coalm.agent import Agent
from coalm.agent.events import Asking, Ended, Event, Observed, Took, Tracked, Trimmed, Writing
from coalm.agent.functions import tools
from coalm.agent.guard import Manners
from coalm.agent.session import Session, Setting
from coalm.agent.tracking import Domains
from coalm.engines import Completion, Model, Sampling, Unanswered
from coalm.engines.scripted import Scripted
from coalm.engines.streaming import Growing
from coalm.errors import RecipeError
from coalm.formats import Piece, format_of
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, User

REACT = format_of("chatml", "react")
BOOK = "Thought: They want it.\nAction: book(name='Cow', people=2)"
DONE = "System: Booked."
BOOKED: list[str] = []


def book(name: str, people: int) -> Mapping[str, object]:
    """Book a table."""
    BOOKED.append(name)
    return {"reference": "X1", "people": people}


def find(food: str) -> Mapping[str, object]:
    """Find places."""
    return {"hits": [{"name": f"{food} House"}, {"name": "Cow"}]}


@dataclass
class Typing(Scripted):
    """A scripted engine that tells each word as it comes."""

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        [answer] = self.complete(prompts, sampling)
        if isinstance(answer, Unanswered):
            return [answer]
        for end in range(1, len(answer.text) + 1):
            told = answer.text[:end]
            while growing(0, told):
                if not told.endswith("(forever)"):
                    break
                time.sleep(0.01)
            else:
                return [Completion(told, "stop", 1, 1)]
        return [answer]


@dataclass
class Made:
    script: list[str]
    context: int | None = None
    engine: Typing = field(init=False)

    def session(self) -> Session:
        self.engine = Typing(list(self.script))
        given = tools(book, find)
        return Session(
            Setting(
                Agent(Model(self.engine, REACT), given),
                Dialogue((System("Help."),), tuple(t.spec for t in given.values())),
                {"book": Manners(writes=True)},
                Domains({"book": "table", "find": "table"}, frozenset({"book"})),
                self.context,
                lambda dialogue: 10 * len(dialogue.turns),
            )
        )


@pytest.fixture(autouse=True)
def fresh() -> None:
    BOOKED.clear()


def kinds(events: list[Event]) -> list[str]:
    return [type(e).__name__ for e in events if not isinstance(e, Writing)]


def test_a_reply_is_told_as_it_happens_and_stays_in_the_conversation() -> None:
    session = Made(["Thought: Look.\nAction: find(food='Thai')", "System: Thai House."]).session()
    events = list(session.say("thai please"))

    assert kinds(events) == ["Took", "Tracked", "Observed", "Tracked", "Took", "Ended"]
    thoughts = [e.thought for e in events if isinstance(e, Writing)]
    assert "Lo" in thoughts
    assert session.dialogue.turns[1:] == (
        User("thai please"),
        Assistant("", "Look.", (ToolCall("find", {"food": "Thai"}),)),
        Observation('{"hits":[{"name":"Thai House"},{"name":"Cow"}]}', "find"),
        Assistant("Thai House."),
    )
    assert session.state.slots == {"table": {"food": "Thai"}}
    assert session.state.offered == {"table": "Thai House, Cow"}


def test_a_tool_that_writes_waits_for_a_yes() -> None:
    session = Made([BOOK, DONE]).session()
    events = list(session.say("book it", decide=lambda asking: asking.call.name == "book"))

    assert kinds(events)[:3] == ["Took", "Tracked", "Asking"]
    assert BOOKED == ["Cow"]
    assert session.state.booked == {"table": "reference X1, people 2"}


def test_a_no_is_news_for_the_model_and_nothing_is_written() -> None:
    session = Made([BOOK, "System: Then not."]).session()
    events = list(session.say("book it", decide=lambda asking: "too early"))

    [seen] = [e for e in events if isinstance(e, Observed)]
    assert seen.text == "error: book: the user did not allow it: too early"
    assert not BOOKED
    assert not session.state.booked


def test_a_question_is_answered_from_another_thread() -> None:
    session = Made([BOOK, DONE]).session()
    for event in session.say("book it"):
        if isinstance(event, Asking):
            assert not session.decide(event.number + 1, allowed=True)
            threading.Thread(target=session.decide, args=(event.number, True)).start()
    assert BOOKED == ["Cow"]


def test_a_reply_that_is_cancelled_at_a_question_writes_nothing() -> None:
    session = Made([BOOK, DONE]).session()
    events = []
    for event in session.say("book it"):
        events.append(event)
        if isinstance(event, Asking):
            session.cancel()
    assert isinstance(events[-1], Ended)
    assert events[-1].cancelled
    assert not BOOKED
    assert session.dialogue.turns[-1] == Observation(
        "error: book: the user did not allow it: the user stopped the reply", "book"
    )


def test_who_stops_listening_stops_the_agent_and_calls_do_not_stay_open() -> None:
    session = Made([BOOK, DONE]).session()
    events = session.say("book it")
    assert any(isinstance(event, Took) for event in events)
    events.close()

    assert session.dialogue.turns[-1] == Observation("error: stopped by the user", "book")
    assert not BOOKED
    list(session.say("again?"))  # the next reply can begin


def test_words_can_be_stopped_in_the_middle() -> None:
    session = Made(["System: one two (forever) three", "System: Fine."]).session()
    for event in session.say("count"):
        if isinstance(event, Writing) and event.text.endswith("(forever)"):
            session.cancel()
    assert session.dialogue.turns[-1] == User("count")


def test_two_replies_at_once_are_refused() -> None:
    session = Made(["System: Hello.", "System: Hello."]).session()
    events = session.say("hi")
    next(events)
    with pytest.raises(RecipeError, match="still answering"):
        next(session.say("and?"))


def test_going_back_takes_the_turn_and_all_after_it() -> None:
    session = Made(["System: One.", "System: Two.", "System: Three."]).session()
    for words in ("a", "b"):
        list(session.say(words))
    assert session.back_to(0) == "a"
    assert session.dialogue == session.setting.opening
    list(session.say("c"))
    assert session.dialogue.turns[1:] == (User("c"), Assistant("Three."))
    with pytest.raises(RecipeError, match="there is no user turn 7"):
        session.back_to(7)


def test_a_history_that_does_not_fit_is_cut_and_said_so() -> None:
    made = Made(["System: One.", "System: Two.", "System: Three."], context=256 + 45)
    session = made.session()
    said = [list(session.say(words)) for words in ("first", "second", "third")]
    assert [any(isinstance(e, Trimmed) for e in events) for events in said] == [False, False, True]
    assert "first" not in made.engine.seen[-1]
    assert "second" in made.engine.seen[-1]
    assert len(session.dialogue.turns) == 7


def test_what_goes_wrong_in_the_engine_is_raised_where_the_events_are_read() -> None:
    class Broken:
        def complete(self, *_: object) -> list[Completion | Unanswered]:
            raise MemoryError("no room")

    given = Setting(Agent(Model(Broken(), REACT)), Dialogue(()))
    with pytest.raises(MemoryError, match="no room"):
        list(Session(given).say("hi"))


def test_the_state_is_told_only_when_it_changes() -> None:
    session = Made(["System: Hello."]).session()
    assert not [e for e in session.say("hi") if isinstance(e, Tracked)]
