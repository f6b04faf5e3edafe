"""The check of CRA samples: each rule catches its error, and sound variants pass."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from coalm.corpora import sgd
from coalm.cra.annotated import annotated
from coalm.cra.check import Finding, check
from coalm.sources import MINIATURE
from coalm.types import Assistant, Dialogue, Observation, Sample, ToolCall, Turn, User

FOLDER = MINIATURE / "sgd/train"
SERVICES = sgd.schema(FOLDER)
DIALOGUES = {d.id: d for d in sgd.dialogues(FOLDER)}
FERRY = DIALOGUES["1_00002"]
SAMPLE = annotated(FERRY, SERVICES)
ASK, CALL, SEEN, OFFER, KNOWN, CONFIRM, BUY, BOUGHT, BYE = 2, 4, 5, 6, 8, 10, 12, 14, 16
"""The numbers of the sample's turns."""


def _with(place: int, turn: Turn) -> Sample:
    turns = [*SAMPLE.dialogue.turns]
    turns[place] = turn
    return replace(SAMPLE, dialogue=replace(SAMPLE.dialogue, turns=tuple(turns)))


def _assistant(place: int) -> Assistant:
    turn = SAMPLE.dialogue.turns[place]
    assert isinstance(turn, Assistant)
    return turn


def _call(place: int = CALL, name: str = "", **changed: object) -> Sample:
    turn = _assistant(place)
    call = turn.calls[0]
    arguments = {k: v for k, v in (dict(call.arguments) | changed).items() if v is not None}
    return _with(place, replace(turn, calls=(ToolCall(name or call.name, arguments),)))  # type: ignore[arg-type]


def _thought(place: int, text: str) -> Sample:
    return _with(place, replace(_assistant(place), thought=text))


def _words(place: int, text: str) -> Sample:
    return _with(place, replace(_assistant(place), text=text))


def _result(change: Callable[[dict[str, object]], object]) -> Sample:
    turn = SAMPLE.dialogue.turns[SEEN]
    assert isinstance(turn, Observation)
    seen = json.loads(turn.text)
    change(seen)
    return _with(SEEN, replace(turn, text=json.dumps(seen)))


def _found(sample: Sample) -> list[Finding]:
    return list(check(sample, FERRY, SERVICES))


def test_the_turns_are_where_the_tests_look_for_them() -> None:
    assert [_assistant(n).calls[0].name for n in (CALL, BUY)] == ["FindFerry", "BuyFerryTicket"]
    assert not _found(SAMPLE)


@pytest.mark.parametrize(
    ("sample", "kind", "note"),
    [
        (_call(name="FlyAway"), "undefined call", "FlyAway is not listed"),
        (_call(name="find_ferry"), "undefined call", "find_ferry is not listed"),
        (_call(to_port=None), "missing argument", "to_port is required"),
        (_call(sailing_date=20190302), "wrong type", "is int and not string"),
        (_call(to_port=["Alder Isle"]), "wrong type", "is list and not string"),
        (_call(BUY, passengers=2), "wrong type", "is int and not string"),
        (_call(cabin="sofa"), "wrong type", "is none of"),
        (_call(colour="red"), "invented argument", "there is no argument colour"),
        (_call(to_port="Harwell Bay"), "invented argument", "'Alder Isle' in the dialogue"),
        (_call(cabin="berth"), "invented argument", "nobody gave cabin"),
        (_call(BUY, passengers="3"), "invented argument", "not '3'"),
        (_result(lambda r: r.update(count=9)), "unequal observation", "returned 3"),
        (_result(lambda r: r.update(results=[])), "unequal observation", "no result is shown"),
        (
            _result(lambda r: r["results"][0].update(fare="99")),  # type: ignore[index]
            "unequal observation",
            "did not return",
        ),
        (
            _result(lambda r: r["results"].reverse()),  # type: ignore[attr-defined]
            "unequal observation",
            "did not return",
        ),
        (_words(OFFER, "One leaves at 9:45 am for 12."), "unseen entity", "time 09:45"),
        (_words(OFFER, "Take the Silver Gull, it leaves 7:15 am."), "unseen entity", "name gull"),
        (_words(BOUGHT, "Done, call 555-123-4567 for help."), "unseen entity", "phone 5551234567"),
        (_thought(CALL, ""), "broken form", "without a thought"),
        (_with(3, User("Next week.")), "broken form", "did not say"),
        (_with(SEEN, Observation("no JSON", "FindFerry")), "unequal observation", "not a JSON"),
    ],
)
def test_an_error_is_found_at_its_turn(sample: Sample, kind: str, note: str) -> None:
    found = _found(sample)
    assert [f for f in found if f.kind == kind and note in f.note], found
    assert str(found[0]) == found[0].kind


