"""Rows to look at: by corpus, id or words, drawn at random, and those left out."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coalm import store
from coalm.errors import DataError
from coalm.mixture.look import Wanted, left_out, look
from coalm.types import Dialogue, Sample, User
from tests.mixture.folders import EVERY, NOTHING, TALK, TWICE, data_folder


def test_rows_are_found_by_corpus_and_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix")
    assert look(folder, Wanted(corpus="toolace"), 9) == [TWICE]
    assert look(folder, Wanted(id="hammer/"), 9) == [NOTHING]
    assert look(folder, Wanted(), 2) == list(EVERY[:2])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("THE TR9", [TALK, TWICE]),
        ("i need the buses", [TALK]),
        ('"bus": "TR9"', [TALK, TWICE]),
        ('find_bus(to="Ely")', [TALK]),
        ('(to="Ely", seats=2)', [TWICE]),
        ("poem", [NOTHING]),
    ],
)
def test_words_are_found_wherever_they_are_said(
    words: str, found: list[Sample], tmp_path: Path
) -> None:
    assert look(data_folder(tmp_path / "mix"), Wanted(words=words), 9) == found


@pytest.mark.parametrize("words", ["role", "assistant", "arguments", "sgd-cra"])
def test_the_names_of_fields_are_not_words(words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row with the words"):
        look(data_folder(tmp_path / "mix"), Wanted(words=words), 9)


def test_a_draw_depends_on_its_seed_alone_and_is_even(tmp_path: Path) -> None:
    rows = [replace(TALK, id=str(n), dialogue=Dialogue((User("x"),))) for n in range(6)]
    folder = data_folder(tmp_path / "mix", rows)
    draws = [tuple(s.id for s in look(folder, Wanted(), 2, seed)) for seed in range(150)]

    assert draws[3] == tuple(s.id for s in look(folder, Wanted(), 2, 3))
    drawn = Counter(name for draw in draws for name in draw)
    assert len(drawn) == 6
    assert min(drawn.values()) > 25  # 50 each where the draw is even


def test_a_corpus_that_is_not_there_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'sgd-cra'"):
        look(data_folder(tmp_path / "mix"), Wanted(corpus="sgd-car"), 1)


def test_what_was_left_out_is_read_by_reason(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix", left_out="left_out.jsonl")
    gone: list[dict[str, Any]] = [
        {"id": "a", "corpus": "snips", "reason": "too long", "evidence": "9,000 tokens"},
        {"id": "b", "corpus": "snips", "reason": "repeats multiwoz", "evidence": ["x", "y"]},
    ]
    store.append(folder / "left_out.jsonl", gone)

    assert [one.id for one in left_out(folder)] == ["a", "b"]
    assert [one.evidence for one in left_out(folder, reason="REPEATS")] == ['["x", "y"]']
    assert not list(left_out(folder, corpus="glaive"))


def test_a_list_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="keeps no list"):
        list(left_out(data_folder(tmp_path / "none")))
    folder = data_folder(tmp_path / "mix", left_out="left_out.jsonl")
    with pytest.raises(DataError, match=r"left_out\.jsonl is missing"):
        list(left_out(folder))
    (folder / "left_out.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(DataError, match=r"left_out\.jsonl:1: a line lacks 'corpus'"):
        list(left_out(folder))
