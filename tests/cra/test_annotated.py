"""CRA from annotations: real calls, real results, true thoughts, and a check of its own."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest

from coalm.corpora import sgd
from coalm.cra.annotated import annotated, read
from coalm.cra.check import check
from coalm.formats import format_of
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Observation, Sample, ToolCall, Turn, User

FOLDER = MINIATURE / "sgd/train"
MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(FOLDER)
DIALOGUES = {d.id: d for d in sgd.dialogues(FOLDER)}
FERRY = DIALOGUES["1_00002"]


def _changed(sample: Sample, change: Callable[[Turn], Turn]) -> Sample:
    turns = tuple(change(turn) for turn in sample.dialogue.turns)
    return replace(sample, dialogue=replace(sample.dialogue, turns=turns))


def test_every_miniature_dialogue_passes_its_check() -> None:
    skipped: list[str] = []
    rows = list(read(MINI, skip=skipped.append))

    assert len(rows) == 8
    assert not skipped
    assert {s.dialect for s in rows} == {"react"}


def test_a_call_comes_with_its_thought_and_is_followed_by_result_thought_and_words() -> None:
    turns = annotated(FERRY, SERVICES).dialogue.turns
    asked, called, seen, spoke = turns[3:7]

    assert asked == User("Tomorrow.")
    assert isinstance(called, Assistant)
    assert called.calls[0].arguments["sailing_date"] == "2019-03-02"
    assert called.thought
    assert not called.text
    assert isinstance(seen, Observation)
    assert json.loads(seen.text)["count"] == 3
    assert isinstance(spoke, Assistant)
    assert spoke.text == "One leaves at 7:15 am and costs 12 a person."
    assert "7:15 am" in spoke.thought


def test_what_the_system_offers_later_was_shown_before() -> None:
    seen = annotated(FERRY, SERVICES).dialogue.turns[5]
    assert isinstance(seen, Observation)
    assert [r["sailing_time"] for r in json.loads(seen.text)["results"]] == [
        "07:15",
        "11:40",
        "18:05",
    ]


def test_a_thought_without_a_call_says_what_is_missing() -> None:
    first = annotated(FERRY, SERVICES).dialogue.turns[2]
    assert isinstance(first, Assistant)
    assert "FindFerry" in first.thought
    assert "sailing date" in first.thought


def test_thoughts_vary_and_are_always_the_same() -> None:
    made = [annotated(d, SERVICES) for d in DIALOGUES.values()]
    thoughts = Counter(
        t.thought for s in made for t in s.dialogue.turns if isinstance(t, Assistant)
    )

    assert thoughts.most_common(1)[0][1] < 6
    assert len(thoughts) > 25
    assert max(len(thought.split()) for thought in thoughts) <= 25
    assert made == [annotated(d, SERVICES) for d in DIALOGUES.values()]


def test_fewer_turns_bring_fewer_services() -> None:
    both = annotated(DIALOGUES["2_00001"], SERVICES)
    short = annotated(DIALOGUES["2_00001"], SERVICES, 2)

    assert {t.name for t in both.dialogue.tools} > {t.name for t in short.dialogue.tools}
    assert sum(isinstance(t, User) for t in short.dialogue.turns) == 2
    assert check(short, DIALOGUES["2_00001"], SERVICES) == ()


def test_every_dialect_can_write_these_dialogues() -> None:
    for name in ("react", "hermes", "json", "pythonic"):
        for sample in read(MINI):
            assert format_of("chatml", name).examples(sample.dialogue)


def _other_argument(turn: Turn) -> Turn:
    match turn:
        case Assistant(calls=(call, *_)):
            return replace(turn, calls=(ToolCall(call.name, {**call.arguments, "colour": "red"}),))
    return turn


def _fewer_arguments(turn: Turn) -> Turn:
    match turn:
        case Assistant(calls=(call, *_)):
            return replace(turn, calls=(ToolCall(call.name, {}),))
    return turn


def _other_name(turn: Turn) -> Turn:
    match turn:
        case Assistant(calls=(call, *_)):
            return replace(turn, calls=(ToolCall("FlyAway", call.arguments),))
    return turn


def _other_result(turn: Turn) -> Turn:
    match turn:
        case Observation(text, tool):
            return Observation(text.replace("Nessport", "Elsewhere"), tool)
    return turn


def _other_count(turn: Turn) -> Turn:
    match turn:
        case Observation(text, tool):
            return Observation(text.replace('"count":3', '"count":9'), tool)
    return turn


def _other_words(turn: Turn) -> Turn:
    match turn:
        case Assistant(text=text) if text:
            return replace(turn, text=text + " Really.")
    return turn


def _no_thought(turn: Turn) -> Turn:
    return replace(turn, thought="") if isinstance(turn, Assistant) else turn


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_other_argument, "an argument that the tool does not have"),
        (_fewer_arguments, "a call without a required argument"),
        (_other_name, "a call of a tool that is not listed"),
        (_other_result, "a result other than the service's"),
        (_other_count, "a result other than the service's"),
        (_other_words, "words that were not said"),
        (_no_thought, "a turn without a thought"),
    ],
)
def test_the_check_catches_what_is_changed(change: Callable[[Turn], Turn], reason: str) -> None:
    sample = annotated(FERRY, SERVICES)
    assert check(sample, FERRY, SERVICES) == ()
    assert reason in check(_changed(sample, change), FERRY, SERVICES)


def test_the_check_catches_an_offer_that_no_result_holds() -> None:
    sample = annotated(FERRY, SERVICES)

    def narrow(turn: Turn) -> Turn:
        if isinstance(turn, Observation) and '"count":3' in turn.text:
            seen = json.loads(turn.text)
            return Observation(json.dumps({**seen, "results": seen["results"][:1]}), turn.tool)
        return turn

    assert check(_changed(sample, narrow), FERRY, SERVICES) == ("an offer that no result holds",)


def test_the_check_catches_a_value_outside_of_its_closed_list() -> None:
    exchange = FERRY.exchanges[1]
    frame = exchange.system.frames[0]
    assert frame.call is not None
    odd = replace(frame, call=ToolCall("FindFerry", {**frame.call.arguments, "cabin": "sofa"}))
    system = replace(exchange.system, frames=(odd,))
    changed = replace(exchange, system=system)
    dialogue = replace(FERRY, exchanges=(FERRY.exchanges[0], changed, *FERRY.exchanges[2:]))

    assert check(annotated(dialogue, SERVICES), dialogue, SERVICES) == (
        "an argument outside of its closed list",
    )


@pytest.mark.data
def test_of_200_real_dialogues_at_least_99_in_100_pass() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    dialogues = list(islice(sgd.dialogues(path), 200))
    wrong = [check(annotated(d, services), d, services) for d in dialogues]

    assert sum(not reasons for reasons in wrong) >= 198
