"""Whole conversations: side by side, up to twenty turns, every goal within reach."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coalm.agent import Agent
from coalm.bench.multiwoz.online import MultiWozOnline
from coalm.bench.multiwoz.online.oracle import Oracle
from coalm.bench.multiwoz.online.play import TURNS
from coalm.bench.runner import RunSettings, run
from coalm.engines import Model
from coalm.engines.scripted import Answering
from coalm.formats import Malformed, format_of
from coalm.types import Assistant, Dialogue, Observation, ToolCall, User
from tests.bench.multiwoz.online.small import (
    BENCH,
    SMALL,
    Saying,
    call,
    case,
    heard,
    played,
    say,
    scripted,
)

SILENT = Saying(lambda _: Assistant(""))
NONSENSE = Saying(lambda _: say("\U0001f92f colourless green ideas sleep [furiously("))
LIAR = Saying(
    lambda _: say(
        "I found Copper Lantern, Heron House, Salt Museum and TR3137. It is booked, the reference "
        "is LIAR2024, phone 01223555000, 14 Ferry Lane, cb90aa, free, 17.60 pounds, a red honda."
    )
)


class Forger(Oracle):
    """The oracle, but for bookings: it says a reference that it made up."""

    def _turn(self, dialogue: Dialogue) -> Assistant:
        turn = super()._turn(dialogue)
        books = any(one.name.startswith(("book", "buy")) for one in turn.calls)
        return say("It is booked, the reference is AB12CD34, phone 0712345678.") if books else turn


def test_an_agent_that_knows_the_goal_reaches_it() -> None:
    verdicts = [BENCH.score(of, BENCH.gold_reply(of)) for of in BENCH.cases()]
    assert [verdict.scores["success"] for verdict in verdicts] == [1.0] * 6


@pytest.mark.parametrize("speaker", [SILENT, NONSENSE, LIAR])
def test_silence_nonsense_and_lies_reach_nothing(speaker: Saying) -> None:
    replies = BENCH.play(BENCH.cases(), Agent(speaker))
    for of, reply in zip(BENCH.cases(), replies, strict=True):
        scores = BENCH.score(of, reply).scores
        assert all(scores[name] == 0.0 for name in ("success", "inform", "booked", "told"))


def test_conversations_go_on_side_by_side() -> None:
    asked: list[int] = []

    class Counting(Saying):
        def speak(self, dialogues: Any, sampling: Any) -> Any:
            asked.append(len(dialogues))
            return super().speak(dialogues, sampling)

    speaker = Counting(lambda _: Assistant(""))
    replies = BENCH.play(BENCH.cases(), Agent(speaker))
    assert asked[0] == len(BENCH.cases()) == len(replies)
    assert len(asked) == max(len(reply.said) for reply in replies)


def test_bookings_of_one_case_are_not_those_of_another() -> None:
    book = call("book_restaurant", name="blue anchor", people=2, day="monday", time="12:00")
    of = case({"restaurant": {"info": {"name": "blue anchor"}}})
    for _ in range(2):
        _, verdict = played(of, scripted(book, say("Blue Anchor.")))
        assert verdict.kind == "needless call"
    _, clean = played(of, scripted(call("query_restaurants"), say("Blue Anchor.")))
    assert clean.kind == ""


def test_the_user_waits_for_twenty_answers_at_most() -> None:
    goal = {"hotel": {"info": {"area": "north", "stars": "4", "parking": "yes"}, "reqt": ["phone"]}}
    slots = ["area", "price range", "star rating"]
    turns = iter(range(99))
    asking = Saying(lambda _: say(f"What {slots[next(turns) % 3]} would you like?"))
    reply, verdict = played(case({**goal, "train": {"info": {"day": "monday"}}}), asking)
    assert len(heard(reply)) <= TURNS
    assert verdict.scores["turns"] <= TURNS


def test_what_cannot_be_read_is_heard_as_silence() -> None:
    of = BENCH.cases()[0]
    reply, _ = played(of, scripted(Malformed("{", "no call"), say("What area?")))
    users = [type(turn) for turn in reply.dialogue.turns[1:4]]
    assert users == [User, User, Assistant]


def test_an_unanswered_step_leaves_the_whole_case_unanswered() -> None:
    reply, verdict = played(BENCH.cases()[0], scripted(say("What area?"), None))
    assert (reply.ended, reply.why, verdict.kind) == ("unanswered", "503", "not answered")


def test_a_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "What area would you like?"

    model = Model(Answering(answer), format_of("chatml", "json"))
    first = run(MultiWozOnline(SMALL), model, tmp_path, RunSettings(limit=2))
    before = len(asked)
    again = run(MultiWozOnline(SMALL), model, tmp_path, RunSettings(limit=3))
    assert (first.cases, again.cases) == (2, 3)
    assert len({prompt.count("user") for prompt in asked[before:]}) > 1
    assert not any(prompt in asked[:before] for prompt in asked[before:])


def test_a_tool_that_fails_is_news_for_the_agent() -> None:
    wrong = Assistant(calls=(ToolCall("query_hotels", {"area": "moon"}), ToolCall("fly", {})))
    reply, _ = played(BENCH.cases()[1], scripted(wrong))
    seen = [turn.text for turn in reply.dialogue.turns if isinstance(turn, Observation)]
    assert all(text.startswith("error: ") for text in seen)
    assert len(seen) == 2


@pytest.mark.data
@pytest.mark.slow
def test_every_real_goal_can_be_reached_and_no_forger_gets_a_booking() -> None:
    bench = MultiWozOnline()
    kinds, booked = Counter[str](), 0.0
    for of in bench.cases():
        verdict = bench.score(of, bench.gold_reply(of))
        kinds[verdict.kind] += 1
        assert verdict.scores["turns"] <= TURNS
    for of in bench.cases()[:200]:
        [reply] = bench.play([of], Agent(Forger(of.tasks)))
        wants = any(task.book or task.domain == "taxi" for task in of.tasks)
        scores = bench.score(of, reply).scores
        booked += scores["booked"]
        assert scores["success"] == float(not wants)
    assert (kinds, booked) == ({"": 1000}, 0.0)
