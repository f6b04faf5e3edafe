"""Continuous batching over a paged cache: transformers' own, for greedy completions on a GPU.

Requests join and leave the running batch one by one, and share the pages of common
beginnings, so neither padding nor the longest answer holds the others up. The library knows
no stop strings here: tokens are watched as they come, and a request whose stop string is
there is called off.
"""

from collections.abc import Sequence
from typing import Any

from coalm.engines.base import Completion, Sampling
from coalm.engines.ending import ended, stop_spelled, window
from coalm.engines.memory import freed
from coalm.formats.tokens import ModelTokenizer

_WAIT = 1.0
"""Seconds between looks whether the library's thread is still alive."""


class PagedError(RuntimeError):
    """Continuous batching did not work out; the completions can be had in batches."""


class Paged:
    """A model's continuous batching; its cache of keys and values is kept between calls.

    `config` are settings of transformers' `ContinuousBatchingConfig`; sizes that are not
    given are the library's choice for the free memory of the device.
    """

    def __init__(self, model: Any, tokenizer: ModelTokenizer, **config: Any) -> None:
        self._model, self._tokenizer, self._config = model, tokenizer, config
        self._logprobs: bool | None = None

    def complete(self, rows: Sequence[tuple[int, ...]], sampling: Sampling) -> list[Completion]:
        """One greedy completion for each row of prompt ids; a `PagedError` if it fails."""
        if sampling.temperature > 0:
            raise ValueError("draws here would depend on what else is in the batch")
        manager = self._opened(sampling.logprobs)
        from coalm import models

        done = False
        with models.quiet():
            try:
                manager.start()
                found = self._collect(manager, rows, sampling)
                done = True
            except PagedError:
                raise
            except Exception as e:  # whatever the library raises, batches are still there
                raise PagedError(_first_line(e)) from None
            finally:
                # After a failure or Ctrl-C nobody waits for the answers that are under way.
                manager.stop(keep_for_next_session=done, hard_stop=not done)
                if not done:
                    self.close()
        return found

    def close(self) -> None:
        """Give the cache's memory back; the next call takes it anew."""
        self._model.destroy_cached_continuous_batching_manager()
        self._logprobs = None
        freed()

    def _opened(self, logprobs: bool) -> Any:
        from transformers import ContinuousBatchingConfig, GenerationConfig

        if self._logprobs not in (None, logprobs):
            self.close()
        self._logprobs = logprobs
        try:
            # The end of a turn is told with each request; -1 is the library's "no other end".
            return self._model.init_continuous_batching(
                generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                    do_sample=False, eos_token_id=-1, pad_token_id=0
                ),
                continuous_batching_config=ContinuousBatchingConfig(
                    return_logprobs=logprobs, **self._config
                ),
            )
        except Exception as e:
            raise PagedError(_first_line(e)) from None

    def _collect(
        self, manager: Any, rows: Sequence[tuple[int, ...]], sampling: Sampling
    ) -> list[Completion]:
        """Send all requests off and take what comes, until each has ended."""
        end = self._tokenizer.control(sampling.end) if sampling.end else -1
        # In the order of their ids, neighbours share the longest beginnings.
        names = {
            manager.add_request(
                list(rows[at]),
                max_new_tokens=sampling.max_tokens,
                streaming=bool(sampling.stops),
                eos_token_id=end,
            ): at
            for at in sorted(range(len(rows)), key=lambda at: rows[at])
        }
        if None in names:
            raise PagedError("it takes no requests")
        width, found = window(sampling.stops), dict[int, Completion]()
        while len(found) < len(rows):
            output = manager.get_result(timeout=_WAIT)
            if output is None:
                if not manager.is_running():
                    raise PagedError(_why(manager))
                continue
            if output.error is not None:
                raise PagedError(output.error)
            at = names.get(output.request_id)
            if at is None or at in found:  # of an earlier call, or come before the calling off
                continue
            new = output.generated_tokens
            spelled = sampling.stops and stop_spelled(new[-width:], self._tokenizer, sampling.stops)
            if spelled and not output.is_finished():
                manager.cancel_request(output.request_id)
            if spelled or output.is_finished():
                told = output.logprobs if sampling.logprobs else None
                found[at] = ended(new, len(rows[at]), self._tokenizer, sampling, told)
        return [found[at] for at in range(len(rows))]


def _why(manager: Any) -> str:
    error = manager.background_thread_status.fatal_error
    return _first_line(error) if error is not None else "its thread has ended"


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__
