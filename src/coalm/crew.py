"""Work in several processes, its results in order, little of it at once."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Generic, Self, TypeVar

from coalm.errors import DataError

P = TypeVar("P")
J = TypeVar("J")
R = TypeVar("R")

AHEAD = 2
"""Jobs that wait or are done for each process, beyond the one it works on."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew(Generic[P]):
    """Processes that each hold the same plan; with one process, the work is done right here."""

    def __init__(self, plan: P, processes: int) -> None:
        self._plan = plan
        self._processes = processes
        self._pool = (
            ProcessPoolExecutor(
                processes,
                # Not `fork`: a progress bar is a thread, and threads do not survive it.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(plan,),
            )
            if processes > 1
            else None
        )

    def map(self, do: Callable[[P, J], R], jobs: Iterable[J]) -> Iterator[R]:
        """`do(plan, job)` of each job, in the jobs' order; jobs are taken as there is room."""
        if self._pool is None:
            yield from (do(self._plan, job) for job in jobs)
            return
        waiting: deque[Future[R]] = deque()
        try:
            for job in jobs:
                waiting.append(self._pool.submit(_do, do, job))
                if len(waiting) >= (1 + AHEAD) * self._processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise DataError(
                "a worker process died: for want of memory (use --processes 1), or in a script "
                'whose work is not under `if __name__ == "__main__":`'
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def __enter__(self) -> Self:
        """Nothing starts before the first job."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Waits for what is being worked on; what waits is given up."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


_held: list[object] = []
"""The plan, in a worker process."""


def _begin(plan: object) -> None:
    # There is a process for each core already.
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's business
    _held[:] = [plan]


def _do(do: Callable[[P, J], R], job: J) -> R:
    plan: P = _held[0]  # type: ignore[assignment]
    return do(plan, job)
