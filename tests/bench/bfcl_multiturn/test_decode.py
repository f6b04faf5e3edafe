"""Answers read as calls, in every layout that results come in."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.bfcl.multiturn.decode import decoded, from_calls
from coalm.types import ToolCall


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        ("[cd(folder='a'), ls(a=True)]", ["cd(folder='a')", "ls(a=True)"]),
        ("cd(folder='a'), ls()", ["cd(folder='a')", "ls()"]),
        ("```\n[ls()]\n```", ["ls()"]),
        ("[mean(numbers=[1, -2.5])]", ["mean(numbers=[1, -2.5])"]),
        ("[a.b.c(x=None)]", ["a.b.c(x=None)"]),
        ([{"cd": '{"folder": "a"}'}, {"ls": "{}"}], ["cd(folder='a')", "ls()"]),
        ([{"cd": {"folder": "a"}}], ["cd(folder='a')"]),
        ({"cd": '{"folder": "a"}'}, ["cd(folder='a')"]),
        (["cd('a')", "ls()"], ["cd('a')", "ls()"]),
    ],
)
def test_each_layout_comes_to_the_same_calls(step: object, calls: list[str]) -> None:
    assert decoded(step) == calls


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        # An argument without a name is lost on the way.
        ("[sort('a.txt')]", ["sort()"]),
        # An object of objects is taken for a call, an empty one for nothing readable.
        ("[f(x={'g': {'a': 1}})]", ["f(x=g(a=1))"]),
        ("[f(x={})]", []),
        ("[f(x={'a': 1, 'b': {}})]", []),
        ("[f(x=g(a=1), y=g(1))]", ["f(x=g(a=1), y='g(1)')"]),
        ("[f(x=1, x=2)]", ["f(x=2)"]),
        ("[f(x=name)]", ["f(x='name')"]),
        ("[f(x=+5)]", ["f(x=-5)"]),
    ],
)
def test_the_official_habits_are_kept(step: str, calls: list[str]) -> None:
    assert decoded(step) == calls


@pytest.mark.parametrize(
    "step",
    [
        *("", "[]", "Done.", "[1, 2]", "[f(x=1]", "f(x=1) and g()", "[ls(), 7]", "\ud800"),
        *([], [""], [1], [["ls()"]], [{"f": "{"}], [{"f": "[1]"}], [{"f": 3}], ["ls()", 7]),
        *(None, 7, 1.5, {}, {"f": None}, [None], [{}, 3]),
    ],
)
def test_what_is_no_calls_is_none(step: object) -> None:
    assert decoded(step) == []


@pytest.mark.parametrize(
    "step",
    [
        "[" * 100_000,
        "f(x=" * 20_000,
        "[f(x=" + "-" * 90_000 + "1)]",
        "[f(x=" + "1+" * 40_000 + "1)]",
        "[a" + ".b" * 40_000 + "()]",
        "[f(x=2**2**2**2**2**99)]",
        "[f(x='a'*10**12)]",
        "[f(x=" + "9" * 90_000 + ")]",
        "[f(x=__import__('os').system('true'))]" * 2_000,
        "x" * 5_000_000,
        [{"f": "[" * 200_000}],
        [{"f": '{"a": ' * 50_000}],
        [{"f": '{"a": ' + "9" * 90_000 + "}"}],
    ],
)
def test_hostile_answers_are_turned_down_quickly(step: object) -> None:
    begun = time.process_time()
    decoded(step)
    assert time.process_time() - begun < 1.0


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(step=json_like)
def test_anything_at_all_can_be_handed_in(step: Any) -> None:
    assert all(isinstance(call, str) for call in decoded(step))


def test_tool_calls_are_written_as_function_calling_models_are() -> None:
    calls = [ToolCall("f", {"a": 1, "b": ["x", None]}), ToolCall("g", {})]
    assert from_calls(calls) == ["f(a=1,b=['x', None])", "g()"]
