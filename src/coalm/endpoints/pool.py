"""Which endpoint takes the next request: the least busy one that is not resting."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from coalm.endpoints.addresses import Address
from coalm.endpoints.backoff import pause

ILL = 3
"""So many failures in a row, with no answer between, and an endpoint gets a rest."""

LOOK = 0.02
"""Seconds between two looks at endpoints that are all full."""


@dataclass(slots=True)
class Place:
    """An endpoint and how it is doing."""

    address: Address
    in_flight: int = 0
    asked: int = 0
    row: int = 0
    """Failures since the last answer."""
    rested: float = 0.0
    """When its last rest was ordered, by the monotonic clock."""
    awake: float = 0.0
    """When it may be asked again."""
    answers: int = 0
    room: float = math.inf
    """How many requests it seems to take at once; learned where it says that it is busy."""

    def answered(self) -> None:
        """It works: failures before do not count any more, and a bit more may be asked of it."""
        self.row = 0
        self.answers += 1
        self.room += 1 / self.room

    def failed(
        self, began: float, first: float, rng: random.Random, *, busy: bool, wait: float | None
    ) -> None:
        """A request that began then has failed; `busy` and `wait` are what the answer said.

        Who says that it is busy gets a rest at once. Others only when nothing gets through:
        one poisonous request must not hold up all the rest. Without rests, an endpoint that
        fails quickly would look least busy and draw all requests.
        """
        now = time.monotonic()
        if busy and wait is None:  # it takes those that are still under way, and no more
            self.room = max(1.0, float(self.in_flight))
        if wait is not None:
            self.awake, self.rested = max(self.awake, now + wait), now
        if began < self.rested:  # was under way when the rest was ordered: no news
            return
        self.row += 1
        if wait is None and (busy or self.row >= ILL):
            self.awake, self.rested = now + pause(first, self.row, rng), now


@dataclass(slots=True)
class Pool:
    """All endpoints of a client."""

    places: list[Place]
    rng: random.Random

    @classmethod
    def of(cls, addresses: Sequence[Address], rng: random.Random) -> "Pool":
        """A pool of fresh places."""
        return cls([Place(address) for address in addresses], rng)

    @property
    def answers(self) -> int:
        """How many answers there were, from all places together."""
        return sum(place.answers for place in self.places)

    async def take(self, avoid: Place | None = None, *, patience: float) -> Place | None:
        """The least busy place that is awake; waits until one is, but not over `patience` seconds.

        `avoid` failed this request before, and is taken only where no other is awake.
        The caller counts itself in and out with `in_flight`.
        """
        while True:
            now = time.monotonic()
            awake = [p for p in self.places if p.awake <= now]
            free = [p for p in awake if p.in_flight < p.room]
            if free:
                return min(free, key=lambda p: (p is avoid, p.in_flight, p.asked))
            if awake:  # all of them full: look again soon, they answer within seconds
                await asyncio.sleep(LOOK * (0.5 + self.rng.random()))
                continue
            left = min(p.awake for p in self.places) - now
            if left > patience:
                return None
            # A little later than the first moment, each by another bit: no stampede.
            await asyncio.sleep(left + min(1.0, 0.25 * left) * self.rng.random())
