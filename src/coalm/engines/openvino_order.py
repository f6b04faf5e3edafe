"""In which order prompts are begun, so that what they share is computed once.

The pipeline looks a prompt up in its cache when the prompt is handed to it, so of prompts
that begin alike one must be computed before the others are handed over. The longest goes
first: a dialogue's last turn holds all the turns before it.
"""

from bisect import bisect, insort
from collections.abc import Sequence
from itertools import pairwise

BLOCK = 32
"""Tokens of a block of the pipeline's cache; less than a block is not shared."""


class Waiting:
    """Prompts that are not begun yet, and what those that are have in common with them."""

    def __init__(self, prompts: Sequence[tuple[int, ...]]) -> None:
        self._prompts = prompts
        order = sorted(range(len(prompts)), key=prompts.__getitem__)
        self._place = {prompt: place for place, prompt in enumerate(order)}
        # What two prompts share is the least of what neighbours share from one to the other.
        self._shared = [_common(prompts[a], prompts[b]) for a, b in pairwise(order)]
        self.left = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
        # Places in that order, of prompts that are begun and of those whose cache is there.
        self._begun: list[int] = []
        self._done: list[int] = []

    def ready(self, most: int = 1 << 30) -> list[int]:
        """The prompts to begin now, at most so many; they are not waiting any more."""
        found: list[int] = []
        for i in self.left:
            if len(found) == most:
                break
            soon = self._most_shared(i, self._begun)
            if soon - self._most_shared(i, self._done) < BLOCK:
                insort(self._begun, self._place[i])
                found.append(i)
        taken = set(found)
        self.left = [i for i in self.left if i not in taken]
        return found

    def computed(self, prompt: int) -> None:
        """A prompt's first token has come, so its beginning can be shared."""
        place = self._place[prompt]
        if place in self._begun:
            self._begun.remove(place)
            insort(self._done, place)

    def _most_shared(self, prompt: int, others: list[int]) -> int:
        """Tokens that a prompt shares with whichever of some places begins most like it."""
        here = self._place[prompt]
        at = bisect(others, here)
        left = min(self._shared[others[at - 1] : here]) if at else 0
        right = min(self._shared[here : others[at]]) if at < len(others) else 0
        return max(left, right)


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many ids two prompts begin with alike."""
    shortest = min(len(one), len(other))
    return next((i for i in range(shortest) if one[i] != other[i]), shortest)
