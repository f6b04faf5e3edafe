"""xLAM rows in Hammer's blocks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coalm.corpora.hammer import PUBLISHED, XLAM
from coalm.corpora.records import Record, records
from coalm.errors import DataError
from coalm.formats import Row, encode, format_of
from coalm.formats.rows import Rows
from coalm.formats.tokens import ByteTokenizer
from coalm.published import hammer
from coalm.sources import MINIATURE, SOURCES, Found, find
from coalm.types import Sample

MINI = Found(SOURCES["hammer"], MINIATURE, "miniature")
TOOLS = (
    '[{"name": "wind", "description": "Wind.", "parameters": {"place": {"description": "Where.", '
    '"type": "str", "default": "London"}}}, {"name": "wind", "description": "Wind again.", '
    '"parameters": {}}]'
)
ANSWERS = '[{"name": "wind", "arguments": {"place": "London"}}]'
VALUE: dict[str, Any] = {"id": 7, "query": "Wind in London?", "tools": TOOLS, "answers": ANSWERS}


def record(**changes: object) -> Record:
    return Record("xlam.json: record 1", 1, {**VALUE, **changes})


def row(sample: Sample) -> Row:
    fmt = format_of("chatml", sample.dialect)
    assert isinstance(fmt, Rows)
    [found] = fmt.rows(sample.dialogue)
    return found


def block(name: str, text: str) -> str:
    found = re.search(rf"\[BEGIN OF {name}\]\n(.*?)\n\[END OF {name}\]", text, re.DOTALL)
    assert found, name
    return found.group(1)


def test_a_row_has_hammers_blocks_and_the_query_as_its_input() -> None:
    [sample] = hammer.make(record(), "xlam", seed=1, masked=0.0, copies=1)
    made = row(sample)

    names = re.findall(r"\[BEGIN OF (.*?)\]", made.instruction)
    assert names == ["TASK INSTRUCTION", "AVAILABLE TOOLS", "FORMAT INSTRUCTION"]
    assert made.input == "[BEGIN OF QUERY]\nWind in London?\n[END OF QUERY]"
    assert made.output == f"```\n{ANSWERS}\n```"


def test_a_copy_that_is_not_masked_is_the_record_as_it_stands() -> None:
    [sample] = hammer.make(record(), "xlam", seed=1, masked=0.0, copies=1)
    assert block("AVAILABLE TOOLS", row(sample).instruction) == TOOLS  # both tools of one name


def test_a_masked_copy_speaks_of_the_tool_by_another_name_throughout() -> None:
    [sample] = hammer.make(record(), "xlam", seed=1, masked=1.0, copies=1, fence=False)
    made = row(sample)
    [tool] = json.loads(block("AVAILABLE TOOLS", made.instruction))
    [call] = json.loads(made.output)
    [(name, parameter)] = tool["parameters"].items()

    assert call == {"name": tool["name"], "arguments": {name: parameter["default"]}}
    assert "London" not in made.instruction + made.input + made.output
    assert f"Wind in {parameter['default']}?" in made.input


def test_the_fence_is_a_choice() -> None:
    [sample] = hammer.make(record(), "xlam", seed=1, masked=0.0, copies=1, fence=False)
    assert row(sample).output == ANSWERS


def test_there_are_three_copies_of_one_group_and_two_thirds_are_masked() -> None:
    made = [s for n in range(300) for s in hammer.make(record(id=n), "xlam", seed=1)]
    kept = [block("AVAILABLE TOOLS", row(s).instruction) == TOOLS for s in made]
    plain = sum(kept)

    assert [s.id for s in made[:3]] == [f"hammer/xlam/0#{n}" for n in range(3)]
    assert {s.group for s in made[:3]} == {"hammer/xlam/0"}
    assert len(made) == 900
    assert 0.28 < plain / 900 < 0.39
    of_a_record = {sum(kept[start : start + 3]) for start in range(0, 900, 3)}
    assert of_a_record == {0, 1, 2, 3}  # each copy has its own chance


def test_a_request_that_no_tool_serves_is_answered_with_an_empty_list() -> None:
    for masked in (0.0, 1.0):
        for sample in hammer.make(record(answers="[]"), "irrelevance", seed=1, masked=masked):
            assert row(sample).output == "```\n[]\n```"


def test_rows_hang_on_the_record_and_the_seed_alone() -> None:
    once, again = (list(hammer.make(record(), "xlam", seed=5)) for _ in range(2))
    assert once == again
    assert once != list(hammer.make(record(), "xlam", seed=6))


def test_only_the_answer_is_learned() -> None:
    [sample] = hammer.make(record(), "xlam", seed=1, masked=0.0, copies=1)
    [example] = format_of("chatml", "verbatim").examples(sample.dialogue)
    encoded = encode(example, ByteTokenizer())
    learned = bytes(
        i for i, one in zip(encoded.ids, encoded.learned, strict=True) if one and i < 256
    )
    assert learned.decode() == f"```\n{ANSWERS}\n```"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tools": "[{"}, "record 1:"),
        ({"tools": '{"name": "x"}'}, "expected a list"),
        ({"tools": '[{"name": "x"}]'}, "lacks 'parameters'"),
        ({"answers": '[{"name": 3, "arguments": {}}]'}, "'name' is int"),
        ({"answers": '["call"]'}, "record 1:"),
        ({"query": None}, "'query' is NoneType"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(changes: dict[str, object], why: str) -> None:
    with pytest.raises(DataError, match=why):
        list(hammer.make(record(**changes), "xlam", seed=1))


def test_both_xlam_files_are_read_three_times_over() -> None:
    made = list(hammer.read(MINI, seed=1))
    there = sum(len(json.loads(MINI.path(path).read_text())) for path in XLAM.values())
    assert len(made) == len({s.id for s in made}) == 3 * there


def test_hammers_own_rows_stand_in_where_xlam_is_missing(tmp_path: Path) -> None:
    path = tmp_path / PUBLISHED
    path.parent.mkdir(parents=True)
    path.write_bytes(MINI.path(PUBLISHED).read_bytes())
    made = list(hammer.read(Found(SOURCES["hammer"], tmp_path, "mirror")))

    assert len(made) == len(json.loads(path.read_text()))
    assert all(s.id.startswith("hammer/published/") for s in made)


@pytest.mark.data
def test_the_ten_published_rows_come_out_with_the_same_tools_query_and_output() -> None:
    given = [r.value for r in records(find("hammer").path(PUBLISHED))]
    made = [row(s) for r in records(find("hammer").path(PUBLISHED)) for s in hammer.ready(r)]

    assert len(made) == 10
    for old, new in zip(given, made, strict=True):
        assert new.output == old["output"]
        for name in ("AVAILABLE TOOLS", "QUERY"):
            theirs, ours = old["instruction"], f"{new.instruction}\n{new.input}"
            assert block(name, ours) == block(name, theirs)
        blocks = re.findall(r"\[(?:BEGIN|END) OF .*?\]", old["instruction"])
        assert re.findall(r"\[(?:BEGIN|END) OF .*?\]", f"{new.instruction}{new.input}") == blocks
