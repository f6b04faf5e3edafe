"""The processes of one run: who they are, how they wait for each other and agree.

A start by `torchrun`, `accelerate launch` or `coalm train --nproc` tells each process its number.
What they say to each other here goes over gloo, whatever the gradients take, and may take hours:
the first encodes the data while the others wait. A run of one process does none of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from coalm.errors import RecipeError, TrainingError

T = TypeVar("T")

PATIENCE = timedelta(days=2)
"""How long a process waits for another that is still at work; one that has died ends them all."""


class LostOthers(TrainingError):
    """Another process of the run has ended, so this one cannot go on; the cause is there."""


def count() -> int:
    """How many processes train together, over all machines."""
    return _told("WORLD_SIZE", 1)


def number() -> int:
    """Which of them this is, from 0; the first speaks and writes for all."""
    return _told("RANK", 0)


def is_first() -> bool:
    """Whether this process speaks and writes for all."""
    return number() == 0


@contextmanager
def together() -> Iterator[None]:
    """Join the other processes of the run, and leave them at the end."""
    if count() == 1:
        yield
        return
    import torch
    import torch.distributed as dist
    from accelerate import PartialState  # type: ignore[import-untyped, unused-ignore]

    PartialState(cpu=not torch.cuda.is_available())  # also sets this process's device
    _group.append(dist.new_group(backend="gloo", timeout=PATIENCE))
    try:
        yield
    except RuntimeError as e:
        if any(words in str(e).lower() for words in _LOST):
            raise LostOthers("another process of this run has ended, so it ends too") from e
        raise
    finally:
        _group.clear()
    dist.destroy_process_group()


_LOST = (
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "connection refused",
)
"""What gloo, NCCL and the store say when the other end is gone."""


_group: list[Any] = []
"""The group that they talk in, while they are together."""


def wait() -> None:
    """Come back when every process has come here."""
    if _group:
        import torch.distributed as dist

        dist.barrier(_group[0])


def share(value: T) -> T:
    """What the first process gives; the others' values are ignored."""
    if not _group:
        return value
    import torch.distributed as dist

    held = [value]
    dist.broadcast_object_list(held, src=0, group=_group[0])
    return held[0]


def collect(value: T) -> list[T]:
    """What each process gives, in their order; the same list in all of them."""
    if not _group:
        return [value]
    import torch.distributed as dist

    held: list[Any] = [None] * count()
    dist.all_gather_object(held, value, group=_group[0])
    return held


def any_of(flag: bool) -> bool:
    """Whether it is so in any process."""
    if not _group:
        return flag
    import torch
    import torch.distributed as dist

    found = torch.tensor(int(flag))
    dist.all_reduce(found, dist.ReduceOp.MAX, group=_group[0])
    return bool(found)


@contextmanager
def in_turn() -> Iterator[None]:
    """The first process alone, then the first of each machine, then the rest.

    What one makes in a cache, those after it find there, be it one cache or one a machine.
    """
    turn = 0 if is_first() else 1 if _told("LOCAL_RANK", 0) == 0 else 2
    for _ in range(turn):
        wait()
    yield
    for _ in range(turn, 2):
        wait()


def _told(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdigit():
        raise RecipeError(f"{name}={text!r}: a launcher sets this to a number; unset it")
    return int(text)
