"""Rows that are given whole: shown as rows, word for word, and unable to say anything else."""

import pytest

from coalm.errors import FormatError, RecipeError
from coalm.formats import Row, Rows, format_of, plain
from coalm.types import Assistant, Dialogue, System, ToolCall, User
from tests.formats.dialogues import tool

ROW = Dialogue((System("Name the domain."), User("User: play jazz"), Assistant("System: music")))


def test_a_row_is_shown_as_the_released_recipes_do() -> None:
    [example] = format_of("chatml", "verbatim").examples(ROW)

    assert plain(example) == (
        "<|im_start|>user\nName the domain.\n\nUser: play jazz<|im_end|>\n"
        "<|im_start|>assistant\nSystem: music<|im_end|>\n"
    )
    assert "".join(p.text for p in example if p.learned) == "System: music<|im_end|>"


def test_it_is_always_a_row_and_gives_its_three_parts_back() -> None:
    for rows in (False, True):
        fmt = format_of("llama3", "verbatim", rows=rows)
        assert isinstance(fmt, Rows)
        assert fmt.rows(ROW) == [Row("Name the domain.", "User: play jazz", "System: music")]


@pytest.mark.parametrize(
    "turn", [Assistant("so", "hm"), Assistant(calls=(ToolCall("find_bus", {}),))]
)
def test_a_thought_or_a_call_is_refused(turn: Assistant) -> None:
    with pytest.raises(FormatError, match="verbatim cannot write"):
        format_of("chatml", "verbatim").examples(Dialogue((User("hi"), turn)))


def test_tools_are_refused_rather_than_kept_from_the_model() -> None:
    with pytest.raises(FormatError, match=r"cannot show tools \(find_bus\).*choose pythonic"):
        format_of("chatml", "verbatim").prompt(Dialogue((User("hi"),), (tool,)))


def test_a_wrong_name_is_still_answered_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError, match="did you mean 'verbatim'"):
        format_of("chatml", "verbatm")
