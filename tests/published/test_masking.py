"""Hammer's published rules of masking, rule by rule, and its own ten rows made once more."""

import json
import random
import re
import string
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.corpora.hammer import PUBLISHED
from coalm.corpora.masking import LETTERS
from coalm.corpora.records import records
from coalm.published.hammer import _TOOLS
from coalm.published.masking import Request, fresh, masked, renamed, with_new_defaults
from coalm.sources import find
from coalm.types import Json

seeds = given(st.integers())


def tool(name: str, **parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": f"Does {name}.", "parameters": parameters}


def p(kind: str, text: str = "", **default: Json) -> dict[str, Any]:
    return {"description": text, "type": kind, **default}


WIND = tool(
    "wind",
    place=p("str", "Where; London if not said", default="London"),
    hours=p("int", "Defaults to 24", default=24),
    gusts=p("bool, optional", "Defaults to True.", default=True),
    days=p("List[str]", default=["mon"]),
    unit=p("str", default=""),
)
ASKED = Request(
    "Wind in London, LONDON or london for 24 hours?",
    (WIND, tool("zone", city=p("str")), tool("wind", other=p("str"))),
    (
        {
            "name": "wind",
            "arguments": {"gusts": True, "hours": 24, "place": "London", "days": ["mon"]},
        },
        {"name": "zone", "arguments": {"city": "London"}},
    ),
)


def by_name(request: Request) -> dict[str, Mapping[str, Any]]:
    """The tools by what they do, which masking does not change."""
    return {t["description"]: t for t in request.tools}


@seeds
def test_names_have_hammers_lengths_and_letters(seed: int) -> None:
    made = masked(ASKED, random.Random(seed))

    for one in made.tools:
        assert re.fullmatch(r"[A-Za-z0-9_.]{5,15}", one["name"])
        assert all(re.fullmatch(r"[A-Za-z0-9_.]{4,10}", name) for name in one["parameters"])


@seeds
def test_tools_of_one_name_are_one_and_their_order_is_random(seed: int) -> None:
    made = masked(ASKED, random.Random(seed))

    assert sorted(t["description"] for t in made.tools) == ["Does wind.", "Does zone."]
    assert len(by_name(made)["Does wind."]["parameters"]) == 5  # those of the first


def test_either_order_of_two_tools_comes_about() -> None:
    orders = {tuple(by_name(masked(ASKED, random.Random(n)))) for n in range(20)}
    assert len(orders) == 2


@seeds
def test_calls_are_renamed_alike_and_take_the_tools_order(seed: int) -> None:
    made = masked(ASKED, random.Random(seed))
    wind, zone = by_name(made)["Does wind."], by_name(made)["Does zone."]
    place, hours, gusts, days, _ = wind["parameters"]

    assert [a["name"] for a in made.answers] == [wind["name"], zone["name"]]
    assert list(made.answers[0]["arguments"]) == [place, hours, gusts, days]
    assert list(made.answers[1]["arguments"]) == list(zone["parameters"])


@seeds
def test_each_default_that_is_the_answer_is_replaced_in_tool_text_answer_and_query(
    seed: int,
) -> None:
    made = masked(ASKED, random.Random(seed))
    place, hours, gusts, days, unit = by_name(made)["Does wind."]["parameters"].values()
    said = made.answers[0]["arguments"].values()

    assert list(said) == [place["default"], hours["default"], gusts["default"], ["mon"]]
    assert re.fullmatch(r"[A-Za-z0-9_.]{5}", place["default"])
    assert 25 <= hours["default"] <= 28
    assert 1 <= gusts["default"] < 2
    assert place["description"] == f"Where; {place['default']} if not said"
    assert hours["description"] == f"Defaults to {hours['default']}"
    assert gusts["description"] == f"Defaults to {gusts['default']}."
    assert (days["default"], unit["default"]) == (["mon"], "")
    new, more = place["default"], hours["default"]
    if "24" not in new:  # else the second default would change the first
        assert made.query == f"Wind in {new}, {new.upper()} or {new.lower()} for {more} hours?"


def test_a_default_that_is_no_answer_stays_even_where_the_query_says_it() -> None:
    asked = Request("for 24 hours", (WIND,), ({"name": "wind", "arguments": {"hours": 7}},))
    assert with_new_defaults(asked, lambda _: 99) == asked


def test_a_default_that_equals_the_answer_as_text_only_leaves_answer_and_query_alone() -> None:
    one = tool("zone", size=p("int", "72 or so", default="72"))
    asked = Request("all 72", (one,), ({"name": "zone", "arguments": {"size": 72}},))
    made = with_new_defaults(asked, lambda _: "x")

    assert made.tools[0]["parameters"]["size"] == p("int", "x or so", default="x")
    assert (made.query, made.answers) == (asked.query, asked.answers)


def test_a_query_that_writes_the_value_with_a_capital_gets_the_new_one_so() -> None:
    one = tool("wind", place=p("str", default="lima"))
    asked = Request("Lima, lima, LIMA", (one,), ({"name": "wind", "arguments": {"place": "lima"}},))
    assert with_new_defaults(asked, lambda _: "abCde").query == "Abcde, abCde, ABCDE"


def test_another_tools_answer_does_not_count() -> None:
    asked = Request(
        "q", (WIND, tool("zone", hours=p("int"))), ({"name": "zone", "arguments": {"hours": 24}},)
    )
    assert with_new_defaults(asked, lambda _: 99) == asked


@given(st.integers(), st.booleans() | st.integers() | st.floats(0, 1e6) | st.text(max_size=9))
def test_a_new_default_is_a_little_more_or_five_letters(seed: int, old: bool | int | str) -> None:
    new = fresh(old, random.Random(seed))

    if isinstance(old, str):
        assert isinstance(new, str)
        assert len(new) == 5
        assert set(new) <= set(LETTERS)
    elif isinstance(old, int) and not isinstance(old, bool):
        assert new in range(old + 1, old + 5)
    else:
        assert isinstance(new, float)
        assert old <= new <= old + 1


def test_the_input_is_not_changed() -> None:
    before = json.dumps([ASKED.query, ASKED.tools, ASKED.answers])
    masked(ASKED, random.Random(1))
    assert json.dumps([ASKED.query, ASKED.tools, ASKED.answers]) == before


# --- equal to what Hammer published ---------------------------------------------------------


def published() -> list[tuple[str, str]]:
    """Tools and answers of the ten rows, as text."""
    found = []
    for record in records(find("hammer").path(PUBLISHED)):
        tools = _TOOLS.search(record.value["instruction"])
        assert tools
        found.append((tools.group(1), record.value["output"].strip("`\n")))
    return found


def is_masked(tools: list[dict[str, Any]]) -> bool:
    """Whether the names are random: no word of the tool's own description is among them."""
    return not any(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", t["name"]) for t in tools)


@pytest.mark.data
def test_seven_of_the_ten_published_rows_are_masked_and_by_these_rules() -> None:
    rows = [(json.loads(t), json.loads(a)) for t, a in published()]
    masks = [(tools, answers) for tools, answers in rows if is_masked(tools)]

    assert (len(rows), len(masks)) == (10, 7)
    for tools, answers in masks:
        assert len({t["name"] for t in tools}) == len(tools)
        known = {t["name"]: list(t["parameters"]) for t in tools}
        for name, parameters in known.items():
            assert re.fullmatch(r"[A-Za-z0-9_.]{5,15}", name)
            assert all(re.fullmatch(r"[A-Za-z0-9_.]{4,10}", one) for one in parameters)
        for answer in answers:
            order = known[answer["name"]]
            assert list(answer["arguments"]) == [n for n in order if n in answer["arguments"]]
    # Rows that are not masked are xLAM's own: one lists three tools of one name.
    assert any(len({t["name"] for t in tools}) < len(tools) for tools, _ in rows)


@pytest.mark.data
def test_masking_the_sample_anew_with_its_own_names_gives_the_same_bytes() -> None:
    """The masks are taken off, as far as the rows tell, and put on again by our code."""
    masks = [row for row in published() if is_masked(json.loads(row[0]))]
    drawn = [_drawn(json.loads(tools), json.loads(answers)) for tools, answers in masks]

    assert [_remade(tools, answers) for tools, answers in masks] == masks
    assert (len(masks), sum(map(len, drawn))) == (7, 3)


def _remade(tools_text: str, answers_text: str) -> tuple[str, str]:
    """The row without its mask, masked again; tools and answers as text."""
    tools, answers = json.loads(tools_text), json.loads(answers_text)
    original, functions, parameters = _unmasked(tools, answers)
    values = iter(_drawn(tools, answers))
    made = with_new_defaults(renamed(original, functions, parameters), lambda _: next(values))
    return json.dumps(made.tools), json.dumps(made.answers)


def _drawn(tools: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[float]:
    """The defaults that a gold argument equals: each of them must be one that was drawn."""
    found = []
    for t in tools:
        for name, parameter in t["parameters"].items():
            value = parameter.get("default")
            given = [a["arguments"].get(name) for a in answers if a["name"] == t["name"]]
            if value not in (None, "") and value in given:
                assert parameter["type"].startswith("bool")
                assert 1 <= value < 2  # True and something more
                assert f"Defaults to {value}" in parameter["description"] or name == "uSmP"
                found.append(value)
    return found


def _unmasked(
    tools: list[dict[str, Any]], answers: list[dict[str, Any]]
) -> tuple[Request, dict[str, str], dict[str, dict[str, str]]]:
    """A row with speaking names and True for the drawn defaults, and the names to mask it."""
    functions = {f"tool_{i}": t["name"] for i, t in enumerate(tools)}
    parameters = {
        f"tool_{i}": {f"parameter_{j}": name for j, name in enumerate(t["parameters"])}
        for i, t in enumerate(tools)
    }
    back = {new: old for old, new in functions.items()}
    drawn = set(_drawn(tools, answers))

    def plain(value: Any) -> Any:
        return True if isinstance(value, float) and value in drawn else value

    def described(parameter: dict[str, Any]) -> dict[str, Any]:
        text = parameter["description"]
        for value in drawn:
            text = text.replace(str(value), "True")
        found = {**parameter, "description": text}
        return found | ({"default": plain(found["default"])} if "default" in found else {})

    old_tools = tuple(
        {
            **t,
            "name": back[t["name"]],
            "parameters": {
                old: described(t["parameters"][new])
                for old, new in parameters[back[t["name"]]].items()
            },
        }
        for t in tools
    )
    old_answers = tuple(
        {
            "name": back[a["name"]],
            "arguments": {
                old: plain(a["arguments"][new])
                # Backwards, since masking gives a call's arguments the tool's order.
                for old, new in reversed(parameters[back[a["name"]]].items())
                if new in a["arguments"]
            },
        }
        for a in answers
    )
    return Request("", old_tools, old_answers), functions, parameters


def test_the_letters_are_hammers() -> None:
    assert set(LETTERS) == {*string.ascii_letters, *string.digits, "_", "."}
