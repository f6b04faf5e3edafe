"""The text metrics of API-Bank: what they give, and that they keep quiet."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalm.bench import rouge
from coalm.bench.rouge import LONGEST, TextScores, text_scores
from coalm.errors import MissingExtra

CALL = '```[{"name": "Add", "arguments": {"a": "1"}}]```'
NOTHING = TextScores(0.0, 0.0, 0.0, 0.0)


def test_the_label_itself_scores_one() -> None:
    assert text_scores(CALL, CALL) == TextScores(1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_a_text_without_words_scores_zero(blank: str) -> None:
    assert text_scores(blank, CALL) == text_scores(CALL, blank) == NOTHING


def test_words_are_compared_for_rouge_and_characters_for_bleu() -> None:
    scores = text_scores("abcdefgh", "abcdefgx")

    assert (scores.rouge1, scores.rougel) == (0.0, 0.0)
    assert scores.bleu4 == pytest.approx((7 / 8 * 6 / 7 * 5 / 6 * 4 / 5) ** 0.25, abs=1e-6)


def test_bleu_smooths_missing_n_grams_by_method_3() -> None:
    # One and two characters match 2 of 4 and 1 of 3 times; the first missing order counts
    # half a match of its 2, the next a quarter of its 1.
    expected = (2 / 4 * 1 / 3 * (1 / 2) / 2 * (1 / 4) / 1) ** 0.25

    assert text_scores("abcd", "abxy").bleu4 == pytest.approx(expected, abs=1e-6)


def test_bleu_punishes_an_answer_that_is_too_short() -> None:
    assert text_scores("abcdefg", "abcdefgh").bleu4 == pytest.approx(math.exp(1 - 8 / 7), abs=1e-6)


def test_rouge_l_is_the_f_score_of_the_longest_common_run() -> None:
    scores = text_scores("one two three", "one three")

    # jieba counts the blanks between words, but ROUGE does not.
    assert scores.rougel == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1), abs=1e-6)


def test_scores_are_rounded_as_the_reference_rounds_them() -> None:
    scores = text_scores("one two three", "one three")

    assert scores.rougel == round(scores.rougel, 6)


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_have_scores_between_zero_and_one(said: str, wanted: str) -> None:
    scores = text_scores(said, wanted)

    assert all(0.0 <= s <= 1.0 for s in (scores.rouge1, scores.rouge2, scores.rougel, scores.bleu4))


def test_a_text_without_end_is_cut_before_it_is_compared() -> None:
    assert text_scores("ab " * LONGEST, CALL) == text_scores(("ab " * LONGEST)[:LONGEST], CALL)


def test_the_versions_of_the_libraries_are_known() -> None:
    assert set(rouge.versions()) == set(rouge.PACKAGES)


def test_the_first_score_says_nothing_and_warns_of_nothing() -> None:
    code = "from coalm.bench.rouge import text_scores; text_scores('a b', 'a c')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rouge_chinese", None)
    rouge._measure.cache_clear()

    with pytest.raises(MissingExtra, match=r"coalm\[eval\]"):
        text_scores("a", "a")
