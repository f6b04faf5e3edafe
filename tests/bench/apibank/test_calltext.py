"""Calls in API-Bank's own text: read whatever is between their quotes, written back."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.apibank.calltext import read_call, write_call
from coalm.formats.dialects.calls import NotCalls
from coalm.types import ToolCall

LISTED = "[Meet(who='['Ann', 'Bob']', when='2023-04-05 10:00:00', what='[{'a': '1'}, {'b': '2'}]')]"


def test_a_call_is_found_within_words() -> None:
    found = read_call("API-Request: [Add(a='1', b=2)] and then some")

    assert found == ToolCall("Add", {"a": "1", "b": 2})


def test_a_list_between_the_data_s_quotes_is_kept_whole() -> None:
    assert dict(read_call(LISTED).arguments) == {
        "who": "['Ann', 'Bob']",
        "when": "2023-04-05 10:00:00",
        "what": "[{'a': '1'}, {'b': '2'}]",
    }


def test_an_apostrophe_in_a_text_ends_nothing() -> None:
    found = read_call("[Note(text='the dog's lamp, at ten', place='here')]")

    assert found.arguments == {"text": "the dog's lamp, at ten", "place": "here"}


@pytest.mark.parametrize(
    "text",
    ["", "no call", "[f(a='1'", "[f(a='1)]", "f(a=1)", "[f(x)]", "[f(a='1', a='2'x)]", "[f(a=)]"],
)
def test_what_is_no_call_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotCalls):
        read_call(text)


plain = st.text(st.characters(categories=("L", "N"), include_characters=" .:-"), min_size=1)
names = st.from_regex(r"[A-Za-z]\w{0,8}", fullmatch=True)


@given(names, st.dictionaries(names, plain, max_size=4))
def test_what_is_written_is_read_again(name: str, arguments: dict[str, str]) -> None:
    call = ToolCall(name, dict(arguments))

    assert read_call(write_call(call)) == call


@given(st.text())
def test_any_text_is_a_call_or_none(text: str) -> None:
    for shape in (text, f"[f({text})]", f"[f(a='{text}')]"):
        with contextlib.suppress(NotCalls):
            assert read_call(shape).name
