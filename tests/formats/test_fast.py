"""The fast way to token ids is the same way: on hard texts, on real ones, and never half."""

import json
import sys
import tarfile
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE

from coalm import sources
from coalm.formats.fast import PROBES, agrees, open_fast
from coalm.formats.tokens import ModelTokenizer, open_tokenizer
from tests.formats.dialogues import NASTY

fastokens = pytest.importorskip("fastokens")

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
MERGES = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "t"), ("Ġt", "o")]


def saved(path: Path, *, merges: int = len(MERGES), without: str = "") -> Tokenizer:
    """A byte-level tokenizer of a few merges, written as `tokenizer.json`."""
    words = [b for b in BYTES if b not in without] + [a + b for a, b in MERGES]
    vocabulary = {word: n for n, word in enumerate(words)}
    made = Tokenizer(BPE(vocab=vocabulary, merges=MERGES[:merges]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    made.save(str(path / "tokenizer.json"))
    return made


def many(tok: ModelTokenizer, texts: list[str]) -> list[list[int]]:
    ids, ends = tok.texts(texts)
    assert (len(ids), len(ends)) == (ends[-1], len(texts) + 1)
    return [ids[a:b].tolist() for a, b in pairwise(ends)]


def one_by_one(tok: ModelTokenizer, texts: list[str]) -> list[list[int]]:
    return [list(tok.text(text)) for text in texts]


def test_it_is_used_where_it_gives_the_same_ids(tmp_path: Path) -> None:
    saved(tmp_path)
    tok = open_tokenizer(tmp_path)
    assert tok.fast
    texts = ["hello to", "", *PROBES, *NASTY]
    assert many(tok, texts) == one_by_one(tok, texts)


def test_it_is_not_used_where_ids_differ(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "other").mkdir()
    other = saved(tmp_path / "other", merges=4)
    assert open_fast(tmp_path / "tokenizer.json", other) is None


def test_a_kind_of_tokenizer_that_it_does_not_know_takes_the_usual_way(tmp_path: Path) -> None:
    made = saved(tmp_path)
    made.pre_tokenizer = pre_tokenizers.UnicodeScripts()
    made.save(str(tmp_path / "tokenizer.json"))
    tok = open_tokenizer(tmp_path)
    assert not tok.fast
    assert many(tok, ["hello to"]) == one_by_one(tok, ["hello to"])


def test_without_the_package_ids_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path)
    texts = ["hello to", "", *PROBES, *NASTY]
    with_it = many(open_tokenizer(tmp_path), texts)
    monkeypatch.setitem(sys.modules, "fastokens", None)
    tok = open_tokenizer(tmp_path)
    assert not tok.fast
    assert many(tok, texts) == with_it


def test_a_byte_that_the_vocabulary_lacks_vanishes_either_way(tmp_path: Path) -> None:
    saved(tmp_path, without="Ā")  # the byte 0
    tok = open_tokenizer(tmp_path)
    assert tok.fast
    texts = ["hello", "to \x00 hello", "to"]
    assert many(tok, texts) == one_by_one(tok, texts)
    assert many(tok, ["\x00"]) == [[]]


def test_a_file_that_asks_for_truncation_cuts_nothing(tmp_path: Path) -> None:
    made = saved(tmp_path)
    made.enable_truncation(3)
    made.enable_padding(length=9)
    made.save(str(tmp_path / "tokenizer.json"))
    tok = open_tokenizer(tmp_path)
    assert len(tok.text("x" * 50)) == len(many(tok, ["x" * 50])[0]) == 50


@pytest.mark.model
def test_the_embedded_model_takes_the_fast_way(embedded: Path) -> None:
    assert opened(embedded).fast


@cache
def opened(folder: Path) -> ModelTokenizer:
    return open_tokenizer(folder)


@pytest.mark.model
@given(texts=st.lists(st.text() | st.sampled_from([*NASTY, *PROBES]), max_size=8))
@example(texts=["\x04 and \U000f0000", "hello", ""])
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_have_the_ids_that_each_has_alone(texts: list[str], embedded: Path) -> None:
    tok = opened(embedded)
    assert many(tok, texts) == one_by_one(tok, texts)


def strings(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def archived(folder: Path) -> Iterator[str]:
    """Every text of the JSON files in a folder's archives, once."""
    seen: set[str] = set()
    for path in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.endswith(".json") else None
                for value in json.load(file) if file else []:
                    for text in strings(value):
                        if text not in seen:
                            seen.add(text)
                            yield text


@pytest.mark.model
@pytest.mark.data
@pytest.mark.slow
def test_what_sgd_says_has_the_same_ids(embedded: Path) -> None:
    mirror = sources.mirror()
    assert mirror is not None
    texts = list(islice(archived(mirror / "sgd"), 60_000))
    backend = Tokenizer.from_file(str(embedded / "tokenizer.json"))
    fast = open_fast(embedded / "tokenizer.json", backend)
    assert len(texts) > 1_000
    assert fast is not None
    for start in range(0, len(texts), 5_000):
        some = texts[start : start + 5_000]
        found = fast.batch(some)
        assert found is not None
        ids, ends = found
        usual = backend.encode_batch_fast(some, add_special_tokens=False)
        assert [ids[a:b].tolist() for a, b in pairwise(ends)] == [one.ids for one in usual]


def test_agreement_is_refused_for_one_wrong_id(tmp_path: Path) -> None:
    backend = saved(tmp_path)
    fast = open_fast(tmp_path / "tokenizer.json", backend)
    assert fast is not None
    assert agrees(fast, backend, ["hello"])
    (tmp_path / "other").mkdir()
    assert not agrees(fast, saved(tmp_path / "other", without="!"), ["hello"])
