"""Requests that no listed tool can serve, made from those that one can.

Three kinds: tools of other subjects, tools of the same subject that do something else,
and the request's own tools without the right one. A tool stays only where `overlap.able`
finds that it could not do the job; rows where nothing is left are not made.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coalm.corpora.masking import Row
from coalm.corpora.overlap import able, words, words_of
from coalm.corpora.records import chance
from coalm.types import ToolSpec

KINDS = ("unrelated", "near", "removed")
MOST = 4
"""Tools that an irrelevant row lists at most."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The tools to choose from, each with the subject that it belongs to."""

    tools: tuple[tuple[ToolSpec, str], ...]
    """In a fixed order; the subject may be empty where the corpus names none."""
    by_word: Mapping[str, tuple[int, ...]]
    """The places of the tools that have a word."""

    def subjects(self, names: Sequence[str]) -> set[str]:
        """The subjects of the tools of these names."""
        return {subject for tool, subject in self.tools if tool.name in names and subject}

    def sharing(self, request: str) -> list[tuple[ToolSpec, str]]:
        """The tools that share a word with a request, in the shelf's order."""
        places = {place for word in words(request) for place in self.by_word.get(word, ())}
        return [self.tools[place] for place in sorted(places)]


def shelf_of(tools: Iterable[tuple[ToolSpec, str]], *, most: int = 5_000) -> Shelf:
    """A shelf of the first so many tools of different names."""
    kept: dict[str, tuple[ToolSpec, str]] = {}
    for tool, subject in tools:
        if len(kept) == most:
            break
        kept.setdefault(tool.name, (tool, subject))
    known = tuple(kept.values())
    by_word: dict[str, list[int]] = {}
    for place, (tool, _) in enumerate(known):
        for word in words_of(tool):
            by_word.setdefault(word, []).append(place)
    return Shelf(known, {word: tuple(places) for word, places in by_word.items()})


def make(
    row: Row,
    shelf: Shelf,
    *,
    share: float,
    kinds: Sequence[str] = KINDS,
    seed: int = 42,
) -> Iterator[Row]:
    """For a share of the rows that call, the same request among tools that do not fit it.

    The kinds take turns; where one cannot be made, the next is tried.
    """
    # Deviation D66: the paper's irrelevant rows are xLAM's, written by a language model.
    if not row.answers or chance(seed, row.id, "irrelevant") >= share:
        return
    if len(row.answers) > 1:
        # Of several wishes one is easily served in part; only foreign tools serve none.
        kinds = [kind for kind in kinds if kind == "unrelated"]
    first = int(chance(seed, row.id, "kind") * len(kinds))
    for kind in (*kinds[first:], *kinds[:first]):
        tools = _tools(row, shelf, kind, random.Random(f"{seed}/{row.id}/{kind}"))
        if tools:
            yield replace(row, id=f"{row.id}/{kind}", tools=tuple(tools), answers=())
            return


def _tools(row: Row, shelf: Shelf, kind: str, dice: random.Random) -> list[ToolSpec]:
    match kind:
        case "unrelated":
            return _unrelated(row, shelf, dice)
        case "near":
            return _near(row, shelf, dice)
        case _:
            called = {call.name for call in row.answers}
            rest = [tool for tool in row.tools if tool.name not in called]
            # One that might do after all spoils the row: nobody took it out of the list.
            return rest if rest and not any(_could(tool, row) for tool in rest) else []


def _unrelated(row: Row, shelf: Shelf, dice: random.Random) -> list[ToolSpec]:
    subjects = shelf.subjects([call.name for call in row.answers])
    heard = words(row.query)
    found: list[ToolSpec] = []
    wanted = dice.randint(1, MOST)
    for number in _mixed(len(shelf.tools), dice):
        tool, subject = shelf.tools[number]
        if subject not in subjects and not words_of(tool) & heard and tool not in found:
            found.append(tool)
        if len(found) == wanted:
            break
    return found


def _near(row: Row, shelf: Shelf, dice: random.Random) -> list[ToolSpec]:
    """Tools that share words with the request, of its subject where there are subjects."""
    subjects = shelf.subjects([call.name for call in row.answers])
    called = {call.name for call in row.answers}
    close = [
        tool
        for tool, subject in shelf.sharing(row.query)
        if tool.name not in called
        and (subject in subjects or not subjects)
        and not _could(tool, row)
    ]
    heard = words(row.query)
    dice.shuffle(close)
    close.sort(key=lambda tool: -len(words_of(tool) & heard))
    return close[: dice.randint(1, MOST)]


def _could(tool: ToolSpec, row: Row) -> bool:
    right = {known.name: known for known in row.tools}
    return any(able(tool, row.query, right[call.name], call) for call in row.answers)


def _mixed(count: int, dice: random.Random) -> Iterator[int]:
    """The numbers below `count` in a random order, drawn as they are asked for."""
    start, step = dice.randrange(max(count, 1)), dice.choice((7919, 104729, 1299709))
    while count % step == 0 and count:
        step += 2
    for number in range(count):
        yield (start + number * step) % count
