"""Answers in Python's spelling: what the harness lets through is let through, and quickly."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.bfcl import CATEGORIES, find, miniature
from coalm.bench.bfcl.answers import calls_of
from coalm.bench.bfcl.categories import Language
from coalm.bench.bfcl.judge import Read, verdict
from coalm.bench.bfcl.reading import Refused, Unreadable, read_python
from coalm.types import ToolCall

CASES = {c.name: miniature().cases(c)[0] for c in CATEGORIES.values() if miniature().has(c)}


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("[f(a=1)]", "f", {"a": 1}),
        ("f(a=1)", "f", {"a": 1}),
        ("[f(a=1)", "f", {"a": 1}),
        ("```[f(a=1)]```", "f", {"a": 1}),
        ("[a.b.f(x='y')]", "a.b.f", {"x": "y"}),
        ("[f(7, a=1)]", "f", {"a": 1}),  # what has no name is lost
        ("[f(a=1, a=2)]", "f", {"a": 2}),
        ("[f(a=red)]", "f", {"a": "red"}),
        ("[f(a=true)]", "f", {"a": "true"}),
        ("[f(a=...)]", "f", {"a": "..."}),
        ("[f(a=+5)]", "f", {"a": -5}),  # any sign is a minus
        ("[f(a=not True)]", "f", {"a": -1}),
        ("[f(a=(1, 2))]", "f", {"a": (1, 2)}),
        ("[f(a=1/4)]", "f", {"a": 0.25}),
        ("[f(a=[0] * 3)]", "f", {"a": [0, 0, 0]}),
        ("[f(a=round(2.5) + 1)]", "f", {"a": 3}),
        ("[f(a=g(1))]", "f", {"a": "g(1)"}),
        ("[f(a=g(b=1))]", "f", {"a": {"g": {"b": 1}}}),
        ("[f(a=b[0])]", "f", {"a": "b[0]"}),
        ("[f(a={'b': [1, None]})]", "f", {"a": {"b": [1, None]}}),
        ("[f()()]", "", {}),
        (r"[f(a='\d')]", "f", {"a": r"\d"}),
    ],
)
def test_oddities_are_read_as_the_harness_reads_them(
    text: str, name: str, arguments: dict[str, Any]
) -> None:
    assert read_python(text) == (ToolCall(name, arguments),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure, I can do that.",
        "[f(a=1)]\nDone.",
        "```python\n[f(a=1)]\n```",
        "[f(a=1), 5]",
        "[[f(a=1)]]",
        "[f(a=x.y)]",
        "[f(a=-'x')]",
        "[f(a=x + 1)]",
        "[f(a=f'x')]",
        "[f(a={1, 2})]",
        "[f(a=lambda x: x)]",
        "[f(a=1 if b else 2)]",
        "[f(a={**b})]",
        "[f(a=1] ",
        "[f(a='\ud800')]",
        "[f(a='\0')]",
    ],
)
def test_what_the_harness_cannot_read_is_no_call(text: str) -> None:
    if text:
        with pytest.raises(Unreadable):
            read_python(text)
    else:
        assert read_python(text) == ()


def test_nothing_is_run(tmp_path: Any) -> None:
    mark = tmp_path / "mark"
    text = f"[f(a=open({str(mark)!r}, 'w').write('x') + 1)]"
    with pytest.raises(Unreadable):
        read_python(text)
    assert not mark.exists()


HOSTILE = {
    "a megabyte of text": "[f(a='" + "x" * 1_000_000 + "')]",
    "a megabyte of calls": "[" + "f(a=1)," * 140_000 + "]",
    "a megabyte of brackets": "[" * 1_000_000,
    "deep lists": "[f(a=" + "[" * 150 + "]" * 150 + ")]",
    "deep calls": "[f(a=" + "g(b=" * 90 + "1" + ")" * 91 + "]",
    "signs": "[f(a=" + "-" * 49_000 + "1)]",
    "an attribute chain": "[a" + ".b" * 24_000 + "(c=1)]",
    "a chain of calls": "[f" + "()" * 20 + "]",
    "an import": "[f(a=__import__('os').getpid() + 1)]",
    "a tower of powers": "[f(a=9 ** 9 ** 9 ** 9)]",
    "a shift": "[f(a=1 << 10 ** 10)]",
    "a repetition": "[f(a='x' * 10 ** 10)]",
    "repetitions": "[f(a=[0] * 1000 * 1000 * 1000)]",
    "a sum": "[f(a=" + "1+" * 20_000 + "1)]",
    "a long number": "[f(a=" + "9" * 40_000 + ")]",
    "a long hexadecimal number": "[f(a=0x" + "f" * 40_000 + ")]",
    "a product": "[f(a=0x" + "f" * 40_000 + " * 0x" + "f" * 4_000 + ")]",
    "filling in": "[f(a='%1000000000d' % 1)]",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("language", ["python", "java", "javascript"])
def test_hostile_answers_are_wrong_and_soon_told(text: str, language: Language) -> None:
    case = CASES["simple_python"]
    took = []
    for _ in range(3):
        begun = time.process_time()
        read: Read
        try:
            read = calls_of(text, "prompt", language)
        except Unreadable as e:
            read = e
        assert not verdict(case, read).scores["right"]
        took.append(time.process_time() - begun)
    assert min(took) < 0.05  # the fastest: the machine may be busy


def test_an_answer_too_large_to_look_at_is_wrong_even_where_no_call_is_due() -> None:
    case = CASES["irrelevance"]
    with pytest.raises(Refused) as refused:
        read_python(HOSTILE["a megabyte of text"])
    assert not verdict(case, refused.value).scores["right"]
    with pytest.raises(Unreadable) as unreadable:
        read_python("word " * 200_000)
    assert verdict(case, unreadable.value).scores["right"]


@given(st.text(max_size=80))
def test_whatever_the_text_it_is_calls_or_unreadable(text: str) -> None:
    for language in ("python", "java", "javascript"):
        try:
            calls = calls_of(text, "prompt", language)
        except Unreadable:
            continue
        assert all(isinstance(call.name, str) for call in calls)


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        ([{"f": '{"a": 1}'}], [("f", {"a": 1})]),
        ([{"f": {"a": 1}}], [("f", {"a": 1})]),
        ([], []),
        ("", []),
        ([{"f": "{}", "g": "{}"}], [("f", {})]),
    ],
)
def test_function_calls_are_read(answer: Any, calls: list[tuple[str, Any]]) -> None:
    assert [(c.name, c.arguments) for c in calls_of(answer, "fc")] == calls


@pytest.mark.parametrize(
    "answer",
    ["[f(a=1)]", None, 5, {"f": "{}"}, [{}], ["f"], [{"f": "{"}], [{"f": "[1]"}], [{"f": None}]],
)
def test_what_is_no_list_of_function_calls_is_unreadable(answer: Any) -> None:
    with pytest.raises(Unreadable):
        calls_of(answer, "fc")


def test_a_list_where_text_is_due_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="list"):
        calls_of([{"f": "{}"}], "prompt")


def test_deep_json_is_refused() -> None:
    with pytest.raises(Refused):
        calls_of([{"f": '{"a": ' + "[" * 10_000 + "]" * 10_000 + "}"}], "fc")


@pytest.mark.data
def test_the_longest_right_answer_is_far_below_what_is_looked_at() -> None:
    from coalm.bench.bfcl import single_turn
    from coalm.bench.bfcl.reading import LONGEST

    data = find()
    if data.version == "miniature":
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    benchmark = single_turn(data)
    assert max(len(benchmark.gold(case)) for case in benchmark.cases()) < LONGEST / 20