@pytest.mark.parametrize(
    ("place", "thought", "note"),
    [
        (CALL, "I still need the sailing date before FindFerry can run.", "missing"),
        (CALL, "No call is needed, I can answer about the sailing date.", "nothing is called"),
        (CALL, "With these details I use FindMuseum.", "names FindMuseum"),
        (CALL, "FindFerry can run for 2019-03-09, as the user wished.", "date 2019-03-09"),
        (CALL, "The user thanked me, so FindFerry is called.", "thanks"),
        (CALL, "The user said yes, so I call FindFerry.", "a yes that was not said"),
        (CALL, "Something nice is about to happen.", "says nothing of FindFerry"),
        (CALL, "The user gave the cabin, so FindFerry is ready.", "gave cabin"),
        (CALL, "With the from port (Alder Isle) I call FindFerry.", "from_port"),
        (CALL, "I look at the 3 results of FindFerry.", "before the call"),
        (ASK, "Everything is known, so I call FindFerry now.", "announces a call"),
        (ASK, "FindFerry still lacks the from port, so I ask.", "from_port is missing"),
        (ASK, "The user is done; I say goodbye.", "goodbye"),
        (ASK, "BuyFerryTicket went through, as wished.", "success"),
        (OFFER, "FindFerry returned 7 results.", "speaks of 7 results, of 3"),
        (OFFER, "There are no results, so FindFerry found nothing.", "nothing came back"),
        (OFFER, "All is well and done here.", "says nothing of what came back"),
        (BOUGHT, "BuyFerryTicket failed for passengers = 2.", "a failure that is none"),
        (CONFIRM, "The user wants more; I say goodbye.", "goodbye"),
        (
            CALL,
            "A no to my summary, so FindFerry runs with another date.",
            "a no that was not said",
        ),
    ],
)
def test_a_thought_that_is_not_so_is_found(place: int, thought: str, note: str) -> None:
    found = [f for f in _found(_thought(place, thought)) if f.kind == "thought disagrees"]
    assert any(note in f.note for f in found), found
    assert all(f.turn == place for f in found)


@pytest.mark.parametrize(
    ("place", "thought"),
    [
        (ASK, "I need to know when they want to sail: the sailing date is still missing."),
        (ASK, "FindFerry cannot be called without the sailing date. Let me ask for it."),
        (ASK, "They told me the ports; without a day there is nothing I can look up."),
        (CALL, "Tomorrow is 2019-03-02, so I have what FindFerry wants and can search."),
        (CALL, "The ports and the sailing date are there, time to run FindFerry."),
        (OFFER, "FindFerry lists three ferries; the first at 07:15 costs 12."),
        (KNOWN, "The user wants a later one. The last in the FindFerry results leaves 18:05."),
        (CONFIRM, "I have all for BuyFerryTicket; buying is final, so I ask the user to confirm."),
        (BUY, "They confirmed, so BuyFerryTicket can be called for 2 passengers at 18:05."),
        (BOUGHT, "The purchase at 18:05 worked. I tell the user."),
        (ASK, "Alder Isle is settled as the to port. I need the sailing date, so I ask for it."),
        (KNOWN, "FindFerry's result has it already, so no new API call is necessary: 18:05."),
        (KNOWN, "That was returned before, so I repeat 18:05 from the FindFerry result."),
        (OFFER, "FindFerry shows 07:15 first; there is no cabin on it, so I say so."),
        (BYE, "They say farewell, so I answer in kind."),
    ],
)
def test_sound_thoughts_of_another_writer_pass(place: int, thought: str) -> None:
    assert not _found(_thought(place, thought))


