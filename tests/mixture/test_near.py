"""Near-duplicates: what says almost the same goes, what only shares a source stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.mixture import near
from coalm.types import Assistant, Dialogue, Sample, User

WORDS = [f"word{n}" for n in range(120)]


def _sample(words: list[str], name: str = "a") -> Sample:
    return Sample(name, "x", Dialogue((User(" ".join(words)), Assistant("fine"))))


def _gone(
    *texts: list[str], groups: list[int] | None = None, threshold: float = 0.7
) -> dict[int, tuple[int, float]]:
    signed = near.signatures([_sample(text) for text in texts])
    numbers = np.array(groups or range(len(texts)), dtype=np.uint64)
    return near.repeated(signed, numbers, threshold)


def test_a_row_with_one_word_changed_goes_and_another_text_stays() -> None:
    changed = [*WORDS[:60], "other", *WORDS[61:]]
    assert list(_gone(WORDS, changed, WORDS[::-1])) == [1]


def test_the_earlier_row_stays_and_is_named_with_the_similarity() -> None:
    [(late, (early, alike))] = _gone(WORDS[:50], WORDS, [*WORDS, "more"]).items()
    assert (late, early) == (2, 1)
    assert 0.9 < alike <= 1.0


def test_rows_of_one_group_are_variants_made_on_purpose() -> None:
    assert _gone(WORDS, WORDS, groups=[7, 7]) == {}
    assert list(_gone(WORDS, WORDS, groups=[7, 8])) == [1]


def test_a_row_that_goes_takes_no_other_with_it() -> None:
    """c is like b and not like a: b goes for a, so c stays."""
    a, b, c = WORDS, WORDS[12:] + ["x"] * 3, WORDS[26:] + ["x"] * 3 + ["y"] * 12
    assert list(_gone(a, b, c, threshold=0.75)) == [1]
    assert list(_gone(b, c, threshold=0.75)) == [1]


def test_the_estimate_is_near_the_jaccard_index() -> None:
    one, two = set(near.shingles(_sample(WORDS))), set(near.shingles(_sample(WORDS[30:])))
    signed = near.signatures([_sample(WORDS), _sample(WORDS[30:])])
    assert (signed[0] == signed[1]).mean() == pytest.approx(
        len(one & two) / len(one | two), abs=0.15
    )


def test_known_rows_stay_whatever_comes() -> None:
    signed = near.signatures([_sample(WORDS), _sample(WORDS), _sample(WORDS)])
    groups = np.array([1, 2, 3], dtype=np.uint64)
    assert list(near.repeated(signed, groups, 0.8, known=2)) == [2]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_one_of_each_text_stays_however_many_there_are(which: list[int]) -> None:
    texts = [[f"t{n}w{i}" for i in range(30)] for n in which]
    gone = _gone(*texts)
    assert sorted(which[i] for i in range(len(which)) if i not in gone) == sorted(set(which))
