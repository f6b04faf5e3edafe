"""CRA from annotations: real calls, real results, true thoughts, and a check of its own."""

import json
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from coalm.corpora import sgd
from coalm.cra.annotated import annotated, made, read
from coalm.cra.check import check
from coalm.cra.select import Selection
from coalm.formats import format_of
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Assistant, Observation, Sample, User

FOLDER = MINIATURE / "sgd/train"
MINI = Found(SOURCES["sgd"], MINIATURE, "miniature")
SERVICES = sgd.schema(FOLDER)
DIALOGUES = {d.id: d for d in sgd.dialogues(FOLDER)}
FERRY = DIALOGUES["1_00002"]


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
    assert "3 results" in spoke.thought
    assert "07:15" in spoke.thought


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


def test_a_thought_before_a_call_says_what_was_just_given_and_what_it_means() -> None:
    before = annotated(FERRY, SERVICES).dialogue.turns[4]
    assert isinstance(before, Assistant)
    assert "FindFerry" in before.thought
    assert "tomorrow" in before.thought
    assert "2019-03-02" in before.thought


def test_thoughts_vary_and_are_always_the_same() -> None:
    made = [annotated(d, SERVICES) for d in DIALOGUES.values()]
    thoughts = Counter(
        t.thought for s in made for t in s.dialogue.turns if isinstance(t, Assistant)
    )

    assert thoughts.most_common(1)[0][1] <= 2
    assert len(thoughts) > 0.9 * thoughts.total()
    assert max(len(thought.split()) for thought in thoughts) <= 60
    assert made == [annotated(d, SERVICES) for d in DIALOGUES.values()]


def test_no_blank_of_a_thought_stays_open() -> None:
    for dialogue in DIALOGUES.values():
        for turn in annotated(dialogue, SERVICES).dialogue.turns:
            if isinstance(turn, Assistant):
                assert not set("[]{}|") & set(turn.thought), turn.thought
                assert "  " not in turn.thought


def test_a_failed_call_is_told_by_what_its_result_has_instead() -> None:
    def later(frame: sgd.Frame) -> sgd.Frame:
        if frame.call is None or frame.call.name != "BuyFerryTicket":
            return frame
        acts = (sgd.Act("NOTIFY_FAILURE", "", ()), sgd.Act("REQ_MORE", "", ()))
        results = tuple({**r, "sailing_time": "21:00"} for r in frame.results)
        return replace(frame, acts=acts, results=results)

    exchanges = tuple(
        replace(e, system=replace(e.system, frames=tuple(map(later, e.system.frames))))
        for e in FERRY.exchanges
    )
    sample = annotated(replace(FERRY, exchanges=exchanges), SERVICES)
    after = sample.dialogue.turns[14]
    assert isinstance(after, Assistant)
    assert "the sailing time is 21:00 and not 18:05" in after.thought


def _two_of_one_name() -> tuple[sgd.SgdDialogue, dict[str, sgd.Service]]:
    """A dialogue of two ferry services."""
    second = replace(SERVICES["Ferries_1"], name="Ferries_2")
    return replace(FERRY, services=("Ferries_1", "Ferries_2"), exchanges=_with_second()), {
        **SERVICES,
        "Ferries_2": second,
    }


def _with_second() -> tuple[sgd.Exchange, ...]:
    last = FERRY.exchanges[-1]
    frames = (*last.user.frames, sgd.Frame("Ferries_2", ()))
    return (*FERRY.exchanges[:-1], replace(last, user=replace(last.user, frames=frames)))


def test_tools_that_two_services_share_are_told_apart() -> None:
    dialogue, services = _two_of_one_name()
    sample = annotated(dialogue, services)
    names = [tool.name for tool in sample.dialogue.tools]
    called = [c.name for t in sample.dialogue.turns if isinstance(t, Assistant) for c in t.calls]

    assert len(set(names)) == len(names)
    assert called == ["Ferries_1_FindFerry", "Ferries_1_BuyFerryTicket"]
    assert check(sample, dialogue, services) == ()


def test_without_telling_them_apart_such_a_dialogue_is_turned_down() -> None:
    dialogue, services = _two_of_one_name()
    found = made(dialogue, services, apart=False)
    assert not isinstance(found, Sample)
    assert found[0].kind == "broken form"


def test_a_dialogue_becomes_its_sample_or_the_reasons() -> None:
    assert made(FERRY, SERVICES) == annotated(FERRY, SERVICES)
    assert made(FERRY, SERVICES, 2, split="dev") == annotated(FERRY, SERVICES, 2, split="dev")


def test_only_the_chosen_services_are_read() -> None:
    ferries = list(read(MINI, selection=Selection(services=frozenset({"Ferries_1"}))))
    none = list(read(MINI, selection=Selection(without_domains=frozenset({"ferrie"}))))

    assert {s.id.rpartition("/")[2] for s in ferries} == {"1_00002"}
    assert len(none) == 6


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


@pytest.mark.data
@pytest.mark.slow
def test_of_300_real_dialogues_95_in_100_pass_and_no_thought_is_the_reason() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    dialogues = islice(sgd.dialogues(path), 0, 6000, 20)
    wrong = [check(annotated(d, services), d, services) for d in dialogues]
    reasons = Counter(str(found[0]) for found in wrong if found)

    assert sum(not found for found in wrong) >= 0.95 * len(wrong)
    assert set(reasons) <= {"answer disagrees", "unseen entity", "missing argument"}


@pytest.mark.data
@pytest.mark.slow
def test_real_thoughts_hardly_ever_repeat() -> None:
    path = find("sgd").path(sgd.ARCHIVE)
    services = sgd.schema(path)
    thoughts = Counter(
        turn.thought
        for dialogue in islice(sgd.dialogues(path), 0, 6000, 20)
        for turn in annotated(dialogue, services).dialogue.turns
        if isinstance(turn, Assistant)
    )
    assert len(thoughts) > 0.9 * thoughts.total()
    assert thoughts.most_common(1)[0][1] < 0.01 * thoughts.total()
