"""Shares of a benchmark: every case is exactly one's, the same one everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.split import Shard, together, without_suffix
from coalm.errors import RecipeError


@given(st.text(max_size=30), st.integers(1, 40))
def test_a_case_belongs_to_exactly_one_shard(id: str, of: int) -> None:
    assert sum(Shard(number, of).holds(id) for number in range(1, of + 1)) == 1


def test_shares_are_about_equal_and_stay_as_they_are() -> None:
    ids = [f"sng{n:04d}#{turn}" for n in range(250) for turn in range(4)]
    counts = [sum(Shard(n, 4).holds(id) for id in ids) for n in range(1, 5)]
    assert min(counts) > 200
    # Machines must agree, whatever their version of Python: these never change.
    assert [n for n in range(1, 5) if Shard(n, 4).holds("sng0073#1")] == [1]
    assert [n for n in range(1, 4) if Shard(n, 3).holds("level-1-api#7")] == [3]


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/2", "1.0/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="shard"):
        Shard.read(text)


def test_a_shard_is_read_as_it_is_written_and_names_its_folder() -> None:
    assert Shard.read(" 2/4 ") == Shard(2, 4)
    assert str(Shard.read("2/4")) == "2/4"
    assert without_suffix("m" + Shard(2, 4).suffix) == "m"
    assert together(["m.shard-1-of-2", "m.shard-2-of-2"]) == "m"
    assert together(["m.shard-1-of-2", "n.shard-2-of-2"]) == ""
