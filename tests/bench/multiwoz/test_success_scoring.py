"""A file held against a split: the miniature's own responses, and the real test set's."""

from collections.abc import Mapping

import pytest

from coalm import sources
from coalm.bench.multiwoz.delexicalise import Delexicaliser, open_delexicaliser
from coalm.bench.multiwoz.predictions import Predicted, Predictions
from coalm.bench.multiwoz.success import open_venues
from coalm.bench.multiwoz.success.references import gold_states, read_references
from coalm.bench.multiwoz.success.scoring import Scores, read_turns_of, score, share
from coalm.bench.multiwoz.upstream import dialogues
from coalm.errors import DataError, RecipeError
from coalm.sources import MINIATURE, SOURCES, Found

SMALL = Found(SOURCES["multiwoz"], MINIATURE, "miniature")


def _said(found: Found) -> dict[str, tuple[Predicted, ...]]:
    return {
        row.id: tuple(Predicted(entry["text"], None, None) for entry in row.log[1::2])
        for row in dialogues(found, "test")
    }


def _scores(found: Found, said: Predictions, states: str = "gold21") -> Scores:
    how, turns = read_turns_of(
        said,
        gold=gold_states(found, "test", states),
        domains=None,
        lexical=None,
        delexicaliser=lambda: open_delexicaliser(found),
        states=states,
    )
    return score(turns, how, read_references(found, "test").dialogues, open_venues(found))


def _none() -> Delexicaliser:
    raise AssertionError("nothing is to be delexicalised")


def _total(scores: Scores) -> tuple[float, float]:
    line = scores.lines["total"]
    return round(line.inform.percent, 1), round(line.success.percent, 1)


def test_the_datas_own_responses_inform_and_succeed() -> None:
    scores = _scores(SMALL, _said(SMALL))
    assert scores.reading.responses == "lexical"
    assert _total(scores) == (100.0, 100.0)
    assert _total(_scores(SMALL, _said(SMALL), "gold24")) == (100.0, 100.0)


def test_silence_succeeds_nowhere_that_something_is_asked_for() -> None:
    silent = {id: tuple(Predicted("", None, None) for _ in of) for id, of in _said(SMALL).items()}
    scores = _scores(SMALL, silent)
    references = read_references(SMALL, "test").dialogues
    for id, judged in scores.judged.items():
        wanted = any(of.requestable for of in references[id].goal.values())
        assert not (wanted and judged.success)


def test_what_is_not_predicted_is_a_failure_where_all_count() -> None:
    said = dict(list(_said(SMALL).items())[:3])
    scores = _scores(SMALL, said)
    total = scores.lines["total"]
    assert (total.success.hits, total.success.n, total.success_all.n) == (3, 3, 6)
    assert total.success_all.percent == 50.0
    assert len(scores.missing) == 3


def test_a_stranger_is_left_out_and_an_odd_number_of_turns_is_told() -> None:
    said = {**_said(SMALL), "sng9999": (Predicted("hi", None, None),)}
    said["mini0001"] = said["mini0001"][:2]
    scores = _scores(SMALL, said)
    assert scores.strangers == ("sng9999",)
    assert scores.uneven == {"mini0001": (2, 4)}
    assert len(scores.judged) == 6


def test_without_states_there_is_no_score_unless_gold_ones_are_asked_for() -> None:
    said: Mapping[str, tuple[Predicted, ...]] = {
        "a": (Predicted("x", {}, None), Predicted("y", None, None))
    }
    with pytest.raises(DataError, match=r"'a', turn 1: has no state \(1 turns have none\)"):
        read_turns_of(said, gold=None, domains=None, lexical=False, delexicaliser=_none)
    with pytest.raises(RecipeError, match="gold21 or gold24"):
        gold_states(SMALL, "test", "gold22")


def test_domains_are_given_only_if_every_turn_gives_them() -> None:
    said = {"a": (Predicted("[hotel_name]", {}, ("train",)), Predicted("[id]", {}, None))}
    for domains, active in (
        (None, [None, None]),
        ("states", [None, None]),
        ("placeholders", [("hotel",), ()]),
    ):
        _, read = read_turns_of(
            said,
            gold=None,
            domains=domains,  # type: ignore[arg-type]
            lexical=None,
            delexicaliser=_none,
        )
        assert [turn.active for turn in read["a"]] == active
    with pytest.raises(DataError, match="not every turn says its active_domains"):
        read_turns_of(said, gold=None, domains="given", lexical=False, delexicaliser=_none)


def test_an_interval_holds_its_share_and_is_the_same_for_the_same_seed() -> None:
    one = share(30, 100, seed=3)
    assert one == share(30, 100, seed=3)
    assert one.low < 30.0 < one.high
    assert 16 < one.high - one.low < 20
    assert share(0, 0).percent == 0.0
    assert share(5, 5).low == share(5, 5).high == 100.0


@pytest.mark.data
@pytest.mark.slow
def test_the_test_sets_own_responses_score_as_the_corpus_is_published() -> None:
    """Inform 93.7 and Success 90.9 with MultiWOZ 2.2's states and spans."""
    found = sources.find("multiwoz")
    said = _said(found)
    assert _total(_scores(found, said)) == (93.0, 90.8)
    newer = _scores(found, said, "gold24")
    assert newer.stateless == ("pmul1455",)
    assert _total(newer) == (91.3, 89.5)
