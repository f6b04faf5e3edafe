"""Hammer's masking: names go, meaning stays."""

import random
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from coalm.corpora.masking import LETTERS, Row, mask, samples
from coalm.corpora.schemas import misfit, tool
from coalm.types import Assistant, ToolCall, User

WIND = tool(
    {
        "name": "wind",
        "description": "Wind, in London unless told otherwise",
        "parameters": {
            "place": {"type": "str", "description": "say London", "default": "London"},
            "hours": {"type": "int", "default": 24},
        },
    }
)
ZONE = tool({"name": "zone", "description": "Time zone", "parameters": {"city": {"type": "str"}}})
ROW = Row(
    "hammer/x/1",
    "Wind in London, and the zone of Lima?",
    (WIND, ZONE, WIND),
    (ToolCall("wind", {"place": "London"}), ToolCall("zone", {"city": "Lima"})),
)


@given(st.integers())
def test_masked_names_have_hammers_lengths_and_letters(seed: int) -> None:
    row = mask(ROW, random.Random(seed))

    for spec in row.tools:
        assert 5 <= len(spec.name) <= 15
        assert all(4 <= len(name) <= 10 for name in spec.properties)
        assert set("".join([spec.name, *spec.properties])) <= set(LETTERS)
    assert set(LETTERS) == set(string.ascii_letters + string.digits + "_.")


@given(st.integers())
def test_masked_calls_still_fit_their_tools_and_say_the_same(seed: int) -> None:
    row = mask(ROW, random.Random(seed))

    assert [misfit(call, row.tools) for call in row.answers] == ["", ""]
    assert list(row.answers[1].arguments.values()) == ["Lima"]
    assert row.tools[1].description == "Time zone"


@given(st.integers())
def test_a_default_that_is_the_answer_is_replaced_everywhere(seed: int) -> None:
    row = mask(ROW, random.Random(seed))
    [place] = row.answers[0].arguments.values()

    assert place != "London"
    assert re.fullmatch(r"[A-Z][a-z]{5}", str(place))
    assert "London" not in repr(row)
    assert str(place) in row.query
    assert str(place) in row.tools[0].description
    described = next(iter(row.tools[0].properties.values()))
    assert described == {"type": "string", "description": f"say {place}", "default": place}


def test_a_default_that_the_request_does_not_spell_out_stays() -> None:
    silent = Row("x", "Wind at home?", (WIND,), (ToolCall("wind", {"place": "London"}),))
    [place] = mask(silent, random.Random(1)).answers[0].arguments.values()
    assert place == "London"


def test_about_two_thirds_of_the_copies_are_masked() -> None:
    call = ToolCall("zone", {"city": "Lima"})
    rows = [Row(f"r{n}", "Zone of Lima?", (ZONE,), (call,)) for n in range(400)]
    made = [s for row in rows for s in samples(row, "hammer", seed=1, copies=3)]
    plain = sum(s.dialogue.tools[0].name == "zone" for s in made)

    assert len(made) == 1200
    assert 0.28 < plain / 1200 < 0.39


def test_copies_have_their_own_ids_one_group_and_no_tool_twice() -> None:
    made = list(samples(ROW, "hammer", seed=1, copies=2, masked=0.0))

    assert [s.id for s in made] == ["hammer/x/1#0", "hammer/x/1#1"]
    assert {s.group for s in made} == {"hammer/x/1"}
    assert [len(s.dialogue.tools) for s in made] == [2, 2]
    assert made == list(samples(ROW, "hammer", seed=1, copies=2, masked=0.0))


def test_a_row_without_calls_is_answered_with_an_empty_turn() -> None:
    [sample] = samples(Row("r", "Sing!", (ZONE,), ()), "hammer", seed=1)
    assert sample.dialogue.turns == (User("Sing!"), Assistant())
