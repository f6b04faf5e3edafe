"""What a row of single-turn calling can teach besides its call.

One row, five lessons: the call itself; leaving the request alone where no tool fits; asking
for what is missing; two requests at once; and another output syntax. A part of a mixture
takes one lesson of a corpus, so that the balance is the recipe's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from coalm.corpora import clarify, irrelevance, parallel, syntaxes
from coalm.corpora.irrelevance import Shelf, shelf_of
from coalm.corpora.masking import Row, samples
from coalm.corpora.parallel import Pool, pool_of
from coalm.types import Assistant, Sample, ToolSpec, User

Lesson = Literal["calls", "irrelevant", "clarify", "joined", "syntax"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lesson needs of the whole corpus: other tools, other rows."""

    shelf: Shelf
    pool: Pool


def surroundings(
    rows: Iterable[Row], tools: Iterable[tuple[ToolSpec, str]] = (), *, seed: int = 42
) -> Surroundings:
    """Those of a corpus; without `tools`, the tools are those of the rows kept in the pool."""
    pool = pool_of(rows, seed=seed)
    shelf = shelf_of(tools)
    if not shelf.tools:
        shelf = shelf_of((tool, "") for row in pool.rows for tool in row.tools)
    return Surroundings(shelf, pool)


def make(
    row: Row,
    lesson: Lesson,
    corpus: str,
    around: Surroundings,
    *,
    seed: int = 42,
    masked: float = 0.0,
    copies: int = 1,
    answered: float = 0.5,
) -> Iterator[Sample]:
    """The samples of one lesson of a row; none where the row does not allow it."""
    match lesson:
        case "calls":
            yield from samples(row, corpus, seed=seed, masked=masked, copies=copies)
        case "irrelevant":
            for one in irrelevance.make(row, around.shelf, share=1.0, seed=seed):
                yield from samples(one, corpus, seed=seed, masked=masked, copies=copies)
        case "joined":
            for one in parallel.joined(row, around.pool, share=1.0, seed=seed):
                yield from samples(one, corpus, seed=seed, masked=masked, copies=copies)
        case "clarify":
            yield from clarify.make(row, corpus, share=1.0, answered=answered, seed=seed)
        case "syntax":
            yield syntaxes.make(row, corpus, seed)


def row_from(sample: Sample) -> Row | None:
    """A sample of one request and its calls as a row; None for any other."""
    match sample.dialogue.turns:
        case (User(query), Assistant("", "", calls)) if sample.dialogue.tools:
            return Row(sample.id, query, sample.dialogue.tools, calls)
        case _:
            return None