def test_an_answer_may_be_worded_anew() -> None:
    assert not _found(_words(OFFER, "How about the ferry at 7:15 in the morning? It is 12 each."))
    assert not _found(_words(OFFER, "Sailing at 07:15 to Alder Isle, 12 per person."))


def test_a_whole_list_of_results_is_a_sound_observation() -> None:
    results = [dict(r) for r in FERRY.exchanges[1].system.frames[0].results]
    assert not _found(_with(SEEN, Observation(json.dumps(results), "FindFerry")))


def test_a_call_that_sgd_does_not_make_is_found() -> None:
    turns = [*SAMPLE.dialogue.turns]
    more = [*turns[:BYE], turns[BUY], turns[13], *turns[BYE:]]
    sample = replace(SAMPLE, dialogue=replace(SAMPLE.dialogue, turns=tuple(more)))
    assert "not SGD's call" in {f.kind for f in _found(sample)}


def test_a_call_that_is_left_out_is_found() -> None:
    turns = [*SAMPLE.dialogue.turns]
    sample = replace(SAMPLE, dialogue=replace(SAMPLE.dialogue, turns=(*turns[:4], *turns[6:])))
    assert [f.note for f in _found(sample) if f.kind == "not SGD's call"] == [
        "SGD calls FindFerry here"
    ]


def test_an_offer_that_no_shown_result_holds_is_found() -> None:
    cut = _result(lambda r: r.update(results=r["results"][:1]))  # type: ignore[index]
    assert "unseen entity" in {f.kind for f in _found(cut)}


def test_a_success_that_the_result_contradicts_is_found() -> None:
    exchange = FERRY.exchanges[4]
    frame = exchange.system.frames[0]
    other = tuple({**r, "sailing_time": "21:00"} for r in frame.results)
    system = replace(exchange.system, frames=(replace(frame, results=other),))
    wrong = (*FERRY.exchanges[:4], replace(exchange, system=system), *FERRY.exchanges[5:])
    dialogue = replace(FERRY, exchanges=wrong)

    found = check(annotated(dialogue, SERVICES), dialogue, SERVICES)
    assert found[0].kind == "answer disagrees"
    assert "sailing_time is 21:00 and not 18:05" in found[0].note


def test_a_sample_without_turns_is_turned_down_and_not_an_error() -> None:
    empty = replace(SAMPLE, dialogue=Dialogue((), SAMPLE.dialogue.tools))
    assert [f.kind for f in _found(empty)] == ["broken form"]


def test_the_gravest_finding_comes_first() -> None:
    turn = _assistant(CALL)
    both = replace(turn, thought="I say goodbye.", calls=(ToolCall("FlyAway", {}),))
    assert _found(_with(CALL, both))[0].kind == "undefined call"


def test_a_search_offers_what_it_found_and_not_what_an_earlier_one_did() -> None:
    """Real SGD has such turns: "I found 1 song", and it is one of the list before."""
    first, search, later, *rest = FERRY.exchanges
    frame = search.system.frames[0]
    assert frame.call is not None
    other = ToolCall("FindFerry", {**frame.call.arguments, "sailing_date": "2019-03-03"})
    heard = replace(
        later.user.frames[0],
        acts=(sgd.Act("INFORM", "sailing_date", ("Sunday",), ("2019-03-03",)),),
        state={"sailing_date": ("Sunday",), "from_port": ("Nessport",), "to_port": ("Alder Isle",)},
    )
    again = replace(
        later,
        user=sgd.SgdTurn("And on Sunday?", (heard,)),
        system=replace(
            later.system,
            frames=(replace(frame, call=other, results=({**frame.results[0], "fare": "14"},)),),
        ),
    )
    dialogue = replace(FERRY, exchanges=(first, search, again, *rest))

    found = check(annotated(dialogue, SERVICES, 3), dialogue, SERVICES)
    assert [f.note for f in found if f.kind == "unseen entity"] == [
        "fare '12' is in no result that was shown"
    ]
