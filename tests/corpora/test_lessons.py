"""One row, five lessons: each of its kind, sound, and the same again."""

from typing import get_args

import pytest

from coalm.corpora.lessons import Lesson, make, row_from, surroundings
from coalm.corpora.masking import Row, samples
from coalm.corpora.schemas import misfit
from coalm.formats import encode, format_of
from coalm.formats.tokens import ByteTokenizer
from coalm.types import Assistant, Dialogue, Sample, System, ToolSpec, User
from tests.corpora.rows import ROWS, SONG, SUNNY

AROUND = surroundings(ROWS)
LESSONS: tuple[Lesson, ...] = get_args(Lesson)


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("masked", [0.0, 1.0])
def test_every_lesson_is_writable_and_its_calls_fit(lesson: Lesson, masked: float) -> None:
    found = [s for row in ROWS for s in make(row, lesson, "x", AROUND, masked=masked)]
    assert found
    for sample in found:
        turns = [t for t in sample.dialogue.turns if isinstance(t, Assistant)]
        tools = sample.dialogue.tools
        assert not [w for t in turns for c in t.calls if (w := misfit(c, tools))]
        [example] = format_of("chatml", sample.dialect or "json").examples(sample.dialogue)
        assert any(encode(example, ByteTokenizer()).learned)


def test_lessons_of_one_row_have_names_of_their_own() -> None:
    ids = [s.id for row in ROWS for lesson in LESSONS for s in make(row, lesson, "x", AROUND)]
    assert len(set(ids)) == len(ids)


def test_a_lesson_is_the_same_again_and_another_seed_makes_another() -> None:
    def rows(seed: int) -> list[Sample]:
        return [s for row in ROWS for x in LESSONS for s in make(row, x, "x", AROUND, seed=seed)]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_without_a_list_of_tools_the_rows_own_are_the_shelf() -> None:
    def names(tools: tuple[tuple[ToolSpec, str], ...]) -> set[str]:
        return {tool.name for tool, _ in tools}

    pooled = {t.name for row in AROUND.pool.rows for t in row.tools}
    assert names(AROUND.shelf.tools) == pooled
    assert names(surroundings(ROWS, [(SONG.tools[0], "music")]).shelf.tools) == {"find_chords"}


def test_a_sample_of_one_request_is_a_row_and_any_other_is_none() -> None:
    [sample] = samples(SUNNY, "x", seed=1, masked=0.0)
    row = row_from(sample)
    assert isinstance(row, Row)
    assert (row.query, row.answers) == (SUNNY.query, SUNNY.answers)
    turns = (System("Be brief."), User("Hi"), Assistant("Hello."))
    assert row_from(Sample("x", "x", Dialogue(turns, SUNNY.tools))) is None
    assert row_from(Sample("x", "x", Dialogue((User("Hi"), Assistant("Hello.")), ()))) is None
