"""The state that calls add up to, for any tools."""

from coalm.agent.tracking import Domains, State, answered, asked, history, said
from coalm.corpora.states import Slot
from coalm.engines import Model
from coalm.engines.scripted import Scripted
from coalm.formats import format_of
from coalm.types import Assistant, Dialogue, Json, Observation, System, ToolCall, User

READ = Domains({"find_flight": "flight", "buy_flight": "flight"}, frozenset({"buy_flight"}))
TALK = Dialogue(
    (
        System("Help."),
        User("To Ely, tomorrow."),
        Assistant("", "Look.", (ToolCall("find_flight", {"to": "Ely", "direct": True}),)),
        Observation('{"count": 4, "flights": [{"id": 7}, {"id": 8}, {"id": 9}, {"id": 10}]}'),
        Assistant("Number 7?"),
        User("No, to Bath."),
        Assistant(calls=(ToolCall("find_flight", {"to": "Bath"}), ToolCall("weather", {"at": 1}))),
        Observation('[{"name": "BA 1"}]'),
        Observation("error: weather: closed"),
        Assistant("BA 1?"),
    )
)


def test_the_last_value_wins_and_what_was_offered_is_named() -> None:
    state = READ(TALK)
    assert state.slots == {"flight": {"to": "Bath", "direct": "yes"}}
    assert state.offered == {"flight": "BA 1"}
    assert READ(TALK.until(4)).offered == {"flight": "7, 8, 9 and 1 more"}
    assert state.domain == "weather"
    assert not state.booked


def test_what_a_writing_tool_did_is_booked_and_what_failed_is_not() -> None:
    buy = Assistant(calls=(ToolCall("buy_flight", {"id": 7}),))
    done = TALK.then(User("yes"), buy, Observation('{"reference": "R2", "seats": [1]}'))
    assert READ(done).booked == {"flight": "reference R2"}
    lost = TALK.then(User("yes"), buy, Observation("error: buy_flight: sold out"))
    assert not READ(lost).booked
    assert "id" not in READ(lost).slots["flight"]
    assert READ(TALK.then(User("yes"), buy)).slots["flight"]["id"] == "7"


def test_calls_are_paired_with_their_results_in_order() -> None:
    pairs = [(call.name, result.text[:5] if result else None) for call, result in answered(TALK)]
    assert pairs == [("find_flight", '{"cou'), ("find_flight", '[{"na'), ("weather", "error")]
    open_ = TALK.then(Assistant(calls=(ToolCall("f", {}), ToolCall("g", {}))), Observation("x"))
    assert [result is None for _, result in answered(open_)][-2:] == [False, True]


def test_a_model_can_be_asked_for_the_state() -> None:
    engine = Scripted(['{"flight-to": "Bath", "flight-book day": "monday"}', "no idea"])
    read = asked(Model(engine, format_of("chatml", "json")), [Slot("flight-to", "where to")])
    assert read(TALK) == State("flight", {"flight": {"to": "Bath", "book day": "monday"}})
    assert "flight-to: where to" in engine.seen[0]
    assert "User: No, to Bath." in engine.seen[0]
    assert read(TALK.then(User("hm"))) == State()


def test_the_model_is_asked_for_the_state_once_a_user_turn() -> None:
    engine = Scripted(['{"flight-to": "Bath"}'])
    read = asked(Model(engine, format_of("chatml", "json")), [Slot("flight-to", "where to")])
    assert read(TALK.until(1)) == State()  # nobody has said anything
    assert not engine.seen
    assert read(TALK.until(8)) == read(TALK.until(7)) == State("flight", {"flight": {"to": "Bath"}})
    assert len(engine.seen) == 1


def test_history_holds_what_both_sides_said() -> None:
    assert history(TALK) == [("", "To Ely, tomorrow."), ("Number 7?", "No, to Bath.")]


def test_values_are_said_as_people_read_them() -> None:
    values: list[Json] = ["a", True, 2, ["x", 1], {"k": None}]
    assert [said(v) for v in values] == [
        "a",
        "yes",
        "2",
        "x, 1",
        '{"k": null}',
    ]
