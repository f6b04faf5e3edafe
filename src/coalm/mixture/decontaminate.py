"""Keeping a benchmark's test data out of training: rows that repeat its words are dropped.

A row counts as seen when one of its utterances shares `n` words in a row with a held-out
text (13 is the usual choice), when the whole of a one-turn request is a held-out text
that is shorter than that, or when its id or its dialogue's id is held out by name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coalm.types import Assistant, Sample, User

SHORTEST = 6
"""A shorter text is common speech, no sign of a leak."""

_WORD = re.compile(r"\w+")
_SPEAKER = re.compile(r"^(?:User|System): ")


@dataclass(frozen=True, slots=True)
class Leak:
    """Test data inside a sample."""

    benchmark: str
    evidence: str
    """The words or the id that they share."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What must not be trained on, by benchmark."""

    ngram: int
    texts: Mapping[str, int]
    """How many texts each benchmark holds out."""
    grams: Mapping[str, str]
    """Word n-grams and whole short texts -> the benchmark that holds them out."""
    names: Mapping[str, str]
    """The texts as they are, since one may name a row or a dialogue."""

    def seen(self, sample: Sample) -> Leak | None:
        """What a sample repeats of a benchmark, if it does."""
        for name in (sample.id, sample.group):
            if name in self.names:
                return Leak(self.names[name], name)
        for gram in _of_sample(sample, self.ngram) if self.grams else ():
            if gram in self.grams:
                return Leak(self.grams[gram], gram)
        return None


def hold_out(texts: Mapping[str, Iterable[str]], ngram: int) -> HeldOut:
    """The texts of each benchmark, ready to be compared with; 0 as `ngram` holds out none."""
    counts: dict[str, int] = {}
    grams: dict[str, str] = {}
    names: dict[str, str] = {}
    for benchmark, given in texts.items():
        counts[benchmark] = 0
        for text in given if ngram else ():
            counts[benchmark] += 1
            names.setdefault(text, benchmark)
            words = _words(text)
            for gram in (*_grams(words, ngram), *_whole(words, ngram)):
                grams.setdefault(gram, benchmark)
    return HeldOut(ngram, counts, grams, names)


def _of_sample(sample: Sample, ngram: int) -> Iterator[str]:
    users = [turn.text for turn in sample.dialogue.turns if isinstance(turn, User)]
    spoken = [turn.text for turn in sample.dialogue.turns if isinstance(turn, Assistant)]
    for text in (*users, *spoken):
        for line in text.splitlines():
            yield from _grams(_words(_SPEAKER.sub("", line)), ngram)
    if len(users) == 1:
        yield from _whole(_words(users[0]), ngram)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(words: Sequence[str], ngram: int) -> Iterator[str]:
    for start in range(len(words) - ngram + 1 if ngram else 0):
        yield " ".join(words[start : start + ngram])


def _whole(words: Sequence[str], ngram: int) -> Iterator[str]:
    if SHORTEST <= len(words) < ngram:
        yield " ".join(words)
