"""How alike a name and the best stretch of another are, as the corpus evaluator has it.

The evaluator asks fuzzywuzzy's `partial_ratio` over python-Levenshtein. It does not try
every stretch: it lines the shorter text up with the longer one along one cheapest edit,
and looks only at the stretches that begin where the two agree there. Which cheapest edit
is taken decides some names, so it is chosen here in the same order. (rapidfuzz's function
of the same name tries every stretch, and lets more through.)
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

ALIKE = 90
"""At this many percent two names are taken for one."""


def alike(name: str, asked: str) -> bool:
    """Whether `asked` means `name`."""
    return name == asked or (_could_be(name, asked) and partial_ratio(name, asked) >= ALIKE)


def partial_ratio(one: str, other: str) -> int:
    """0 to 100: twice the common letters over all letters, in the best stretch looked at."""
    if one == other:
        return 100
    if not one or not other:
        return 0
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    starts = {max(0, there - here) for here, there in _blocks(shorter, longer)}
    best = max(_ratio(shorter, longer[start : start + len(shorter)]) for start in starts)
    return 100 if best > 0.995 else round(100 * best)


def _could_be(one: str, other: str) -> bool:
    """False only where the letters and their order rule it out.

    With n letters in the shorter text, L of them found in a stretch of w, the ratio is
    2L/(n+w) and w is at least L: to reach 0.895 takes L of at least 0.809 n.
    """
    needed = 0.809 * min(len(one), len(other))
    return (_letters(one) & _letters(other)).total() >= needed and _common(one, other) >= needed


@lru_cache(maxsize=8192)
def _letters(text: str) -> Counter[str]:
    return Counter(text)


def _ratio(one: str, other: str) -> float:
    total = len(one) + len(other)
    return 2 * _common(one, other) / total if total else 1.0


def _common(one: str, other: str) -> int:
    """Length of the longest common subsequence, all of `one` at a time in the bits of a number."""
    places: dict[str, int] = {}
    for i, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << i
    left = whole = (1 << len(one)) - 1
    for letter in other:
        met = left & places.get(letter, 0)
        left = (left + met) | (left - met)
    return (whole & ~left).bit_count()


def _blocks(shorter: str, longer: str) -> Iterator[tuple[int, int]]:
    """Where stretches of equal letters begin, in both; and the two ends."""
    yield len(shorter), len(longer)
    head = 0
    while head < len(shorter) and shorter[head] == longer[head]:
        head += 1
    tail = 0
    while tail < len(shorter) - head and shorter[-1 - tail] == longer[-1 - tail]:
        tail += 1
    a, b = shorter[head : len(shorter) - tail], longer[head : len(longer) - tail]
    kept = {(i, i) for i in range(head)}
    kept |= {(head + i, head + j) for i, j in _kept(a, b)}
    kept |= {(len(shorter) - i, len(longer) - i) for i in range(1, tail + 1)}
    yield from ((i, j) for i, j in kept if (i - 1, j - 1) not in kept)


def _costs(a: str, b: str) -> list[list[int]]:
    """Edits from every beginning of `a` to every beginning of `b`."""
    table = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, 1):
        above, row = table[-1], [i]
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
        table.append(row)
    return table


def _kept(a: str, b: str) -> Iterator[tuple[int, int]]:
    """The letters that one cheapest edit from `a` to `b` leaves alone, last first.

    Walked from the end: on in the same direction while that stays cheapest, else along
    the diagonal, and only then a turn.
    """
    cost, i, j, way = _costs(a, b), len(a), len(b), 0
    while i or j:
        here = cost[i][j]
        left = j > 0 and here == cost[i][j - 1] + 1
        up = i > 0 and here == cost[i - 1][j] + 1
        if way < 0 and left:
            j -= 1
        elif way > 0 and up:
            i -= 1
        elif i and j and here == cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]):
            i, j, way = i - 1, j - 1, 0
            if a[i] == b[j]:
                yield i, j
        elif left:
            j, way = j - 1, -1
        else:
            i, way = i - 1, 1
