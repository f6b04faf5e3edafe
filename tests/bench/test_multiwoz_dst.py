"""MultiWOZ state tracking: what a model is shown, and how its state is scored."""

import copy
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.bench.base import Verdict
from coalm.bench.multiwoz import MultiWozDst, TurnCase, held_out_texts
from coalm.bench.multiwoz.slots import CLOSED, NAMES, SLOTS
from coalm.bench.multiwoz.turns import read_turns
from coalm.bench.stats import Scored
from coalm.corpora.states import write_state
from coalm.engines import Model
from coalm.engines.scripted import Scripted
from coalm.errors import DataError
from coalm.formats import DIALECTS, format_of, plain
from coalm.sources import MINIATURE, SOURCES, Found
from coalm.types import Assistant, User

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
BENCH = MultiWozDst(SMALL)
CASE = TurnCase(
    "X1",
    2,
    (("", "a cheap hotel in the north ."), ("the old mill ?", "yes , for 2 people .")),
    {
        "hotel-area": "north",
        "hotel-pricerange": "cheap",
        "hotel-name": "old mill",
        "hotel-book people": "2",
    },
)
EMPTY = TurnCase("X2", 0, (("", "hello"),), {})


def saying(text: str, case: TurnCase = CASE, dialect: str = "json") -> Reply:
    model = Model(Scripted([text]), format_of("chatml", dialect))
    return Agent(model, max_steps=1).reply(BENCH.opening(case))


def counts(scores: Mapping[str, float], way: str = "") -> dict[str, float]:
    names = ("joint", "tp", "fp", "fn", "slot_accuracy")
    return {name: scores[f"{way}{name}"] for name in names}


def scored(state: dict[str, str], case: TurnCase = CASE) -> Verdict:
    return BENCH.score(case, saying(write_state(state), case))


def test_a_case_is_a_turn_with_all_that_was_said_before() -> None:
    first, second = BENCH.cases()[:2]

    assert (first.dialogue, first.turn, len(first.history)) == ("MINI0001", 0, 1)
    assert second.history[:1] == first.history
    assert [BENCH.id(c) for c in (first, second)] == ["MINI0001#0", "MINI0001#1"]
    assert len({BENCH.id(c) for c in BENCH.cases()}) == len(BENCH.cases()) == 25


def test_the_turns_of_one_dialogue_are_one_source_for_the_intervals() -> None:
    for case in BENCH.cases():
        assert Scored(BENCH.id(case), "", {}).source == case.dialogue


def test_the_parts_are_depths() -> None:
    assert Counter(map(BENCH.part, BENCH.cases())) == {"1-2": 12, "3-5": 11, "6+": 2}


def test_the_prompt_lists_every_slot_and_ends_with_what_the_user_said() -> None:
    system, asked = BENCH.opening(CASE).turns

    for name in NAMES:
        assert f"\n{name}: " in system.text
    assert isinstance(asked, User)
    assert asked.text.endswith("User: yes , for 2 people .")


def test_the_slots_are_those_of_the_ontology() -> None:
    path = SMALL.path("multiwoz/mwz24/ontology.json")
    known: dict[str, list[str]] = json.loads(path.read_text())

    assert set(known) - {"hospital-department"} == NAMES
    assert len(SLOTS) == 30


def test_gold_is_perfect_on_every_metric() -> None:
    rows = [(BENCH.part(c), BENCH.score(c, BENCH.gold_reply(c)).scores) for c in BENCH.cases()]

    assert {m.of(rows) for m in BENCH.about.metrics} == {100.0}


@pytest.mark.parametrize("case", [CASE, EMPTY])
def test_silence_is_zero_on_every_metric_even_where_nothing_was_settled(case: TurnCase) -> None:
    for silence in (saying("", case), Reply(BENCH.opening(case), "spoke")):
        verdict = BENCH.score(case, silence)

        assert verdict.kind == "format"
        assert {m.of([(BENCH.part(case), verdict.scores)]) for m in BENCH.about.metrics} == {0.0}
        assert verdict.scores["fn"] == len(case.state)


def test_an_empty_object_is_right_where_nothing_was_settled() -> None:
    scores = scored({}, EMPTY).scores

    assert counts(scores) == {"joint": 1, "tp": 0, "fp": 0, "fn": 0, "slot_accuracy": 1}
    assert counts(scores, "fuzzy_") == counts(scores)


def test_one_wrong_slot_spoils_the_turn_and_costs_a_slot_on_both_sides() -> None:
    verdict = scored({**CASE.state, "hotel-area": "south"})

    assert verdict.kind == "wrong state"
    assert verdict.note == "hotel-area is 'north', not 'south'"
    assert counts(verdict.scores) == {
        "joint": 0.0,
        "tp": 3.0,
        "fp": 1.0,
        "fn": 1.0,
        "slot_accuracy": pytest.approx(29 / 30),
    }


def test_a_name_that_holds_the_right_one_is_right_only_fuzzily() -> None:
    verdict = scored({**CASE.state, "hotel-name": "the old mill"})

    assert verdict.kind == "wrong state"
    assert counts(verdict.scores)["joint"] == 0
    assert counts(verdict.scores, "fuzzy_") == {
        "joint": 1,
        "tp": 4,
        "fp": 0,
        "fn": 0,
        "slot_accuracy": 1,
    }


