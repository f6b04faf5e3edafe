"""Prediction files for state tracking: how they are read, and what they score."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm import sources
from coalm.bench.base import precision, recall
from coalm.bench.multiwoz.slots import NAMES
from coalm.bench.multiwoz.state import normalise
from coalm.bench.multiwoz.tracked import (
    DOMAINS,
    added,
    brief_metrics,
    depth,
    domains_of,
    metrics,
    turn_sums,
)
from coalm.bench.multiwoz.tracked_files import (
    Gold,
    Predictions,
    read_gold,
    read_predictions,
    slot_of,
)
from coalm.bench.multiwoz.tracked_score import score_states
from coalm.bench.stats import Scored, figure
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, Found

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")
GOLD: Gold = {
    "sng0001": [
        {},
        {"hotel-area": "north"},
        {"hotel-area": "north", "taxi-leaveat": "05:15", "hotel-name": "a|b"},
    ],
    "mul0002": [{"restaurant-food": "dontcare"}],
}


def line(dialogue: str, turn: object, predict: object) -> str:
    return json.dumps({"dialogue_id": dialogue, "turn_idx": turn, "predict": predict})


def reading(folder: Path, *lines: str) -> Predictions:
    path = folder / "states.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return read_predictions(path, GOLD)


def perfect() -> dict[tuple[str, int], Mapping[str, str] | None]:
    return {
        (dialogue, turn): {slot: value.partition("|")[0] for slot, value in state.items()}
        for dialogue, states in GOLD.items()
        for turn, state in enumerate(states)
    }


@pytest.mark.parametrize("name", ["SNG0001", "SNG0001.json", "sng0001", " sng0001.JSON "])
def test_an_id_may_be_spelled_in_any_usual_way(tmp_path: Path, name: str) -> None:
    assert reading(tmp_path, line(name, 1, {})).states == {("sng0001", 1): {}}


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("hotel-book day", "hotel-book day"),
        ("hotel-bookday", "hotel-book day"),
        ("hotel-book_day", "hotel-book day"),
        ("hotel_book_day", "hotel-book day"),
        ("hotel-day", "hotel-book day"),
        ("Hotel-Book Day", "hotel-book day"),
        ("train-day", "train-day"),
        ("train-people", "train-book people"),
        ("restaurant-time", "restaurant-book time"),
        ("hotel-price range", "hotel-pricerange"),
        ("hotel-price", "hotel-pricerange"),
        ("taxi-leaveAt", "taxi-leaveat"),
        ("taxi-leave at", "taxi-leaveat"),
        ("train-arrive", "train-arriveby"),
        ("train-arriveBy", "train-arriveby"),
        ("hotel.stars", "hotel-stars"),
        ("hotel-colour", None),
        ("hospital-department", None),
        ("area", None),
        ("", None),
    ],
)
def test_a_slot_may_be_spelled_in_any_usual_way(name: str, slot: str | None) -> None:
    assert slot_of(name) == slot


def test_every_slot_is_itself() -> None:
    assert all(slot_of(name) == name for name in NAMES)


def test_states_may_be_flat_or_by_domain(tmp_path: Path) -> None:
    nested = {"hotel": {"area": "north", "book": {"day": "monday"}}, "taxi-leaveat": None}
    found = reading(tmp_path, line("SNG0001", 1, nested)).states

    assert found == {
        ("sng0001", 1): {"hotel-area": "north", "hotel-book day": "monday", "taxi-leaveat": ""}
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(4, "4"), (True, "yes"), (False, "no"), (None, ""), ([], ""), (["a"], "a"), (["a", 2], "a|2")],
)
def test_values_need_not_be_text(tmp_path: Path, value: object, text: str) -> None:
    found = reading(tmp_path, line("SNG0001", 1, {"hotel-stars": value})).states

    assert found == {("sng0001", 1): {"hotel-stars": text}}


def test_one_slot_under_two_names_is_no_hedge(tmp_path: Path) -> None:
    twice = {"hotel-area": "north", "hotel_area": "south"}
    read = reading(tmp_path, line("SNG0001", 1, twice))
    scores = score_states({"sng0001": GOLD["sng0001"]}, read.states, partial=True)

    assert scores.value("JGA") == 0.0
    assert scores.value("Slot recall") == 100.0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ('{"dialogue_id": "SNG0001"', r":2: not a JSON object"),
        ("[]", r":2: not a JSON object: found list"),
        ('{"dialogue_id": "SNG0001", "turn_idx": 1}', r":2: no 'predict'"),
        (line("SNG0002", 0, {}), r":2: no test dialogue 'sng0002'; did you mean 'sng0001'\?"),
        (line("SNG0001", 3, {}), r":2: sng0001 has the turns 0 to 2, not 3"),
        (line("SNG0001", -1, {}), r":2: sng0001 has the turns 0 to 2, not -1"),
        (line("SNG0001", 0, {}), r":2: turn 0 of sng0001 is there already, line 1"),
        (line("SNG0001", "first", {}), r":2: turn_idx must be a whole number"),
        (line("SNG0001", True, {}), r":2: turn_idx must be a whole number"),
        (line("SNG0001", 1.5, {}), r":2: turn_idx must be a whole number"),
        ('{"dialogue_id": 7, "turn_idx": 1, "predict": {}}', r":2: dialogue_id must be a text"),
        (line("SNG0001", 1, "north"), r":2: predict must be an object"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(tmp_path: Path, broken: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        reading(tmp_path, line("SNG0001", 0, {}), broken)


def test_an_empty_or_missing_file_is_no_prediction(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no predictions in it"):
        reading(tmp_path, "")
    with pytest.raises(DataError, match="no such file"):
        read_predictions(tmp_path / "nothing.jsonl", GOLD)


def test_the_dialogue_that_everybody_leaves_out_is_left_out(tmp_path: Path) -> None:
    read = reading(tmp_path, line("PMUL1455", 0, {}), line("SNG0001", 0, {}))

    assert (read.left_out, set(read.states)) == (1, {("sng0001", 0)})


def test_names_that_are_no_slots_are_counted(tmp_path: Path) -> None:
    odd = {"hotel-colour": "red", "hotel-roof": "", "hotel-area": "north"}

    assert reading(tmp_path, line("SNG0001", 1, odd)).odd_slots == {"hotel-colour": 1}


# --- scores -------------------------------------------------------------------------------


def test_gold_is_perfect_whichever_alternative_it_takes() -> None:
    scores = score_states(GOLD, perfect())

    assert {figure.value for figure in scores.figures} == {100.0}
    assert (scores.dialogues, scores.turns, scores.missing) == (2, 4, 0)
    assert scores.mistakes == {}


def test_silence_is_zero_on_every_figure_even_where_nothing_was_settled() -> None:
    for silence in ({}, dict.fromkeys(perfect())):
        scores = score_states(GOLD, silence)

        assert {figure.value for figure in scores.figures} == {0.0}
        assert (scores.turns, scores.missing) == (4, 4)


def test_a_missing_turn_is_wrong_unless_only_part_is_scored() -> None:
    some = {key: state for key, state in perfect().items() if key != ("sng0001", 0)}
    whole, part = score_states(GOLD, some), score_states(GOLD, some, partial=True)

    assert (whole.value("JGA"), whole.turns) == (75.0, 4)
    assert (part.value("JGA"), part.turns, part.missing) == (100.0, 3, 1)


def test_figures_are_of_the_turns_they_say() -> None:
    said = perfect() | {("sng0001", 2): {"hotel-area": "north", "hotel-name": "the b"}}
    scores = score_states(GOLD, said)

    assert scores.value("JGA") == 75.0
    assert scores.value("JGA (turns 1-2)") == 100.0
    assert scores.value("JGA (turns 3-5)") == 0.0
    assert scores.value("JGA hotel") == pytest.approx(200 / 3)
    assert scores.value("JGA fuzzy hotel") == 100.0
    assert scores.value("JGA taxi") == pytest.approx(200 / 3)
    assert scores.value("JGA restaurant") == 100.0
    assert "JGA train" not in {figure.name for figure in scores.figures}
    assert scores.value("Slot recall") == 60.0
    assert scores.value("Slot precision") == 75.0
    assert scores.value("Slot recall fuzzy") == 80.0
    assert scores.mistakes == {"hotel-name": {"wrong": 1}, "taxi-leaveat": {"forgotten": 1}}


def test_a_domain_is_counted_over_all_turns_of_its_dialogues() -> None:
    counted = {f.name: f.n for f in score_states(GOLD, perfect()).figures}

    assert (counted["JGA hotel"], counted["JGA restaurant"], counted["JGA"]) == (1, 1, 2)
    early = score_states(GOLD, perfect() | {("sng0001", 0): {"taxi-leaveat": "05:15"}})
    assert early.value("JGA taxi") == pytest.approx(200 / 3)


def test_a_normalisation_changes_what_it_says() -> None:
    said = perfect() | {
        ("sng0001", 2): {"hotel-area": "north", "taxi-leaveat": "5:15", "hotel-name": "a"}
    }

    assert score_states(GOLD, said).value("JGA") == 75.0
    assert score_states(GOLD, said, normalise(["times"])).value("JGA") == 100.0


def test_the_depths_are_counted_from_one() -> None:
    assert [depth(turn) for turn in range(7)] == ["1-2", "1-2", *["3-5"] * 3, "6+", "6+"]


def test_the_domains_are_those_of_the_gold_states() -> None:
    assert DOMAINS == ("attraction", "hotel", "restaurant", "taxi", "train")
    assert domains_of(GOLD["sng0001"]) == ("hotel", "taxi")
    assert domains_of([]) == ()


def test_a_runs_table_has_every_joint_figure_and_the_strict_slots() -> None:
    brief, whole = brief_metrics(), metrics()

    assert [m.name for m in brief][:2] == ["JGA", "Slot F1"]
    assert {m.name for m in whole if m.name.startswith("JGA")} <= {m.name for m in brief}
    assert {"Slot precision", "Slot recall", "Slot accuracy"} <= {m.name for m in brief}
    assert set(brief) < set(whole)
    assert len({m.name for m in whole}) == len(whole) == 36


def test_a_figure_over_some_cases_says_how_many_they_are() -> None:
    rows = [Scored("a", "", {"taxi_turns": 2.0, "taxi_joint": 1.0}), Scored("b", "", {})]
    [taxi] = [metric for metric in metrics() if metric.name == "JGA taxi"]
    [train] = [metric for metric in metrics() if metric.name == "JGA train"]

    assert (figure(rows, taxi).value, figure(rows, taxi).n) == (50.0, 1)
    assert figure(rows, train).n == 0


def test_precision_and_recall_are_ratios_of_sums() -> None:
    rows = [("", {"tp": 3.0, "fp": 1.0, "fn": 3.0}), ("", {"tp": 0.0, "fn": 2.0})]

    assert precision("P").of(rows) == 75.0
    assert recall("R").of(rows) == 37.5
    assert precision("P").of(rows[1:]) == 0.0


_VALUES = st.sampled_from(["north", "dontcare", "a", "a|b", "the a", "", "none"])
_STATES = st.dictionaries(st.sampled_from(["hotel-area", "hotel-name", "taxi-x"]), _VALUES)


@given(gold=_STATES, said=_STATES | st.none(), turn=st.integers(0, 9))
def test_the_sums_of_a_turn_hold_together(
    gold: dict[str, str], said: dict[str, str] | None, turn: int
) -> None:
    sums, match = turn_sums(gold, said, normalise(), turn=turn, domains=["hotel"])

    assert sums["joint"] <= sums["fuzzy_joint"]
    assert sums["tp"] <= sums["fuzzy_tp"]
    assert sums["tp"] + sums["fn"] == sums["fuzzy_tp"] + sums["fuzzy_fn"]
    assert sums["joint"] == float(said is not None and match.joint)
    assert sums["hotel_joint"] >= sums["joint"]
    assert sums["joint"] == sums[f"joint {depth(turn)}"]
    assert added([sums, sums]) == {name: 2 * value for name, value in sums.items()}


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(predict=st.dictionaries(st.sampled_from([*sorted(NAMES)[:4], "hotel", "?"]), _JSON))
def test_no_predicted_object_is_trouble(
    predict: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "states.jsonl"
    path.write_text(line("SNG0001", 1, predict) + "\n")
    scores = score_states(GOLD, read_predictions(path, GOLD).states)

    assert 0.0 <= scores.value("Slot accuracy") <= 100.0


# --- the real data ------------------------------------------------------------------------


def test_the_miniature_has_both_states() -> None:
    assert len(read_gold(SMALL)) == len(read_gold(SMALL, "21")) == 6


@pytest.mark.data
def test_the_states_of_21_against_those_of_24_score_what_they_are_known_to() -> None:
    found = sources.find("multiwoz")
    gold, older = read_gold(found), read_gold(found, "21")
    said = {(d, i): state for d, states in older.items() for i, state in enumerate(states)}
    begun = time.process_time()
    scores = score_states(gold, said)

    assert time.process_time() - begun < 4.0
    assert (scores.dialogues, scores.turns) == (999, 7368)
    # 2.4 changed the states of 39% of the turns.
    assert round(scores.value("JGA"), 2) == 61.22
    assert round(scores.value("JGA fuzzy"), 2) == 62.31
    assert round(score_states(gold, said, normalise(["all"])).value("JGA"), 2) == 62.08
