"""The embedded model as GGUF: what it answers to fifty prompts is what its source answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coalm.formats import encode, format_of
from coalm.formats.tokens import open_tokenizer
from coalm.types import Dialogue, User
from coalm.weights import write_gguf
from tests.checkpoints import loaded
from tests.weights.test_gguf import read_back

pytestmark = [pytest.mark.slow, pytest.mark.model]

WHAT = ("a hotel in the north", "a train to Ely", "an Indian restaurant", "a taxi", "the museum")
ASKED = (
    "Find me {}.",
    "I need {} for two people.",
    "How do I book {}?",
    "Write a line about {}.",
    "Is {} cheap?",
    "Call me when you have {}!",
    "Why would anyone want {}?",
    "Name three reasons for {}.",
    "Say {} in French.",
    "What comes after {}?",
)
NEW = 8


@dataclass(frozen=True)
class Greedy:
    """Fifty prompts with what the source answers to them, and its logits where it chose."""

    ids: Any
    mask: Any
    start: int
    said: Any
    """Which of the new tokens are of the answer: up to its end."""
    logits: Any

    @property
    def chosen(self) -> Any:
        return self.ids[:, self.start :]


def at_choices(net: Any, ids: Any, mask: Any, start: int) -> Any:
    """The logits by which each answered token was chosen."""
    import torch

    places = mask.cumsum(1).sub(1).clamp(min=0)
    with torch.inference_mode():
        wanted = NEW + 1
        found = net(ids, attention_mask=mask, position_ids=places, logits_to_keep=wanted).logits
    assert ids.shape[1] - start == NEW
    return found[:, :-1]


@pytest.fixture(scope="module")
def greedy(embedded: Path) -> Greedy:
    import torch

    tokenizer, form = open_tokenizer(embedded), format_of("chatml", "json")
    texts = [asked.format(what) for asked in ASKED for what in WHAT]
    rows = [encode(form.prompt(Dialogue((User(text),))), tokenizer).ids for text in texts]
    assert len(rows) == len(set(map(tuple, rows))) == 50
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    source = loaded(embedded)
    with torch.inference_mode():
        told = source.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=NEW,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
    ids = told.sequences
    ends = (ids[:, width:] == tokenizer.control("<|im_end|>")).int()
    said = ends.cumsum(1) - ends == 0
    mask = torch.cat([mask, torch.ones(50, NEW, dtype=mask.dtype)], dim=1)
    return Greedy(ids, mask, width, said, torch.stack(told.logits, dim=1))


@pytest.mark.parametrize(
    ("dtype", "apart", "same", "nearly"),
    [
        ("f16", 1e-3, 1.0, 0.0),  # bfloat16 weights are exact in it, but for the very smallest
        ("q8_0", 0.25, 0.92, 0.5),
    ],
)
def test_greedy_answers_are_the_source_s_within_rounding(
    dtype: str,
    apart: float,
    same: float,
    nearly: float,
    greedy: Greedy,
    embedded: Path,
    tmp_path: Path,
) -> None:
    """`apart`: how far logits are from the source's, on average; they spread by 7.5. `same`: the
    share of tokens that are the source's own. `nearly`: how many logits the others are behind."""
    net = read_back(write_gguf(embedded, tmp_path / "m.gguf", dtype))
    found = at_choices(net, greedy.ids, greedy.mask, greedy.start)
    choice = found.argmax(-1, keepdim=True)
    behind = greedy.logits.max(-1).values - greedy.logits.gather(-1, choice).squeeze(-1)
    equal = (choice.squeeze(-1) == greedy.chosen)[greedy.said]
    off = (found - greedy.logits)[greedy.said].abs()
    assert len(equal) > 50 * NEW * 0.9
    assert off.mean() < apart
    assert equal.float().mean() >= same
    assert behind[greedy.said].max() <= nearly
