"""Requests that join an OpenVINO pipeline at any moment and leave it when they are done.

First come, first let in, as the cache has room; a short request that comes late overtakes a
long one, because each step is one of all that are under way. What prompts share with an
earlier one is taken from the pipeline's cache.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coalm.engines.base import Sampling
from coalm.engines.openvino_steps import AT_ONCE, Request, Row, call_off, needed
from coalm.engines.streaming import Done
from coalm.formats.tokens import ModelTokenizer


@dataclass(frozen=True, slots=True, eq=False)
class _Guest:
    row: Row
    sampling: Sampling
    growing: Callable[[str], bool]
    done: Done

    @property
    def needed(self) -> int:
        return needed(len(self.row), self.sampling)


class Joined:
    """A pipeline whose cache holds `blocks` blocks, and whoever is in it."""

    def __init__(self, pipeline: Any, tokenizer: ModelTokenizer, blocks: int) -> None:
        self._pipeline, self._tokenizer, self._blocks = pipeline, tokenizer, blocks
        self._waiting: deque[_Guest] = deque()
        self._running: dict[_Guest, Request] = {}

    def join(
        self, row: Row, sampling: Sampling, growing: Callable[[str], bool], done: Done
    ) -> None:
        """Put a row in line; it must fit the cache alone."""
        self._waiting.append(_Guest(row, sampling, growing, done))

    def step(self) -> bool:
        """Let in whom there is room for, and take a step; False if there is nobody."""
        try:
            self._let_in()
            if not self._running:
                call_off(self._pipeline, ())  # frees what stopped requests hold
                return False
            self._pipeline.step()
            for guest, request in tuple(self._running.items()):
                request.read()
                answer = request.answer(guest.growing)
                if answer is not None:
                    del self._running[guest]
                    guest.done(answer)
        except BaseException:
            call_off(self._pipeline, self._running.values())
            self._running.clear()
            self._waiting.clear()
            raise
        return True

    def _let_in(self) -> None:
        taken = sum(guest.needed for guest in self._running)
        while self._waiting and len(self._running) < AT_ONCE:
            taken += self._waiting[0].needed
            if self._running and taken > self._blocks:
                break
            guest = self._waiting.popleft()
            self._running[guest] = Request(
                self._pipeline, self._tokenizer, guest.row, guest.sampling
            )
