"""Calls in other syntaxes: each as its prompt describes it, and read back by a plain parser."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from coalm.corpora.masking import Row
from coalm.corpora.syntaxes import NOTHING, SYNTAXES, make
from coalm.formats import encode, format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.types import Assistant, System, ToolCall
from tests.corpora.rows import NOTHING as UNFIT
from tests.corpora.rows import ROWS

CALLS = (
    ToolCall("f", {"a": 'x <&> "y"', "n": 3, "l": [1, {"k": None}], "t": True}),
    ToolCall("g", {}),
)
Read = Callable[[str], list[tuple[str, object]]]


def _xml(text: str) -> list[tuple[str, object]]:
    root = ET.fromstring(f"<all>{text}</all>")
    return [(c.attrib["tool"], {a.attrib["name"]: a.text or "" for a in c}) for c in root]


def _yaml(text: str) -> list[tuple[str, object]]:
    import yaml

    return [(c["tool"], c["with"]) for c in yaml.safe_load(text)]


def _lines(pattern: str) -> Read:
    def read(text: str) -> list[tuple[str, object]]:
        found = [re.fullmatch(pattern, line) for line in text.splitlines()]
        return [(m[1], json.loads(m[2])) for m in found if m]

    return read


def _keyed(text: str) -> list[tuple[str, object]]:
    return [(c["tool"], c["args"]) for c in json.loads(text)["calls"]]


def _fenced(text: str) -> list[tuple[str, object]]:
    inside = text.removeprefix("```tool\n").removesuffix("\n```")
    return [tuple(json.loads(line)) for line in inside.splitlines()]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("yaml", _yaml),
        ("tagged", _lines(r"CALL (\S+) (.*)")),
        ("keyed", _keyed),
        ("fenced", _fenced),
    ],
)
def test_a_syntax_can_be_read_back_with_types(name: str, read: Read) -> None:
    assert read(SYNTAXES[name].answer(CALLS)) == [(c.name, dict(c.arguments)) for c in CALLS]


def test_xml_is_escaped() -> None:
    found = _xml(SYNTAXES["xml"].answer(CALLS))
    assert found[0][0] == "f"
    assert isinstance(found[0][1], dict)
    assert found[0][1]["a"] == 'x <&> "y"'


def test_the_line_syntaxes_look_as_told() -> None:
    call = (ToolCall("f", {"a": "x y", "n": 3}),)
    assert SYNTAXES["command"].answer(call) == 'f --a "x y" --n 3'
    assert SYNTAXES["colon"].answer(call) == 'f(a: "x y", n: 3)'


def test_all_syntaxes_are_used_and_the_prompt_describes_the_one_that_is_answered_in() -> None:
    seen = set()
    for seed in range(30):
        for row in ROWS:
            sample = make(row, "x", seed)
            told, *_, answer = sample.dialogue.turns
            name = sample.id.rpartition("/")[2]
            seen.add(name)
            assert isinstance(told, System)
            assert isinstance(answer, Assistant)
            assert SYNTAXES[name].told in told.text
            assert all(tool.name in told.text for tool in row.tools)
            if row is UNFIT:
                assert answer.text in NOTHING
                assert answer.text in told.text
    assert seen == set(SYNTAXES)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_the_answer_is_words_for_its_dialect_whatever_the_syntax(row: Row) -> None:
    for seed in range(10):
        sample = make(row, "x", seed)
        [example] = format_of("chatml", sample.dialect).examples(sample.dialogue)
        assert any(encode(example, ByteTokenizer()).learned)
