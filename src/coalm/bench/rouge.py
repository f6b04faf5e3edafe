"""ROUGE and BLEU as LLaMA-Factory's predict step computes them (Paper 5.1, API-Bank).

Words are jieba's, ROUGE is `rouge_chinese`'s F score, BLEU is nltk's sentence BLEU over
characters with smoothing method 3. These are odd choices for English JSON, and they are
kept because published API-Bank figures are made with them. The libraries come with the
`eval` extra and are imported at the first score.
"""

import logging
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from coalm import sources
from coalm.errors import MissingExtra

LONGEST = 8_000
"""Characters of a text that are compared. Deviation D23: ROUGE-L takes time and memory that
grow with the product of both lengths, so what a model rambles beyond this is cut off."""

PACKAGES = ("jieba", "rouge-chinese", "nltk")
"""Where the metrics come from."""


@dataclass(frozen=True, slots=True)
class TextScores:
    """How like two texts are, each score between 0 and 1."""

    rouge1: float
    rouge2: float
    rougel: float
    bleu4: float


def text_scores(said: str, wanted: str) -> TextScores:
    """A prediction against its label; all zero where either has no word in it.

    `MissingExtra` if the libraries are not there.
    """
    return _scores(said[:LONGEST], wanted[:LONGEST])


@lru_cache(maxsize=2_048)
def _scores(said: str, wanted: str) -> TextScores:
    """The same pair is met more than once: as written, rewritten, and when judged again."""
    measure = _measure()
    left, right = measure.words(said), measure.words(wanted)
    if not left.split() or not right.split():
        return TextScores(0.0, 0.0, 0.0, 0.0)
    # LLaMA-Factory rounds each row's percentages to four places before it averages.
    scores = (*measure.rouge(left, right), measure.bleu(said, wanted))
    return TextScores(*(round(score, 6) for score in scores))


def versions() -> dict[str, str]:
    """The version of each library that is installed, by its package name."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@dataclass(frozen=True, slots=True)
class _Measure:
    """The three libraries, loaded and quiet."""

    words: Callable[[str], str]
    rouge: Callable[[str, str], tuple[float, float, float]]
    bleu: Callable[[str, str], float]


@lru_cache(maxsize=1)
def _measure() -> _Measure:
    # jieba's sources hold escapes that newer Pythons warn of, and it asks pkg_resources.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import jieba
            from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
            from rouge_chinese import Rouge
        except ImportError:
            raise MissingExtra("eval", "API-Bank's text metrics") from None
        cut = _quiet(jieba)
    scorer, smooth = Rouge(), SmoothingFunction().method3

    def words(text: str) -> str:
        return " ".join(cut(text))

    def rouge(said: str, wanted: str) -> tuple[float, float, float]:
        (scores,) = scorer.get_scores(said, wanted)
        first, second, longest = (scores[f"rouge-{kind}"]["f"] for kind in ("1", "2", "l"))
        return first, second, longest

    def bleu(said: str, wanted: str) -> float:
        return float(sentence_bleu([list(wanted)], list(said), smoothing_function=smooth))

    return _Measure(words, rouge, bleu)


def _quiet(jieba: ModuleType) -> Callable[[str], list[str]]:
    """A word cutter of our own that tells nobody and keeps its index in our cache folder.

    jieba would keep it in the machine's shared temporary folder and load whatever lies
    there under that name.
    """
    jieba.setLogLevel(logging.CRITICAL)
    tokenizer = jieba.Tokenizer()
    folder = sources.cache() / "jieba"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    tokenizer.tmp_dir = str(folder)
    tokenizer.initialize()
    cut: Callable[[str], list[str]] = tokenizer.lcut
    return cut
