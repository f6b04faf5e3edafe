"""Which rows of a corpus go into a mixture: in the order of a seeded hash, the sound ones.

The order does not depend on the file's, so fewer rows of the same recipe are always a
subset of more.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from coalm import store
from coalm.corpora.records import chance
from coalm.errors import FormatError
from coalm.formats import encode, format_of
from coalm.formats.pieces import Tokenizer
from coalm.mixture.decontaminate import HeldOut
from coalm.mixture.readers import corpus
from coalm.mixture.settings import DataSettings, Part
from coalm.sources import Found
from coalm.types import Assistant, Sample, User

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""What is being done, how far it is, and of how many if that is known."""

AHEAD = 64
"""Rows looked at beyond twice those that are wanted."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A row that is kept, and how long it is."""

    sample: Sample
    tokens: int
    learned: int


@dataclass(slots=True)
class Choice:
    """What became of a part's rows."""

    read: int = 0
    kept: list[Measured] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Records that the reader left out, by reason."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Samples that were looked at and left out, by reason."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses rows; remembers what it has kept, so that nothing is kept twice."""

    settings: DataSettings
    tokenizer: Tokenizer
    held_out: HeldOut
    progress: Progress
    known: set[str] = field(default_factory=set)

    def choose(self, part: Part, found: Found) -> Choice:
        """The rows of a part; reads again, and further, if too many had to be dropped."""
        limit = None if part.rows is None else 2 * part.rows + AHEAD
        while True:
            choice = Choice()
            pool = self._pool(part, found, choice, limit)
            before = set(self.known)
            for done, sample in enumerate(pool, 1):
                if part.rows is not None and len(choice.kept) == part.rows:
                    break
                self._take(sample, part, choice)
                if done % 50 == 0:
                    self.progress(f"{part.corpus}: rows", len(choice.kept), part.rows)
            enough = part.rows is None or len(choice.kept) == part.rows
            if limit is None or enough or len(pool) == choice.read:
                return choice
            limit *= 4
            self.known.clear()
            self.known.update(before)

    def _pool(self, part: Part, found: Found, choice: Choice, limit: int | None) -> list[Sample]:
        def read() -> Iterator[Sample]:
            reader = corpus(part.corpus).read
            for sample in reader(found, part, self.settings.seed, lambda why: skip(why)):
                choice.read += 1
                if choice.read % 500 == 0:
                    self.progress(f"{part.corpus}: reading", choice.read, None)
                yield sample

        def skip(why: str) -> None:
            choice.skipped[why] += 1

        def order(sample: Sample) -> float:
            return chance(self.settings.seed, sample.id, "row")

        return sorted(read(), key=order) if limit is None else heapq.nsmallest(limit, read(), order)

    def _take(self, sample: Sample, part: Part, choice: Choice) -> None:
        sample = shortened(self._spoken_as(sample, part), part.turns)
        benchmark = self.held_out.seen(sample)
        if benchmark:
            choice.dropped[f"repeats {benchmark}"] += 1
            return
        try:
            tokens, learned = self.measure(sample)
        except FormatError:
            choice.dropped["a turn that its dialect cannot write"] += 1
            return
        if tokens > (part.longest or self.settings.longest):
            choice.dropped["too long"] += 1
            return
        row = store.dump_sample(sample)
        # Names aside: the same words, tools and dialect are the same lesson.
        content = store.content_hash([row["turns"], row["tools"], sample.dialect])
        if content in self.known:
            choice.dropped["the same as another row"] += 1
            return
        self.known.add(content)
        choice.kept.append(Measured(sample, tokens, learned))

    def _spoken_as(self, sample: Sample, part: Part) -> Sample:
        names = [name.strip() for name in part.dialect.split(",") if name.strip()]
        if not names:
            return sample
        which = int(chance(self.settings.seed, sample.id, "dialect") * len(names))
        return replace(sample, dialect=names[which])

    def measure(self, sample: Sample) -> tuple[int, int]:
        """Tokens of a sample, and how many of them are learned."""
        written = format_of(self.settings.layout, sample.dialect or self.settings.dialect)
        encoded = [encode(text, self.tokenizer) for text in written.examples(sample.dialogue)]
        return sum(len(e.ids) for e in encoded), sum(sum(e.learned) for e in encoded)


def shortened(sample: Sample, turns: int | None) -> Sample:
    """The sample up to the end of that many user turns; whole where `turns` is None."""
    if turns is None:
        return sample
    said = sample.dialogue.turns
    users = [i for i, turn in enumerate(said) if isinstance(turn, User)]
    end = users[turns] if len(users) > turns else len(said)
    while end and not isinstance(said[end - 1], Assistant):
        end -= 1  # nothing is learned from a turn that nobody answers
    return replace(sample, dialogue=sample.dialogue.until(end))
