"""ROUGE-L of replies: the values of the package that API-Bank's evaluator uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.bench.apibank.replies import bare, rouge_l

# By `rouge` 1.0.1, `Rouge().get_scores(said, wanted)[0]["rouge-l"]["f"]`.
BY_THE_PACKAGE = [
    ("the cat sat on the mat", "the cat lay on a mat", 0.7272727223140496),
    ("Yes. The lamp is on.", "The lamp is on. Yes", 0.999999995),
    ("a b c d", "d c b a", 0.24999999500000009),
    ("the reminder is set.  Bye", "Your reminder is set for nine.", 0.5454545404958678),
]


@pytest.mark.parametrize(("said", "wanted", "value"), BY_THE_PACKAGE)
def test_the_score_is_the_package_s(said: str, wanted: str, value: float) -> None:
    assert rouge_l(said, wanted) == pytest.approx(value, abs=1e-12)


def test_nothing_is_like_nothing() -> None:
    assert rouge_l("", "a") == rouge_l("a", "") == rouge_l("...", "a") == 0.0


def test_names_of_speakers_are_no_part_of_a_reply() -> None:
    assert bare(" AI: It is User: done. ") == "It is  done."


@given(st.text(), st.text())
def test_a_score_is_between_zero_and_one_and_one_for_itself(one: str, other: str) -> None:
    assert 0.0 <= rouge_l(one, other) <= 1.0
    assert rouge_l(one, one) in (0.0, pytest.approx(1.0, abs=1e-6))


def test_a_reply_without_end_is_cut() -> None:
    assert rouge_l("lamp on. " * 100_000, "The lamp is on.") > 0.0
