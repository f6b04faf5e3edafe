"""Calls in brackets, as ToolACE writes them: values in JSON or Python, names with anything."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.corpora.bracketed import bracketed
from coalm.types import Json, ToolCall


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("[f()]", {}),
        ("[f(a=1)]", {"a": 1}),
        ('[f(a="x, y)", b=[1, 2])]', {"a": "x, y)", "b": [1, 2]}),
        ("[f(a='it''s')]", {"a": "its"}),
        ("[f(a=True, b=None, c=false)]", {"a": True, "b": None, "c": False}),
        ("[f(a={'k': (1, 2)}, b=-1.5e3)]", {"a": {"k": [1, 2]}, "b": -1500.0}),
        ('[ f( a = "x" , from = "y" ) ]', {"a": "x", "from": "y"}),
        ("[f(a='[g(b=1)]')]", {"a": "[g(b=1)]"}),
        ('[f(a="say \\"hi\\"")]', {"a": 'say "hi"'}),
    ],
)
def test_values_are_read_as_json_or_as_python(text: str, arguments: dict[str, Json]) -> None:
    assert bracketed(text, ["f"]) == (ToolCall("f", arguments),)


def test_names_may_hold_blanks_slashes_and_each_other() -> None:
    text = '[Market Trends API(c="us"), /tides/next(), Market()]'
    names = ["Market", "Market Trends API", "/tides/next"]
    assert [call.name for call in bracketed(text, names)] == [names[1], names[2], names[0]]


@pytest.mark.parametrize(
    "text",
    ["", "f(a=1)", "[1] see the source", "[f]", "[see (a) and (b)]", '[{"name": "f"}]', "[]"],
)
def test_words_are_no_calls(text: str) -> None:
    assert bracketed(text, ["f"]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "[f(a=1",
        "[f(a=1)",
        "[f(a)]",
        "[f(a=x)]",
        "[f(a=1) f(a=2)]",
        "[f(a=1)] and more",
        "[f(a=1, a=2)]",
        "[f(a=1, =2)]",
        "[f(a=1), g(a=1)]",
        "[g(a=1)]",
        "[f(a={1, 2})]",
        "[f(a=f(b=1))]",
        "[f(a='x)]",
        "[f(a=" + "[" * 5000 + ")]",
    ],
)
def test_a_torn_list_of_calls_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bracketed(text, ["f"])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["f", "f2", "get weather", "a/b", "x.y"])
keys = st.sampled_from(["a", "b", "from", "class", "k_1"])


@settings(max_examples=40)
@given(st.lists(st.tuples(names, st.dictionaries(keys, json_values, max_size=3)), min_size=1))
def test_what_is_written_in_either_way_is_read_back(
    calls: list[tuple[str, dict[str, Json]]],
) -> None:
    wanted = tuple(ToolCall(name, arguments) for name, arguments in calls)
    known = ["f", "f2", "get weather", "a/b", "x.y"]
    for write in (json.dumps, repr):
        text = ", ".join(
            f"{c.name}({', '.join(f'{k}={write(v)}' for k, v in c.arguments.items())})"
            for c in wanted
        )
        assert repr(bracketed(f"[{text}]", known)) == repr(wanted)


@given(st.text(alphabet="[]()f,=\"'a1 {}:\\", max_size=30))
def test_no_text_makes_it_fail_in_any_other_way(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(bracketed(text, ["f"]), tuple)
