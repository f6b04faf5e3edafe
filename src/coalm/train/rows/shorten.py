"""Dialogues that are too long for a training row, as shorter ones that learn the same answers.

Turns are dropped at the beginning, never cut: an answer that is learned is learned whole, with
the operator's words, the tools and as many of the turns before it as there is room for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coalm.types import Assistant, Dialogue, System, User


@dataclass(frozen=True, slots=True)
class Part:
    """A dialogue without its oldest turns, of which the answers from `since` on are learned."""

    dialogue: Dialogue
    since: int
    """The number of its first turn that is learned; answers before it are only read."""
    dropped: int
    """Turns that it begins later than the whole."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What became of a dialogue; the parts learn each answer once, in order."""

    parts: tuple[Part, ...]
    lost: int
    """Answers that are too long even with nothing before their own user's turn."""


def shorten(
    dialogue: Dialogue,
    length: Callable[[Dialogue, int], int],
    *,
    room: int,
    history: int,
    since: int = 0,
) -> Parts:
    """Parts of at most `room` tokens that learn the answers from turn number `since` on.

    `length` is that of a dialogue whose turns from a number on are learned. A part begins with
    a user's turn, after the operator's. Where it must drop turns it takes, if it can, no more
    than `history` tokens up to its first answer, so that several answers find room in it.
    """
    turns = dialogue.turns
    opening = 1 if turns and isinstance(turns[0], System) else 0
    starts = [i for i, turn in enumerate(turns) if i == opening or isinstance(turn, User)]

    def part(start: int, first: int, last: int) -> Part:
        kept = (*turns[:opening], *turns[start : last + 1])
        return Part(replace(dialogue, turns=kept), first - start + opening, start - opening)

    def size(start: int, first: int, last: int) -> int:
        made = part(start, first, last)
        return length(made.dialogue, made.since)

    def start_for(answer: int) -> int | None:
        mine = [s for s in starts if s <= answer]
        if mine and size(mine[0], answer, answer) <= room:
            return mine[0]
        fitting = [s for s in mine[1:] if size(s, answer, answer) <= room]
        short = [s for s in fitting if size(s, answer, answer) <= history]
        return next(iter([*short, *fitting[-1:]]), None)

    parts: list[Part] = []
    lost = 0
    todo = [i for i, turn in enumerate(turns) if i >= since and isinstance(turn, Assistant)]
    while todo:
        first = todo.pop(0)
        start = start_for(first)
        if start is None:
            lost += 1
            continue
        last = first
        while todo and size(start, first, todo[0]) <= room:
            last = todo.pop(0)
        parts.append(part(start, first, last))
    return Parts(tuple(parts), lost)
