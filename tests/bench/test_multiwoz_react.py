"""The offline agent on MultiWOZ: how its turns are played, told apart and judged."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.bench.base import Verdict
from coalm.bench.multiwoz.react import MultiWozReact
from coalm.bench.multiwoz.react_gold import gold_calls
from coalm.bench.multiwoz.react_play import CALLS, STEPS, DialogueCase, parted
from coalm.bench.outcomes import UNANSWERED, outcomes
from coalm.bench.runner import RunSettings, rescore, run
from coalm.bench.stats import Scored, figure
from coalm.corpora.states import AGENT
from coalm.engines import Completion, Model, Said, Sampling, Unanswered
from coalm.engines.scripted import Scripted
from coalm.formats import DIALECTS, Malformed, Piece, format_of, plain
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, Dialogue, Json, System, ToolCall, User

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
BENCH = MultiWozReact(SMALL)
TALK = next(case for case in BENCH.cases() if case.id == "MINI0001")
HOTEL = next(case for case in BENCH.cases() if case.id == "MINI0002")
FMT = format_of("chatml", "react")


def calling(api: str, /, **arguments: Json) -> str:
    return FMT.dialect.write(Assistant(calls=(ToolCall(api, arguments),)))


def playing(case: DialogueCase, *answers: str | Unanswered) -> Reply:
    """A reply to scripted steps: the first of every turn, then the second of those that go on."""
    model = Model(Scripted(list(answers)), FMT)
    return BENCH.play([case], Agent(model, max_steps=STEPS))[0]


def scored(case: DialogueCase, *answers: str) -> Verdict:
    return BENCH.score(case, playing(case, *answers))


def share(verdict: Verdict, name: str) -> tuple[float, float]:
    return verdict.scores.get(name, 0.0), verdict.scores["turns"]


def test_a_case_is_a_dialogue_so_that_a_limit_counts_dialogues() -> None:
    assert [case.id for case in BENCH.cases()] == [f"MINI000{i}" for i in range(1, 7)]
    assert [len(case.turns) for case in BENCH.cases()] == [4, 3, 2, 7, 4, 5]
    assert {BENCH.part(case) for case in BENCH.cases()} == {""}


def test_every_turn_is_asked_with_the_gold_history_in_the_words_of_our_training_rows() -> None:
    engine = Scripted(["fine."] * 4)
    BENCH.play([TALK], Agent(Model(engine, FMT)))

    assert len(engine.seen) == 4
    assert all(AGENT in prompt and "query_restaurants" in prompt for prompt in engine.seen)
    assert "System: the copper lantern serves" not in engine.seen[1]
    assert "System: the copper lantern serves" in engine.seen[2]
    assert "fine." not in engine.seen[3]


def test_turns_of_all_cases_are_played_side_by_side() -> None:
    calls: list[int] = []

    class Counting:
        def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said]:
            calls.append(len(dialogues))
            return [Said(Assistant("fine."), Completion("", "stop", 0, 0), "") for _ in dialogues]

    BENCH.play([TALK, HOTEL], Agent(Counting()))  # type: ignore[arg-type]

    assert calls == [7]


def test_the_opening_holds_the_whole_conversation_so_that_a_changed_turn_is_noticed() -> None:
    system, user = BENCH.opening(TALK).turns

    assert isinstance(system, System)
    assert isinstance(user, User)
    assert user.text.endswith("User: perfect , that is all . goodbye .")
    assert len(BENCH.opening(TALK).tools) == 8


def test_the_state_adds_up_over_the_turns_of_a_dialogue() -> None:
    verdict = scored(
        TALK,
        "What would you like?",
        calling("query_restaurants", food="Portuguese", area="north"),
        calling("book_restaurant", name="copper lantern", people=4, day="friday", time="19:15"),
        "Goodbye.",
        "The copper lantern.",
        "Booked.",
    )

    assert (verdict.kind, share(verdict, "joint")) == ("missing information", (4.0, 4.0))
    assert "every state is right, but not Success" in verdict.note


def test_a_booking_the_agent_made_itself_counts_where_it_tells_the_reference() -> None:
    booked = {"people": "4", "day": "friday", "time": "19:15"}
    steps = [
        "What would you like?",
        calling("query_restaurants", food="portuguese", area="north"),
        calling("book_restaurant", name="copper lantern", **booked),
        "Goodbye.",
        "The copper lantern.",
    ]
    told = scored(TALK, *steps, "It is booked, the reference is FPG85FGL.")
    made_up = scored(
        TALK,
        "What would you like?",
        calling("query_restaurants", food="portuguese", area="north", name="copper lantern"),
        "It is booked, the reference is FPG85FGL.",
        "Goodbye.",
        "The copper lantern.",
    )

    assert (told.scores["success"], told.scores["own success"]) == (1.0, 1.0)
    assert (made_up.scores["success"], made_up.scores["own success"]) == (1.0, 0.0)


def test_any_is_dontcare_to_us_and_nothing_to_the_paper() -> None:
    steps = [calling("query_hotels", pricerange="cheap", area="any"), "", "", "Two of them."]
    verdict = scored(HOTEL, *steps)

    assert (verdict.scores["joint"], verdict.scores.get("paper_joint")) == (1.0, 0.0)
    assert verdict.scores["tp"] == 2
    assert verdict.scores["paper_tp"] == 1


def test_a_turn_without_a_readable_word_has_no_state_and_the_next_goes_on() -> None:
    right = calling("query_restaurants", food="portuguese", area="north")
    verdict = scored(TALK, "What else?", right, "", "Bye.", "The copper lantern.")

    assert share(verdict, "joint") == (2.0, 4.0)
    assert "turn 3: neither a call nor an answer" in verdict.note
    assert verdict.scores["fp"] == 0
    assert verdict.scores["fn"] == 6 + 4  # all of turn 3, the booking of turn 4


def test_an_unreadable_step_ends_its_turn_and_no_other() -> None:
    verdict = scored(TALK, "Action: nonsense(", "Action: nonsense(", "fine.", "fine.")

    assert verdict.kind == "format"
    assert verdict.note.startswith("turn 1: unreadable")
    assert verdict.scores["answered"] == 2


def test_five_calls_a_turn_count_and_a_sixth_is_one_too_many() -> None:
    short = replace(TALK, turns=TALK.turns[1:2])
    areas = ["east", "west", "south", "centre", "north"]
    five = [calling("query_restaurants", food="portuguese", area=area) for area in areas]
    enough = scored(short, *five, "The copper lantern.")
    more = scored(short, *five, calling("query_restaurants", area="south"))

    assert enough.scores["joint"] == 1.0
    assert enough.scores["answered"] == 1.0
    assert (more.kind, more.scores["answered"]) == ("too many steps", 0.0)
    assert more.scores["joint"] == 1.0  # the sixth call adds nothing


def test_calls_of_one_step_count_one_by_one() -> None:
    short = replace(TALK, turns=TALK.turns[1:2])
    areas = ["east", "west", "south", "centre", "north", "east"]
    calls = tuple(ToolCall("query_restaurants", {"area": area}) for area in areas)
    reply = playing(short, FMT.dialect.write(Assistant(calls=calls)), "There you are.")
    [turn] = parted(reply, 1)

    assert (len(turn.called), len(turn.calls), turn.answer) == (6, CALLS, "")
    assert BENCH.score(short, reply).kind == "too many steps"


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (calling("find_unicorns", area="north"), "wrong function"),
        (calling("query_restaurants", food="georgian", area="north"), "hallucinated entity"),
        (calling("query_restaurants", food="portuguese", area="south"), "wrong state"),
        (calling("query_restaurants", food="portuguese"), "missing information"),
        ("I do not know.", "no call"),
    ],
)
def test_a_mistake_has_a_kind(step: str, kind: str) -> None:
    short = replace(TALK, turns=TALK.turns[1:2])

    assert scored(short, step, "There you are.").kind == kind


def test_a_tools_error_is_news_for_the_model_and_its_arguments_still_count() -> None:
    short = replace(TALK, turns=TALK.turns[1:2])
    reply = playing(
        short, calling("query_restaurants", food="portuguese", area="north", wifi="yes"), "Sorry."
    )

    assert "no parameter 'wifi'" in parted(reply, 1)[0].seen[0]
    assert BENCH.score(short, reply).scores["joint"] == 1.0


def test_one_turn_that_was_not_answered_leaves_the_case_unanswered() -> None:
    reply = playing(TALK, "fine.", Unanswered("time-out"), "fine.", "fine.")

    assert (reply.ended, reply.why) == ("unanswered", "time-out")
    assert BENCH.score(TALK, reply).kind == "not answered"


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_gold_calls_are_played_in_every_dialect(dialect: str) -> None:
    fmt = format_of("chatml", dialect)
    for case in BENCH.cases():
        gold = BENCH.gold_reply(case)
        turns = [said.turn for said in gold.said]
        texts: list[str | Unanswered] = [
            fmt.dialect.write(turn) for turn in turns if isinstance(turn, Assistant)
        ]
        [reply] = BENCH.play([case], Agent(Model(Scripted(texts), fmt)))

        assert [said.turn for said in reply.said] == turns
        assert BENCH.score(case, reply).kind == ""


def test_steps_are_given_back_to_their_turns() -> None:
    for case in BENCH.cases():
        turns = parted(BENCH.gold_reply(case), len(case.turns))

        assert all(turn.answer for turn in turns)
        assert all(len(turn.seen) == len(turn.called) == len(turn.said) - 1 for turn in turns)


def test_a_gold_call_says_all_that_is_settled_and_books_what_is_to_be_booked() -> None:
    before = {"hotel-area": "north", "taxi-leaveat": "17:00"}
    now = {
        **before,
        "hotel-stars": "dontcare",
        "hotel-name": "old mill",
        "hotel-book day": "monday",
    }

    assert gold_calls(before, now) == (
        ToolCall("query_hotels", {"area": "north", "stars": "any", "name": "old mill"}),
        ToolCall("book_hotel", {"name": "old mill", "day": "monday"}),
    )
    assert gold_calls(now, now) == ()


def test_an_outcome_shows_turn_by_turn_what_happened() -> None:
    told = BENCH.told(
        TALK,
        playing(
            TALK,
            "What would you like?",
            calling("query_restaurants", food="portuguese", area="south"),
            "Action: ?(",
            "Bye.",
            "The copper lantern.",
        ),
    )

    assert "turn 2, user: i want to eat portuguese food somewhere in the north ." in told
    assert "  query_restaurants(food='portuguese', area='south')\n    -> {\"count\":0" in told
    assert "  answer: The copper lantern." in told
    assert '  state: {"restaurant-food": "portuguese", "restaurant-area": "south"}' in told
    assert "  wrong: restaurant-area is 'north', not 'south'" in told
    assert "  unreadable (" in told


class ByCase:
    """An engine that has the gold steps of each case, and loses one of them."""

    def __init__(self, lost: str) -> None:
        self.lost = lost
        self.left = {
            case.id: [
                FMT.dialect.write(said.turn)
                for said in BENCH.gold_reply(case).said
                if isinstance(said.turn, Assistant)
            ]
            for case in BENCH.cases()
        }

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        return [self.answer(plain(prompt)) for prompt in prompts]

    def answer(self, prompt: str) -> Completion | Unanswered:
        [case] = [c for c in BENCH.cases() if f"User: {c.turns[0].history[0][1]}" in prompt]
        if case.id == self.lost:
            return Unanswered("time-out")
        return Completion(self.left[case.id].pop(0), "stop", 1, 1)


def test_a_run_goes_on_case_by_case_and_can_be_judged_again(tmp_path: Path) -> None:
    once = RunSettings(batch=1)
    first = run(BENCH, Model(ByCase("MINI0003"), FMT), tmp_path, once)

    assert (first.cases, first.not_answered) == (5, 1)
    assert "MINI0003" in (tmp_path / UNANSWERED).read_text()

    second = run(BENCH, Model(ByCase(""), FMT), tmp_path, once)
    main = second.main

    assert (second.cases, second.not_answered) == (6, 0)
    assert main is not None
    assert (main.name, main.value) == ("JGA", 100.0)
    assert rescore(tmp_path, BENCH, FMT).figures == second.figures
    assert all(row["answer"].startswith("turn 1, user:") for row in outcomes(tmp_path))
    steps = ByCase("").left
    assert {row["id"]: row["raw"] for row in outcomes(tmp_path)} == steps


def test_a_source_without_goals_says_so_and_has_the_states_figures(tmp_path: Path) -> None:
    shutil.copytree(MINIATURE / "multiwoz", tmp_path / "multiwoz")
    shutil.rmtree(tmp_path / "multiwoz/mwz21")
    bench = MultiWozReact(Found(SOURCES["multiwoz"], tmp_path, "miniature"))
    names = {metric.name for metric in bench.about.metrics}

    assert bench.about.version == "2.4 miniature without goals"
    assert "JGA" in names
    assert not {name for name in names if "Inform" in name or "Success" in name}
    assert bench.score(TALK, bench.gold_reply(TALK)).kind == ""


def test_what_was_said_is_kept_unreadable_steps_too() -> None:
    reply = playing(TALK, "Action: ?(", "fine.", "fine.", "fine.")
    turn = parted(reply, 4)[0]

    assert isinstance(turn.said[0].turn, Malformed)
    assert (turn.heard, turn.answer, turn.calls) == (False, "", ())


# --- the real data ------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.slow
def test_gold_calls_reach_what_calls_can_say_on_the_real_test_set() -> None:
    bench = MultiWozReact(sources.find("multiwoz"))
    rows, wrong = [], 0
    for case in bench.cases():
        verdict = bench.score(case, bench.gold_reply(case))
        rows.append(Scored(case.id, "", verdict.scores))
        wrong += verdict.scores["joint"] < verdict.scores["turns"]
    figures = {m.name: round(figure(rows, m).value, 2) for m in bench.about.metrics}

    assert (len(rows), wrong) == (999, 49)
    assert figures["JGA"] == 98.11
    assert figures["JGA as the paper"] == 78.92
    assert figures["Slot recall"] >= 99.98
    assert figures["Turns answered"] == 100.0


@pytest.mark.data
def test_a_deleted_slot_is_what_calls_cannot_say() -> None:
    bench = MultiWozReact(sources.find("multiwoz"))
    for case in bench.cases()[:200]:
        verdict = bench.score(case, bench.gold_reply(case))
        deleted = any(
            set(before.state) - set(after.state)
            for before, after in zip(case.turns, case.turns[1:], strict=False)
        )
        odd = "tomorrow" in json.dumps([dict(turn.state) for turn in case.turns])
        assert deleted or odd or verdict.scores["joint"] == verdict.scores["turns"], case.id
