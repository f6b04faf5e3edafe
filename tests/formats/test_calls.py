"""Calls as Python writes them: what is read, what is refused, and that nothing is run."""

import sys

import pytest

from coalm.formats import DIALECTS, Malformed, format_of
from coalm.formats.dialects.calls import DEEPEST, LONGEST, NotCalls, read_calls, sound, write_calls
from coalm.types import Assistant, Json, ToolCall, identical


def test_names_need_not_be_identifiers() -> None:
    assert read_calls("Market Trends API(.67xDKY='a', strongs-number=2), math.sqrt(x=4)") == (
        ToolCall("Market Trends API", {".67xDKY": "a", "strongs-number": 2}),
        ToolCall("math.sqrt", {"x": 4}),
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-1", -1),
        ("-2.5e3", -2500.0),
        ("0x1F", 31),
        ("True", True),
        ("true", True),
        ("null", None),
        ("None", None),
        ("(1, 'a')", [1, "a"]),
        ("{'a': [1.0, {}]}", {"a": [1.0, {}]}),
        ("'a' 'b'", "ab"),
        ("'it\\'s, (x=1) ]'", "it's, (x=1) ]"),
        ("'caf\\u00e9'", "café"),
    ],
)
def test_a_value_is_read_as_what_it_says(written: str, value: Json) -> None:
    [call] = read_calls(f"f(a={written})")
    assert identical(call.arguments["a"], value)


@pytest.mark.parametrize("letter", "dswpe")
def test_an_odd_escape_is_read_as_it_stands_without_a_warning(letter: str) -> None:
    [call] = read_calls(rf"f(pattern='\{letter}+')")  # a warning would be an error here
    assert call.arguments == {"pattern": rf"\{letter}+"}


@pytest.mark.parametrize(
    "text",
    [
        "f",
        "f(",
        "f(1)",
        "f(a)",
        "f(a=)",
        "f(a=1, a=2)",
        "f(a=1) g(b=2)",
        "f(a=1",
        "f(a=g(b=1))",
        "f(a=b)",
        "f(a=1+1)",
        "f(a=x.y)",
        "f(a=b'x')",
        "f(a=1j)",
        "f(a=f'{x}')",
        "f(a={1: 2})",
        "f(a={**b})",
        "f(a=[*b])",
        "f(a=lambda: 1)",
        "f(a=1e999)",
        "f(a='\\ud800')",
        "f(a='\0')",
        "f(a=...)",
    ],
)
def test_what_is_no_list_of_calls_with_plain_values_is_refused(text: str) -> None:
    with pytest.raises(NotCalls):
        read_calls(text)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_a_value_may_nest_so_deep_and_no_deeper() -> None:
    [call] = read_calls(f"f(a={nested(DEEPEST)})")
    assert write_calls((call,)) == f"f(a={nested(DEEPEST)})"
    with pytest.raises(NotCalls, match="nested deeper than"):
        read_calls(f"f(a={nested(DEEPEST + 1)})")


def test_the_limit_counts_objects_as_well_as_lists() -> None:
    value: Json = 1
    for _ in range(DEEPEST):
        value = {"a": [value]} if isinstance(value, int) else {"a": value}
    with pytest.raises(ValueError, match="nested deeper than"):
        sound(value)


def test_an_answer_of_any_length_and_depth_is_refused_without_a_crash() -> None:
    with pytest.raises(NotCalls, match="longer than"):
        read_calls("f(a=1), " * LONGEST)
    with pytest.raises(NotCalls):
        read_calls(f"f(a={nested(LONGEST // 2 - 10)})")


CALL = {
    "pythonic": "[f(a=VALUE)]",
    "react": "Action: f(a=VALUE)",
    "json": '[{"name": "f", "arguments": {"a": VALUE}}]',
    "hermes": '<tool_call>{"name": "f", "arguments": {"a": VALUE}}</tool_call>',
    "hammer": '```\n[{"name": "f", "arguments": {"a": VALUE}}]\n```',
    "fnctod": '<function_call>{"function": "f", "arguments": {"a": VALUE}}</function_call>',
    "codeact": "<execute>\nf(a=VALUE)\n</execute>",
    "openai": '{"tool_calls": [{"type": "function", "function": {"name": "f", '
    '"arguments": "{\\"a\\": VALUE}"}}]}',
}
"""A call in each dialect."""
DIGITS = sys.get_int_max_str_digits()
LONG = {"pythonic": f"0x{'F' * DIGITS}", "react": f"-0x{'F' * DIGITS}"}
LONG["codeact"] = LONG["pythonic"]
"""Numbers that Python reads and then refuses to write."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_takes_a_call_that_nests_a_little(dialect: str) -> None:
    turn = format_of("chatml", dialect).read(CALL[dialect].replace("VALUE", nested(30)))
    assert isinstance(turn, Assistant)
    assert turn.calls[0].name == "f"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("levels", [DEEPEST + 1, 900, 20_000])
def test_each_dialect_calls_one_that_nests_too_deep_malformed(dialect: str, levels: int) -> None:
    text = CALL[dialect].replace("VALUE", nested(levels))
    assert isinstance(format_of("chatml", dialect).read(text), Malformed)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_calls_a_number_of_thousands_of_digits_malformed(dialect: str) -> None:
    text = CALL[dialect].replace("VALUE", LONG.get(dialect, "9" * (DIGITS + 1)))
    assert isinstance(format_of("chatml", dialect).read(text), Malformed)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_model_could_not_say_again_is_malformed_and_says_why(dialect: str) -> None:
    # Read leniently, a second thought would be one that no writer can put back.
    texts = {"react": "Thought: a\nThought: Thought: b\nSystem: c"}
    text = texts.get(dialect, "<think></think><think>b</think>c</think>")
    for rows in (False, True):
        found = format_of("chatml", dialect, rows=rows).read(text)
        assert isinstance(found, Malformed)
        assert found.text == text
        assert "cannot be written again" in found.why
