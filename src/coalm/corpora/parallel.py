"""Two requests asked in one breath, answered with the calls of both.

A row is put beside another of the same tool where there is one (one tool, several values),
else beside any other (several tools): what BFCL calls parallel and parallel multiple.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coalm.corpora.masking import Row
from coalm.corpora.overlap import able
from coalm.corpora.records import chance
from coalm.corpora.schemas import unique
from coalm.corpora.wording import one_of
from coalm.types import ToolSpec

LONGEST = 300
"""Characters of a request that is still joined with another."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows with one call each, to be put beside others; a picked few of a corpus."""

    rows: tuple[Row, ...]
    by_tool: Mapping[str, tuple[Row, ...]]


def pool_of(rows: Iterable[Row], *, most: int = 2_000, seed: int = 42) -> Pool:
    """At most so many of the rows, chosen by a seeded hash; the others are not held."""
    fit = (row for row in rows if len(row.answers) == 1 and len(row.query) <= LONGEST)
    kept = tuple(heapq.nsmallest(most, fit, key=lambda row: chance(seed, row.id, "pool")))
    by_tool: dict[str, list[Row]] = {}
    for row in kept:
        by_tool.setdefault(row.answers[0].name, []).append(row)
    return Pool(kept, {name: tuple(known) for name, known in by_tool.items()})


def joined(row: Row, pool: Pool, *, share: float, seed: int = 42) -> Iterator[Row]:
    """For a share of the rows with one call, the row and another in one request.

    Another of the same tool, if the pool has one; else any other.
    """
    # Deviation D66: rows that the paper's mixture does not have.
    if len(row.answers) != 1 or len(row.query) > LONGEST or not pool.rows:
        return
    if chance(seed, row.id, "joined") >= share:
        return
    name = row.answers[0].name
    same = [other for other in pool.by_tool.get(name, ()) if other.id != row.id]
    others = [one_of(choices, seed, row.id, "partner") for choices in (same, pool.rows) if choices]
    for other in others:
        pair = pair_of(row, other, seed) if other.id != row.id else None
        if pair is not None:
            yield pair
            return


def pair_of(one: Row, two: Row, seed: int = 42) -> Row | None:
    """Both requests in one, with the tools of both; None where either call would be in doubt."""
    first, second = one.answers[0], two.answers[0]
    if first == second or (first.name == second.name and _right(one) != _right(two)):
        return None
    tools = unique((*one.tools, *two.tools))
    if len(tools) < len({t.name for t in (*one.tools, *two.tools)}) or _clash(one, two):
        return None
    if first.name != second.name and (
        able(_right(two), one.query, _right(one), first)
        or able(_right(one), two.query, _right(two), second)
    ):
        return None
    key = f"{seed}/{one.id}+{two.id}"
    return Row(
        f"{one.id}+{two.id.rpartition('/')[2]}", _both(one, two, key), tools, (first, second)
    )


def _both(one: Row, two: Row, key: str) -> str:
    head = one.query.rstrip()
    head = head if head.endswith((".", "?", "!")) else f"{head}."
    link = one_of(("Also: ", "And then: ", "One more thing: ", "Besides that: ", "", "\n"), key)
    return f"{head}{'' if link == chr(10) else ' '}{link}{two.query.strip()}"


def _right(row: Row) -> ToolSpec:
    return next(tool for tool in row.tools if tool.name == row.answers[0].name)


def _clash(one: Row, two: Row) -> bool:
    """Whether two different tools have one name."""
    known = {tool.name: tool for tool in one.tools}
    return any(tool.name in known and known[tool.name] != tool for tool in two.tools)
