"""Two requests in one: both calls, the tools of both, and no doubt which tool is whose."""

from dataclasses import replace

from coalm.corpora.parallel import joined, pair_of, pool_of
from coalm.corpora.schemas import misfit
from coalm.types import ToolCall
from tests.corpora.rows import BOTH, CANCEL, NOTHING, RAINY, ROWS, SONG, SUNNY, WEATHER


def test_both_requests_are_asked_and_both_calls_answer_in_their_order() -> None:
    row = pair_of(CANCEL, SONG)
    assert row is not None
    assert row.query.startswith(CANCEL.query)
    assert row.query.endswith(SONG.query)
    assert row.answers == (*CANCEL.answers, *SONG.answers)
    assert not [why for call in row.answers if (why := misfit(call, row.tools))]


def test_a_partner_of_the_same_tool_comes_first() -> None:
    pool = pool_of(ROWS)
    [row] = joined(SUNNY, pool, share=1.0)
    assert [call.name for call in row.answers] == ["get_weather", "get_weather"]
    assert len(row.tools) == 2


def test_two_tools_of_one_name_or_two_equal_calls_are_no_pair() -> None:
    other = replace(RAINY, tools=(replace(WEATHER, description="Something else"),))
    assert pair_of(SUNNY, other) is None
    assert pair_of(RAINY, replace(RAINY, id="r/9")) is None


def test_a_pair_where_one_tool_could_serve_the_other_request_is_not_made() -> None:
    twin = replace(WEATHER, name="weather_report")
    row = replace(
        RAINY, id="r/9", tools=(twin,), answers=(ToolCall("weather_report", {"town": "Corrin"}),)
    )
    assert pair_of(SUNNY, row) is None


def test_rows_of_several_calls_or_none_stay_alone() -> None:
    pool = pool_of(ROWS)
    assert {row.id for row in pool.rows} == {"r/1", "r/2", "r/3", "r/4"}
    assert not [one for row in (BOTH, NOTHING) for one in joined(row, pool, share=1.0)]


def test_a_pool_holds_no_more_than_it_may_and_the_same_again() -> None:
    assert len(pool_of(ROWS, most=2).rows) == 2
    assert pool_of(ROWS, most=2).rows == pool_of(reversed(ROWS), most=2).rows
