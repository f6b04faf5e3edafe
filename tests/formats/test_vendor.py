"""Our layouts against the vendors' own templates, on ordinary text.

SmolLM2's template comes with the embedded model and is rendered as it is. Llama 3's is
written down here as Meta documents it; the vendor's file is compared in a later issue.
"""

from pathlib import Path
from typing import Any

import pytest

from coalm.formats import encode, format_of, plain
from coalm.formats.tokens import open_tokenizer
from coalm.types import Assistant, Dialogue, System, User

TALK = Dialogue(
    (System("You are kind."), User("Hello there!"), Assistant("Hi, how are you?"), User("Well."))
)
MESSAGES = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "Hello there!"},
    {"role": "assistant", "content": "Hi, how are you?"},
    {"role": "user", "content": "Well."},
]


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


def test_llama3_is_written_as_documented() -> None:
    assert plain(format_of("llama3", "json").prompt(TALK)) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello there!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHi, how are you?<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWell.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
