"""Requests that no tool fits: none of the tools that are left could serve them."""

from dataclasses import replace

import pytest

from coalm.corpora.irrelevance import KINDS, make, shelf_of
from coalm.corpora.masking import Row
from coalm.corpora.overlap import able, words
from coalm.types import ToolCall
from tests.corpora.rows import (
    BOTH,
    CHORDS,
    NOTHING,
    ORDER,
    RAIN,
    ROWS,
    SCALE,
    SONG,
    SUNNY,
    TIDES,
    WEATHER,
    tool,
)

SHELF = shelf_of(
    (
        (WEATHER, "sky"),
        (RAIN, "sky"),
        (TIDES, "sea"),
        (CHORDS, "music"),
        (ORDER, "trade"),
        (SCALE, "kitchen"),
    )
)
MOON = tool("moon_phase", "Phase of the moon on a day", ("day",), day="string")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_no_tool_that_could_serve_is_left_and_nothing_is_called(row: Row, kind: str) -> None:
    for one in make(row, SHELF, share=1.0, kinds=(kind,)):
        assert one.answers == ()
        assert one.tools
        assert one.id.endswith(kind)
        assert WEATHER not in one.tools or "weather" not in one.query.lower()


def test_unrelated_tools_are_of_other_subjects_and_share_no_word() -> None:
    [row] = make(SUNNY, SHELF, share=1.0, kinds=("unrelated",))
    assert WEATHER not in row.tools
    assert RAIN not in row.tools
    assert not any(words(t.description) & words(SUNNY.query) for t in row.tools)


def test_near_tools_are_of_the_same_subject_and_do_something_else() -> None:
    shelf = shelf_of((*SHELF.tools, (MOON, "sky")))
    query = "How is the weather in Oldmere by the light of the moon?"
    row = replace(SUNNY, query=query, answers=(ToolCall("get_weather", {"town": "Oldmere"}),))
    [near] = make(row, shelf, share=1.0, kinds=("near",))
    assert near.tools == (MOON,)


def test_a_tool_of_the_same_words_counts_as_able() -> None:
    forecast = tool("forecast", "Temperature and wind", ("place",), place="string")
    assert able(forecast, SUNNY.query, WEATHER, SUNNY.answers[0])
    assert not able(TIDES, SUNNY.query, WEATHER, SUNNY.answers[0])


def test_where_the_request_does_not_name_the_tool_nobody_can_say_that_another_is_not_able() -> None:
    assert able(TIDES, "Should I take an umbrella?", WEATHER, SUNNY.answers[0])


def test_with_the_right_tool_gone_only_sure_misfits_may_stay() -> None:
    [row] = make(SONG, SHELF, share=1.0, kinds=("removed",))
    assert row.tools == (TIDES, WEATHER)
    beside = replace(SONG, tools=(CHORDS, replace(CHORDS, name="chords_of_song")))
    assert list(make(beside, SHELF, share=1.0, kinds=("removed",))) == []


def test_several_wishes_are_put_among_foreign_tools_only() -> None:
    assert list(make(BOTH, SHELF, share=1.0, kinds=("near", "removed"))) == []
    [row] = make(BOTH, SHELF, share=1.0)
    assert row.id.endswith("unrelated")


def test_a_row_that_calls_nothing_is_not_made_again_and_a_share_of_none_is_none() -> None:
    assert list(make(NOTHING, SHELF, share=1.0)) == []
    assert not [one for row in ROWS for one in make(row, SHELF, share=0.0)]


def test_a_seed_chooses_the_same_again() -> None:
    def made(seed: int) -> list[Row]:
        return [one for row in ROWS for one in make(row, SHELF, share=0.6, seed=seed)]

    assert made(1) == made(1)
    assert len({repr(made(seed)) for seed in range(5)}) > 1


def test_a_shelf_takes_each_name_once_and_no_more_than_it_may() -> None:
    twice = (*SHELF.tools, *SHELF.tools)
    assert shelf_of(twice) == SHELF
    assert len(shelf_of(twice, most=2).tools) == 2
    assert [t.name for t, _ in SHELF.sharing("rain and tides")] == [
        "get_rain_history",
        "tide_table",
    ]
