"""Requests under way in an OpenVINO pipeline, one step of all of them after the other."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.engines.draws import seed_of
from coalm.engines.ending import ended, stop_spelled, window
from coalm.engines.openvino_order import BLOCK, Waiting
from coalm.engines.streaming import Growing
from coalm.formats.tokens import ModelTokenizer

_AT_ONCE = 256
"""Requests under way together; the pipeline begins no more of them either."""

_NEVER = 1 << 30
"""An id that no vocabulary has: no other end than the one that is asked for."""
_NUMBERS = count(1)
"""Request numbers, never the same twice in a process."""

Row = tuple[int, ...]


@dataclass
class _Request:
    handle: Any
    new: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


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
        self._window = window(sampling.stops)
        self._running: dict[int, _Request] = {}

    def complete(self, rows: Sequence[Row]) -> list[Completion | Unanswered]:
        """One completion for each row, in their order; each row must fit the cache alone."""
        waiting = Waiting(rows)
        found: dict[int, Completion | Unanswered] = {}
        try:
            while len(found) < len(rows):
                for at in waiting.ready(self._places(rows, waiting)):
                    self._running[at] = _Request(self._begun(rows[at]))
                self._pipeline.step()
                for at in list(self._running):
                    if self._read(at):
                        waiting.computed(at)
                    answer = self._answer(at, rows[at])
                    if answer is not None:
                        found[at] = answer
                        del self._running[at]
                        waiting.computed(at)
        finally:
            self._call_off()
        return [found[at] for at in range(len(rows))]

    def _places(self, rows: Sequence[Row], waiting: Waiting) -> int:
        """How many more requests there is room for, the longest of those that wait."""
        if not waiting.left:
            return 0
        taken = sum(self._needed(rows[at]) for at in self._running)
        more = (self._blocks - taken) // self._needed(rows[waiting.left[0]])
        # One alone always fits, and a cache that is full of what is done makes room by itself.
        least = 0 if self._running else 1
        return max(least, min(more, _AT_ONCE - len(self._running)))

    def _needed(self, row: Row) -> int:
        return needed(len(row), self._sampling)

    def _begun(self, row: Row) -> Any:
        """A handle of a new request."""
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
            config.rng_seed = seed_of(row, sampling.seed)
        ids = Tensor(np.array([row], dtype=np.int64))
        return self._pipeline.add_request(next(_NUMBERS), ids, config)

    def _read(self, at: int) -> bool:
        """Take what a request has written since the last time; whether there was something."""
        request = self._running[at]
        before = len(request.new)
        while request.handle.can_read():
            for output in request.handle.read().values():
                request.new.extend(output.generated_ids)
                request.logprobs.extend(output.generated_log_probs)
        return len(request.new) > before

    def _answer(self, at: int, row: Row) -> Completion | Unanswered | None:
        """What a request has come to; None while it goes on."""
        from openvino_genai import GenerationStatus

        request, sampling = self._running[at], self._sampling
        status = request.handle.get_status()
        if status == GenerationStatus.IGNORED:
            return Unanswered("the cache has no room for it; give the engine option cache_gb")
        spelled = sampling.stops and stop_spelled(
            request.new[-self._window :], self._tokenizer, sampling.stops
        )
        over = bool(spelled) or status != GenerationStatus.RUNNING
        if not over and self._growing is None:
            return None
        told = request.logprobs if sampling.logprobs else None
        answer = ended(request.new, len(row), self._tokenizer, sampling, told)
        if self._growing is not None and not self._growing(at, answer.text) and not over:
            over, answer = True, replace(answer, ended="stop")
        if over and status == GenerationStatus.RUNNING:
            request.handle.stop()
        return answer if over else None

    def _call_off(self) -> None:
        """Leave the pipeline empty, whatever happened: the next call begins anew."""
        for request in self._running.values():
            request.handle.cancel()
        self._running.clear()
        with suppress(RuntimeError):
            while self._pipeline.has_non_finished_requests():
                self._pipeline.step()


def needed(prompt_tokens: int, sampling: Sampling) -> int:
    """Blocks of the cache that a prompt and its longest completion take."""
    return -(-(prompt_tokens + sampling.max_tokens) // BLOCK)
