"""What counts as offered, booked and told; and that lies do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.agent import Reply
from coalm.bench.multiwoz.online.atlas import invented, tells
from coalm.types import Assistant, Dialogue, Observation, ToolCall, User
from tests.bench.multiwoz.online.small import BENCH, call, case, heard, played, say, scripted

DINNER = case(
    {
        "restaurant": {
            "info": {"food": "portuguese", "area": "north"},
            "book": {"people": "4", "day": "friday", "time": "19:15"},
            "reqt": ["phone"],
        }
    }
)
LOOK = call("query_restaurants", food="portuguese")
BOOK = call("book_restaurant", name="copper lantern", people=4, day="friday", time="19:15")
MUSEUM = case({"attraction": {"info": {"type": "museum", "area": "west"}}})
REFERENCE = "FPG85FGL"
"""What the desk gives for this very table."""


def test_a_dinner_that_was_found_booked_and_told_is_a_success() -> None:
    found = say("Copper Lantern; its phone is 01223 555000.")
    told = say(f"It is booked, the reference is {REFERENCE}.")
    reply, verdict = played(DINNER, scripted(LOOK, found, found, BOOK, told))
    assert (reply.ended, verdict.kind, verdict.note) == ("spoke", "", "")
    assert verdict.scores["success"] == verdict.scores["booked"] == 1.0
    assert verdict.scores["told"] == verdict.scores["asked"] == 2.0


@pytest.mark.parametrize(
    ("turns", "kind", "note"),
    [
        ([LOOK, say("Copper Lantern."), call("book_restaurant", name="copper lantern", people=3,
          day="friday", time="19:15"), say("Done.")], "wrong argument", "people 3"),
        ([LOOK, say("Copper Lantern.")], "missing information", "no booking, not told phone"),
        ([say("The Copper Lantern is nice.")], "hallucinated entity", "copper lantern"),
        ([LOOK, say("Booked! The reference is ZZ99ZZ99.")], "hallucinated entity", "ZZ99ZZ99"),
        ([call("query_restaurants", area="centre"), say("The Walnut Tree.")],
         "wrong argument", "walnut tree is not as wanted"),
        ([say("Hello there.")], "no call", "no tool was asked"),
        ([], "format", "nothing readable"),
        ([LOOK] * 6, "too many steps", "still calling after 6 steps"),
        ([LOOK, say("Copper Lantern."), call("book_taxi", departure="a", destination="b",
          leave_at="9:00"), say("Done.")], "needless call", "taxi"),
    ],
)  # fmt: skip
def test_each_failure_has_its_kind(turns: list[Assistant], kind: str, note: str) -> None:
    _, verdict = played(DINNER, scripted(*turns))
    assert (verdict.kind, verdict.scores["success"]) == (kind, 0.0)
    assert note in verdict.note


def test_a_booking_without_a_word_is_a_booking_but_its_reference_is_not_told() -> None:
    found = say("Copper Lantern; its phone is 01223555000.")
    _, verdict = played(DINNER, scripted(LOOK, found, found, BOOK, say("All done.")))
    assert (verdict.scores["booked"], verdict.scores["told"]) == (1.0, 1.0)
    assert verdict.kind == "missing information"


def test_of_several_places_named_at_once_all_must_be_as_wanted() -> None:
    look = call("query_attractions", area="west")
    both, other = "Clockmakers Gallery and Salt Museum.", call("query_attractions")
    _, right = played(MUSEUM, scripted(look, say(both)))
    _, wrong = played(MUSEUM, scripted(other, say(f"{both} Or Otter Pool."), say("")))
    assert (right.scores["inform"], wrong.scores["inform"]) == (1.0, 0.0)


def test_what_the_database_does_not_know_need_not_be_told() -> None:
    stage = {"info": {"name": "harbour stage"}, "reqt": ["entrance fee", "phone"]}
    of = case({"attraction": stage})
    turns = [call("query_attractions"), say("Harbour Stage, 01223555014."), say("Nobody knows.")]
    _, verdict = played(of, scripted(*turns))
    assert verdict.kind == ""


def test_what_is_told_of_a_place_that_was_never_looked_up_is_not_told() -> None:
    of = case({"attraction": {"info": {"name": "harbour stage"}, "reqt": ["phone"]}})
    _, verdict = played(of, scripted(say("Harbour Stage, 01223555014.")))
    assert (verdict.scores["inform"], verdict.scores["told"]) == (0.0, 0.0)


def test_a_taxi_must_go_between_the_places_that_were_found_at_the_right_time() -> None:
    goal: dict[str, Any] = {
        "restaurant": {"info": {"name": "blue anchor"}},
        "taxi": {"info": {"leaveAt": "17:00", "destination": "ely"}, "reqt": ["car type"]},
    }
    look, offer = call("query_restaurants", name="blue anchor"), say("I found Blue Anchor.")

    def kind(**ends: str) -> str:
        turns = [look, offer, call("book_taxi", **ends), say("A red honda, phone 0712345678.")]
        reply, verdict = played(case(goal), scripted(*turns))
        car = reply.dialogue.turns[-3]
        assert isinstance(car, Observation)
        return "" if verdict.scores["booked"] else verdict.kind

    assert kind(departure="blue anchor", destination="ely", leave_at="17:00") == ""
    assert kind(departure="3 weir street", destination="Ely", leave_at="5 pm") == ""
    assert kind(departure="walnut tree", destination="ely", leave_at="17:00") != ""
    assert kind(departure="blue anchor", destination="ely", leave_at="17:15") != ""


def test_a_table_that_the_goal_calls_full_is_refused() -> None:
    goal = DINNER.tasks[0]
    full = {"info": dict(goal.wants), "book": dict(goal.book), "fail_book": {"time": "18:00"}}
    early = call("book_restaurant", name="copper lantern", people=4, day="friday", time="18:00")
    turns = [LOOK, say("Copper Lantern."), say("Copper Lantern."), early, say("It is full then.")]
    reply, _ = played(case({"restaurant": full}), scripted(*turns))
    [refusal] = [t.text for t in reply.dialogue.turns if isinstance(t, Observation)][1:]
    assert "fully booked for time 18:00" in refusal
    assert "19:15" in heard(reply)[-2] + heard(reply)[-1] + heard(reply)[3]


@pytest.mark.parametrize(
    ("name", "value", "text", "said"),
    [
        ("phone", "01223555000", "Call 01223 555-000.", True),
        ("postcode", "cb90aa", "It is CB9 0AA", True),
        ("address", "14 ferry lane chesterton", "at 14 Ferry Lane.", True),
        ("address", "14 ferry lane", "at 4 Ferry Lane", False),
        ("entrance_fee", "2.50 pounds", "It costs £2.50.", True),
        ("entrance_fee", "free", "There is no entrance fee.", True),
        ("entrance_fee", "5 pounds", "It costs 15 pounds.", False),
        ("price", "12.80 pounds", "12.8 GBP each", True),
        ("stars", "4", "a four-star hotel", True),
        ("stars", "4", "3 stars, 4 rooms", False),
        ("internet", "yes", "with free WiFi", True),
        ("internet", "no", "with free wifi", False),
        ("parking", "no", "It has no parking.", True),
        ("leave_at", "13:05", "leaves at 1:05 pm", True),
        ("leave_at", "13:05", "leaves at 11:05", False),
        ("arrive_by", "09:15", "arrives at 9:15", True),
        ("duration", "79 minutes", "It takes 1 hour and 19 minutes.", True),
        ("duration", "79 minutes", "179 minutes", False),
        ("car", "red honda", "A Honda in red", True),
        ("reference", "AB12CD34", "reference ab12cd34", True),
        ("area", "north", "northern", False),
        ("area", "", "anything", False),
    ],
)
def test_a_value_is_told_in_many_ways(name: str, value: str, text: str, said: bool) -> None:
    assert tells(text, name, value) is said


def test_codes_and_numbers_that_nobody_gave_are_found() -> None:
    known = ['{"train_id":"TR1234","phone":"01223555000"}']
    said = ["Take TR1234 or TR9999; phone 01223 555000 or 01223555999; BOOKED99 is yours."]
    assert invented(said, known) == ["TR9999", "01223555999", "BOOKED99"]


@given(
    st.lists(
        st.one_of(
            st.builds(Assistant, st.text()),
            st.builds(Observation, st.text(), st.sampled_from(["book_taxi", "book_hotel", "x"])),
            st.builds(
                Observation,
                st.sampled_from(['{"booked": 3}', '{"booked": null, "phone": []}', "[" * 999]),
                st.sampled_from(["book_taxi", "book_restaurant"]),
            ),
            st.builds(User, st.text()),
        )
    )
)
def test_no_conversation_breaks_the_judge(turns: list[Any]) -> None:
    for of in BENCH.cases():
        dialogue = Dialogue((*BENCH.opening(of).turns, *turns))
        verdict = BENCH.score(of, Reply(dialogue, "spoke"))
        assert verdict.scores["success"] == 0.0


def test_a_call_that_is_never_run_is_no_evidence() -> None:
    faked = Assistant(calls=(ToolCall("book_restaurant", {}),))
    reply = Reply(BENCH.opening(DINNER).then(faked), "steps")
    assert BENCH.score(DINNER, reply).scores["booked"] == 0.0
