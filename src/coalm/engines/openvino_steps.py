"""Requests under way in an OpenVINO pipeline, one step of all of them after the other."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.engines.draws import seed_of
from coalm.engines.ending import ended, stop_spelled, window
from coalm.engines.openvino_order import BLOCK, Waiting
from coalm.engines.streaming import Growing
from coalm.formats.tokens import ModelTokenizer

AT_ONCE = 256
"""Requests under way together; the pipeline begins no more of them either."""

_NEVER = 1 << 30
"""An id that no vocabulary has: no other end than the one that is asked for."""
_NUMBERS = count(1)
"""Request numbers, never the same twice in a process."""

Row = tuple[int, ...]


class Request:
    """A row of ids on its way through a pipeline."""

    def __init__(
        self, pipeline: Any, tokenizer: ModelTokenizer, row: Row, sampling: Sampling
    ) -> None:
        self._tokenizer, self._row, self._sampling = tokenizer, row, sampling
        self._window = window(sampling.stops)
        self._new: list[int] = []
        self._logprobs: list[float] = []
        self._handle = pipeline.add_request(next(_NUMBERS), *self._asked())

    def _asked(self) -> tuple[Any, Any]:
        """The row and how it is continued, as the pipeline takes them."""
        import numpy as np
        from openvino import Tensor
        from openvino_genai import GenerationConfig

        sampling, config = self._sampling, GenerationConfig()
        config.max_new_tokens = sampling.max_tokens
        config.logprobs = 1 if sampling.logprobs else 0
        end = self._tokenizer.control(sampling.end) if sampling.end else _NEVER
        config.eos_token_id, config.stop_token_ids = end, {end}
        if sampling.temperature > 0:
            config.do_sample, config.temperature = True, sampling.temperature
            config.top_p, config.top_k = 1.0, self._tokenizer.vocabulary
            config.rng_seed = seed_of(self._row, sampling.seed)
        return Tensor(np.array([self._row], dtype=np.int64)), config

    def read(self) -> bool:
        """Take what was written since the last time; whether there was something."""
        before = len(self._new)
        while self._handle.can_read():
            for output in self._handle.read().values():
                self._new.extend(output.generated_ids)
                self._logprobs.extend(output.generated_log_probs)
        return len(self._new) > before

    def answer(self, growing: Callable[[str], bool] | None) -> Completion | Unanswered | None:
        """What it has come to; None while it goes on."""
        from openvino_genai import GenerationStatus

        sampling = self._sampling
        status = self._handle.get_status()
        if status == GenerationStatus.IGNORED:
            return Unanswered("the cache has no room for it; give the engine option cache_gb")
        spelled = sampling.stops and stop_spelled(
            self._new[-self._window :], self._tokenizer, sampling.stops
        )
        over = bool(spelled) or status != GenerationStatus.RUNNING
        if not over and growing is None:
            return None
        told = self._logprobs if sampling.logprobs else None
        answer = ended(self._new, len(self._row), self._tokenizer, sampling, told)
        if growing is not None and not growing(answer.text) and not over:
            over, answer = True, replace(answer, ended="stop")
        if over and status == GenerationStatus.RUNNING:
            self._handle.stop()
        return answer if over else None

    def cancel(self) -> None:
        """Leave it where it is."""
        self._handle.cancel()


class Steps:
    """Completes rows of ids in a pipeline whose cache holds `blocks` blocks."""

    def __init__(
        self,
        pipeline: Any,
        tokenizer: ModelTokenizer,
        blocks: int,
        sampling: Sampling,
        growing: Growing | None,
    ) -> None:
        self._pipeline, self._tokenizer, self._blocks = pipeline, tokenizer, blocks
        self._sampling, self._growing = sampling, growing
        self._running: dict[int, Request] = {}

    def complete(self, rows: Sequence[Row]) -> list[Completion | Unanswered]:
        """One completion for each row, in their order; each row must fit the cache alone."""
        waiting = Waiting(rows)
        found: dict[int, Completion | Unanswered] = {}
        try:
            while len(found) < len(rows):
                for at in waiting.ready(self._places(rows, waiting)):
                    self._running[at] = Request(
                        self._pipeline, self._tokenizer, rows[at], self._sampling
                    )
                self._pipeline.step()
                for at, request in tuple(self._running.items()):
                    if request.read():
                        waiting.computed(at)
                    answer = request.answer(self._told(at))
                    if answer is not None:
                        found[at] = answer
                        del self._running[at]
                        waiting.computed(at)
        finally:
            call_off(self._pipeline, self._running.values())
            self._running.clear()
        return [found[at] for at in range(len(rows))]

    def _told(self, at: int) -> Callable[[str], bool] | None:
        growing = self._growing
        return None if growing is None else lambda text: growing(at, text)

    def _places(self, rows: Sequence[Row], waiting: Waiting) -> int:
        """How many more requests there is room for, the longest of those that wait."""
        if not waiting.left:
            return 0
        taken = sum(self._needed(rows[at]) for at in self._running)
        more = (self._blocks - taken) // self._needed(rows[waiting.left[0]])
        # One alone always fits, and a cache that is full of what is done makes room by itself.
        least = 0 if self._running else 1
        return max(least, min(more, AT_ONCE - len(self._running)))

    def _needed(self, row: Row) -> int:
        return needed(len(row), self._sampling)


def call_off(pipeline: Any, requests: Iterable[Request]) -> None:
    """Leave a pipeline empty, whatever happened: the next request begins anew."""
    for request in requests:
        request.cancel()
    with suppress(RuntimeError):
        while pipeline.has_non_finished_requests():
            pipeline.step()


def needed(prompt_tokens: int, sampling: Sampling) -> int:
    """Blocks of the cache that a prompt and its longest completion take."""
    return -(-(prompt_tokens + sampling.max_tokens) // BLOCK)
