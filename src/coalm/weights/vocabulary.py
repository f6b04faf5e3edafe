"""A `tokenizer.json` as GGUF's words for it: tokens, kinds of tokens, merges, special ids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.errors import ModelError

_BYTES = "ByteLevel"
_CASELESS = "(?i:"
"""How the patterns of Llama 3 and Qwen 2 begin."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens in the order of their ids, and how words are cut before they are merged."""

    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    """`gguf.TokenType` of each token."""
    pre: str
    """The name that llama.cpp gives to how text is cut into words; `default` if it has none."""
    merges: int
    """How many merges there are; the words of bytes alone have none."""


def vocabulary_of(folder: Path, size: int) -> Vocabulary:
    """The vocabulary of a model folder, filled up to the `size` of its embedding.

    A `ModelError` if there is none, or if it is of a kind that is not byte-level BPE.
    """
    from gguf import TokenType

    path = folder / "tokenizer.json"
    if not path.exists():
        other = next((p.name for p in folder.glob("*.model")), "")
        has = f"only {other}, a sentencepiece file" if other else "none"
        raise ModelError(
            f"{folder} has no tokenizer.json ({has}); load it with transformers' AutoTokenizer and "
            "save_pretrained it there"
        )
    whole = store.read_json(path)
    try:
        model = whole["model"]
        if model.get("type", "BPE") != "BPE" or model.get("byte_fallback"):
            raise ModelError(
                f"{path}: a sentencepiece vocabulary; only byte-level BPE (Llama 3, Qwen, SmolLM) "
                "can be written as GGUF"
            )
        if _BYTES not in json.dumps([whole.get("pre_tokenizer"), whole.get("decoder")]):
            raise ModelError(f"{path}: this BPE is not of bytes, so GGUF cannot hold it")
        ids: dict[int, tuple[str, int]] = {
            i: (token, TokenType.NORMAL.value) for token, i in model["vocab"].items()
        }
        for added in whole.get("added_tokens") or ():
            kind = TokenType.CONTROL if added.get("special") else TokenType.USER_DEFINED
            ids[added["id"]] = (added["content"], kind.value)
    except (KeyError, TypeError, AttributeError) as e:
        raise ModelError(f"{path}: not a readable tokenizer: {e!r}") from None
    if max(ids, default=-1) >= size:
        raise ModelError(
            f"{path} has an id {max(ids)} and the model's embedding has only {size} rows"
        )
    filled = [ids.get(i, (f"[PAD{i}]", TokenType.UNUSED.value)) for i in range(size)]
    return Vocabulary(
        tuple(token for token, _ in filled),
        tuple(kind for _, kind in filled),
        _pre(whole),
        len(model.get("merges") or ()),
    )


def _pre(whole: Mapping[str, Any]) -> str:
    """llama.cpp's name for the way in which a tokenizer cuts text, told from its parts."""
    cutter = whole.get("pre_tokenizer") or {}
    parts = cutter.get("pretokenizers") or [cutter]
    kinds = [part.get("type") for part in parts]
    patterns = [
        str((part.get("pattern") or {}).get("Regex", "")) for part in parts if "pattern" in part
    ]
    if kinds == [_BYTES] and parts[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", _BYTES] and parts[0].get("individual_digits"):
        return "smollm"
    if kinds == ["Split", _BYTES] and patterns[0].startswith(_CASELESS):
        if r"\p{N}{1,3}" in patterns[0]:
            return "llama-bpe"
        if r"|\p{N}|" in patterns[0]:
            return "qwen2"
    return "default"
