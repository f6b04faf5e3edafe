"""Which layout a tokenizer is for, and how turns are joined where a layout has no role for them."""

import pytest
from tokenizers import AddedToken, Tokenizer, models

from coalm.errors import ModelError
from coalm.formats import DIALECTS, LAYOUTS, format_of, plain
from coalm.formats.layouts import layout_for
from coalm.formats.tokens import ModelTokenizer
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, User

CALL = Assistant("", "", (ToolCall("find_bus", {"to": "ely"}),))


def knowing(*markers: str) -> ModelTokenizer:
    backend = Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    backend.add_special_tokens([AddedToken(marker, special=True) for marker in markers])
    return ModelTokenizer(backend)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_known_by_its_signs_and_by_no_fewer(name: str) -> None:
    signs = LAYOUTS[name].signs
    assert layout_for(knowing(*signs, "<|else|>")).name == name
    for left_out in range(len(signs)):
        fewer = [sign for at, sign in enumerate(signs) if at != left_out]
        try:
            assert layout_for(knowing(*fewer)).name != name
        except ModelError as e:
            assert "has the markers of no layout" in str(e)  # noqa: PT017


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_marker_that_a_layout_writes_for_words_is_one_of_its_signs(name: str) -> None:
    known = LAYOUTS[name]
    pieces = known.begin()
    for role in ("system", "user", "assistant"):
        pieces += [*known.head(role), *known.tail(role)]
    assert {piece.text for piece in pieces if piece.control} <= set(known.signs)


def test_a_later_mistral_that_has_a_message_for_the_operator_is_not_taken_for_v03() -> None:
    with pytest.raises(ModelError, match="markers of no layout"):
        layout_for(knowing(*LAYOUTS["mistral"].signs, "[SYSTEM_PROMPT]"))


def test_mistral_has_the_operators_words_before_the_users() -> None:
    turns = (System("Be kind."), User("Hi."), Assistant("Hello."), User("So."), User("Well?"))
    assert plain(format_of("mistral", "json").prompt(Dialogue(turns))) == (
        "<s>[INST]Be kind.\n\nHi.[/INST]Hello.</s>[INST]So.\n\nWell?[/INST]"
    )


def test_mistral_has_a_block_for_each_result() -> None:
    turns = (User("Hi."), CALL, Observation("TR9"), Observation("5 pounds"))
    assert plain(format_of("mistral", "pythonic").prompt(Dialogue(turns))) == (
        "<s>[INST]Hi.[/INST][find_bus(to='ely')]</s>"
        "[TOOL_RESULTS]TR9[/TOOL_RESULTS][TOOL_RESULTS]5 pounds[/TOOL_RESULTS]"
    )


def test_granite_has_a_role_for_tools() -> None:
    turns = (User("Hi."), CALL, Observation("TR9"))
    assert "<|start_of_role|>tool<|end_of_role|>TR9<|end_of_text|>\n" in plain(
        format_of("granite", "json").prompt(Dialogue(turns))
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_tool_says_never_looks_like_what_a_user_says(layout: str, dialect: str) -> None:
    fmt = format_of(layout, dialect)
    shown, said = (
        plain(fmt.prompt(Dialogue((User("Hi."), Assistant("Hm."), turn))))
        for turn in (Observation("TR9"), User("TR9"))
    )
    assert shown != said
    assert "TR9" in shown


@pytest.mark.parametrize(
    ("dialect", "shown"),
    [
        ("json", "<tool_response>\nTR9\n</tool_response>\n<tool_response>\n5\n</tool_response>"),
        ("hermes", "<tool_response>\nTR9\n</tool_response>\n<tool_response>\n5\n</tool_response>"),
        ("react", "Observation: TR9\nObservation: 5"),
    ],
)
def test_qwen_shows_results_as_one_message_of_the_users_in_tags(dialect: str, shown: str) -> None:
    turns = (User("Hi."), CALL, Observation("TR9"), Observation("5"))
    text = plain(format_of("qwen", dialect).prompt(Dialogue(turns)))
    assert text.endswith(f"<|im_start|>user\n{shown}<|im_end|>\n<|im_start|>assistant\n")


THINKING = Assistant("One moment.", "Both are needed.", (*CALL.calls, ToolCall("fare", {"n": 2})))


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_thought_beside_no_call_one_or_several_survives(
    layout: str, dialect: str, calls: int, rows: bool
) -> None:
    turn = Assistant(THINKING.text, THINKING.thought, THINKING.calls[:calls])
    fmt = format_of(layout, dialect, rows=rows)
    [example] = fmt.examples(Dialogue((User("Hi."), turn)))
    learned = "".join(piece.text for piece in example if piece.learned)
    assert learned.endswith(fmt.layout.stop)
    assert THINKING.thought in learned
    assert fmt.read(learned.removesuffix(fmt.layout.stop)) == turn
