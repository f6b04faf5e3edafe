"""The taxonomy of errors: page, table and scorers agree, and the page's examples are true."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from coalm.bench.base import Kind
from coalm.bench.calls import compare
from coalm.bench.kinds import MEANINGS
from coalm.bench.multiwoz.state import Normalise
from coalm.bench.multiwoz.state import compare as compare_states
from coalm.bench.multiwoz.tracked_mistakes import kind_of
from coalm.bench.table import PROTOCOLS
from coalm.corpora.states import read_state
from coalm.formats import DIALECTS, Malformed
from coalm.formats.dialects.calls import read_calls
from coalm.types import ToolSpec

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS: Mapping[str, str] = {
    part.partition("\n")[0]: part.partition("\n")[2] for part in PAGE.split("\n## ")[1:]
}
UNTRIED = ("too many steps", "environment lost", "not answered")
"""Kinds that take a whole conversation, or the world, to show."""


def found_by(kind: str) -> str:
    told = re.search(r"Found by (.*?)\.\s", SECTIONS[kind] + "\n", re.DOTALL)
    assert told is not None
    return told[1]


def names(kind: str, protocol: str) -> bool:
    """Whether the page says that a protocol finds this kind."""
    told = found_by(kind)
    benchmark, _, way = protocol.partition(":")
    way = re.sub(r"-(prompt|l\d)$", "", way)
    said = re.findall(r"`([^`]+)`", told)
    return (
        told.startswith("every protocol") or {benchmark, f"{benchmark}:{way}"} & set(said) != set()
    )


def test_the_page_and_the_table_have_the_same_kinds_in_the_same_order() -> None:
    assert [kind for kind in get_args(Kind) if kind] == list(MEANINGS) == list(SECTIONS)


@pytest.mark.parametrize("kind", MEANINGS)
def test_the_page_says_what_the_table_says(kind: Kind) -> None:
    said = " ".join(SECTIONS[kind].split()).lower()
    assert said.startswith(MEANINGS[kind].lower())


def test_the_page_names_no_protocol_that_there_is_not() -> None:
    known = {*PROTOCOLS, *(f"{name}:{way}" for name, ways in PROTOCOLS.items() for way in ways)}
    for kind in MEANINGS:
        assert set(re.findall(r"`([^`]+)`", found_by(kind))) <= known


@pytest.mark.parametrize("kind", [kind for kind in MEANINGS if kind not in UNTRIED])
def test_the_page_s_example_is_of_its_kind(kind: Kind) -> None:
    [block] = re.findall(r"```text\n(.*?)\n```", SECTIONS[kind], re.DOTALL)
    said = {line[:5].strip(): line[5:].strip() for line in block.split("\n")}
    assert (_of_state(said) if "heard" in said else _of_calls(said)) == kind


@pytest.mark.parametrize("kind", UNTRIED)
def test_what_cannot_be_tried_has_an_example_in_words(kind: str) -> None:
    assert "```" not in SECTIONS[kind]
    assert "For example:" in SECTIONS[kind]


def _of_calls(said: Mapping[str, str]) -> str:
    turn = DIALECTS["pythonic"].read(said["wrote"])
    if isinstance(turn, Malformed):
        return "format"
    tools = tuple(map(_tool, filter(None, [said.get("tool")])))
    return compare(read_calls(said["due"]), turn.calls, tools).kind


def _tool(signature: str) -> ToolSpec:
    name, _, rest = signature.rstrip(")").partition("(")
    pairs = [one.split(": ") for one in rest.split(", ")]
    properties = {key: {"type": kind} for key, kind in pairs}
    return ToolSpec(name, "", {"type": "object", "properties": properties})  # type: ignore[dict-item]


def _of_state(said: Mapping[str, str]) -> str:
    due, wrote = read_state(said["due"]), read_state(said["wrote"])
    assert due is not None
    assert wrote is not None
    rules = Normalise()
    return kind_of(compare_states(due, wrote, rules), [("", said["heard"])], rules)