def test_a_domain_is_judged_by_its_slots_in_all_turns_of_its_dialogue() -> None:
    mixed = [case for case in BENCH.cases() if case.dialogue == "MINI0004"]
    gold = [BENCH.score(case, BENCH.gold_reply(case)).scores for case in mixed]
    late = [BENCH.score(c, saying(write_state({"taxi-leaveat": "09:00"}), c)).scores for c in mixed]

    assert sum(scores["taxi_turns"] for scores in gold) == len(mixed)
    assert not any("train_turns" in scores for scores in gold)
    assert sum(scores["taxi_joint"] for scores in late) == 0
    assert all(scores["taxi_joint"] for scores in gold)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"hotel-area": ""}, "missing information"),
        ({"hotel-name": "grand palace"}, "hallucinated entity"),
        ({"hotel-name": "mill"}, "wrong state"),
        ({"hotel-name": "heap"}, "hallucinated entity"),
        ({"hotel-name": "old mil"}, "hallucinated entity"),
        ({"hotel-type": "guest house"}, "wrong state"),
        ({"hotel-stars": "4"}, "wrong state"),
        ({"train-leaveat": "18:00"}, "wrong state"),
        ({"hotel-book people": "7"}, "wrong state"),
        ({"restaurant-food": "dontcare"}, "wrong state"),
        ({"hotel-colour": "north"}, "wrong state"),
    ],
)
def test_a_mistake_has_a_kind(change: dict[str, str], kind: str) -> None:
    verdict = scored({**CASE.state, **change})

    assert (verdict.kind, verdict.scores["joint"]) == (kind, 0.0)
    assert verdict.note


def test_a_long_list_of_mistakes_is_cut_short() -> None:
    verdict = scored(dict.fromkeys(sorted(NAMES), "x"))

    assert verdict.note.endswith("; and 26 more")


def test_a_slot_that_does_not_exist_is_a_false_positive() -> None:
    verdict = scored({**CASE.state, "hotel-colour": "red"})

    assert (verdict.scores["fp"], verdict.scores["slot_accuracy"]) == (1.0, 1.0)


def test_a_state_is_read_even_where_the_dialect_took_it_for_a_call() -> None:
    text = '{"name": "hotel-area", "arguments": {}}'

    assert saying(text).said[0].turn == format_of("chatml", "json").read(text)
    assert BENCH.score(CASE, saying(text)).kind == "hallucinated entity"


def test_a_state_is_read_even_where_the_dialect_gave_up() -> None:
    text = f"Action: none\n{write_state(CASE.state)}"
    reply = saying(text, dialect="react")

    assert reply.ended == "malformed"
    assert BENCH.score(CASE, reply).kind == ""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_state_is_read_in_every_dialect(dialect: str) -> None:
    turn = Assistant(write_state(CASE.state))
    text = format_of("chatml", dialect).dialect.write(turn)

    assert BENCH.score(CASE, saying(text, dialect=dialect)).kind == ""


def test_a_reply_without_completions_is_read_from_its_dialogue() -> None:
    reply = Reply(BENCH.opening(CASE).then(Assistant(write_state(CASE.state))), "spoke")

    assert BENCH.score(CASE, reply).kind == ""


def test_what_the_world_prevented_is_not_called_wrong() -> None:
    reply = Reply(BENCH.opening(CASE), "unanswered", why="time-out")

    assert BENCH.score(CASE, reply).kind == "not answered"


@given(st.text(max_size=80), st.sampled_from(sorted(DIALECTS)))
def test_garbage_is_scored_and_changes_nothing(text: str, dialect: str) -> None:
    reply = saying(text, dialect=dialect)
    before = copy.deepcopy((CASE, reply))

    assert BENCH.score(CASE, reply).scores["joint"] == 0.0
    assert (CASE, reply) == before


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"dialogue_id": "A", "turns": []}\n{"dialogue_id": "B", "turns": [{}]}\n')

    with pytest.raises(DataError, match=r"test\.jsonl:2"):
        list(read_turns(path))


def test_every_user_utterance_is_held_out() -> None:
    texts = list(held_out_texts(SMALL))

    assert len(texts) == 25
    assert "perfect , that is all . goodbye ." in texts


# --- the real data ------------------------------------------------------------------------


@pytest.mark.data
def test_the_real_test_set_has_999_dialogues_and_7368_turns() -> None:
    bench = MultiWozDst(sources.find("multiwoz"))
    cases = bench.cases()

    assert (bench.about.version, len(cases)) == ("2.4", 7368)
    assert len({case.dialogue for case in cases}) == 999
    assert sum(value == "dontcare" for case in cases for value in case.state.values()) == 1713


@pytest.mark.data
def test_every_real_gold_state_is_within_the_thirty_slots_and_scores_one() -> None:
    bench = MultiWozDst(sources.find("multiwoz"))

    for case in bench.cases():
        assert set(case.state) <= NAMES
        assert bench.score(case, bench.gold_reply(case)).kind == ""


@pytest.mark.data
def test_closed_slots_are_closed_in_the_real_states() -> None:
    odd = {
        (slot, value)
        for case in MultiWozDst(sources.find("multiwoz")).cases()
        for slot, values in case.state.items()
        for value in values.split("|")
        if value not in CLOSED.get(slot, {value}) and value != "dontcare"
    }

    assert odd == {("restaurant-book day", "tomorrow")}


@pytest.mark.data
def test_the_empty_state_is_right_in_110_real_turns() -> None:
    bench = MultiWozDst(sources.find("multiwoz"))
    joint = sum(
        bench.score(c, Reply(bench.opening(c).then(Assistant("{}")), "spoke")).scores["joint"]
        for c in bench.cases()
    )

    assert joint == 110


@pytest.mark.data
def test_a_real_prompt_ends_before_the_assistant_speaks() -> None:
    bench = MultiWozDst(sources.find("multiwoz"))
    text = plain(format_of("chatml", "json").prompt(bench.opening(bench.cases()[1])))

    assert text.endswith("<|im_start|>assistant\n")
    assert text.count("User: ") == 2
