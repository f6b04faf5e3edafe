"""Answers in every way of writing, and the reason where one cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.apibank.reading import FORMS, REASONS, read, toolrl_calls
from coalm.formats import DIALECTS
from coalm.types import Assistant, ToolCall

CALL = ToolCall("Add", {"a": "1"})
WRITTEN = {
    **{name: dialect.write(Assistant(calls=(CALL,))) for name, dialect in DIALECTS.items()},
    "api-bank": "Sure. API-Request: [Add(a='1')] is due.",
    "toolrl": '<think> x </think>\n<tool_call>\n{"name": "Add", "parameters": {"a": "1"}}\n'
    "</tool_call>",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_call_is_read_in_every_form(form: str) -> None:
    found = read(WRITTEN[form])

    assert (found.calls, found.form, found.reason) == ((CALL,), form, "")


def test_a_form_that_is_not_allowed_is_not_tried() -> None:
    assert read(WRITTEN["json"], ("react",)).calls == ()


def test_words_are_words() -> None:
    found = read("It is done (as you asked) [1].")

    assert (found.calls, found.reason, found.text) == ((), "", "It is done (as you asked) [1].")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"name": "Add", "arguments": {"a": "1', "cut off"),
        ("[Add(a='1", "cut off"),
        ("<tool_call>\n{}", "cut off"),
        ("[Add(a=__import__('os'))]", "bad value"),
        ("[Add(a=" + "[" * 60 + "]" * 60 + ")]", "too large"),
        ("Action: Add", "other form"),
        ('[{"name": "Add"}, 3]', "other form"),
    ],
)
def test_the_reason_is_told_in_a_word(text: str, reason: str) -> None:
    found = read(text)

    assert (found.calls, found.reason) == ((), reason)
    assert found.why


def test_toolrl_s_lines_are_calls_or_objects_after_the_last_tag() -> None:
    call, bare = {"name": "Add", "parameters": {"a": "1"}}, {"a": "1"}
    text = f"<tool_call>x<tool_call>\n{json.dumps(call)}\n{json.dumps(bare)}\nno\n</tool_call> {{}}"

    assert toolrl_calls(text) == [CALL, bare]
    assert toolrl_calls(json.dumps(bare)) == [bare]


@given(st.text(), st.sampled_from(sorted(WRITTEN)), st.integers(0, 200))
def test_any_text_is_read_or_told_why_not(text: str, form: str, at: int) -> None:
    whole = WRITTEN[form]
    for answer in (text, whole[:at] + text + whole[at:], whole[: at % len(whole)]):
        found = read(answer)
        assert found.reason in ("", *REASONS)
        assert bool(found.calls) == bool(found.form)
        assert bool(found.reason) == bool(found.why)
        toolrl_calls(answer)
