"""A run folder is one run's at a time: two would write into each other's checkpoints."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coalm.errors import RecipeError

LOCK = ".lock"
"""The file that is locked in a run folder; who is killed holds it no longer."""


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Have the folder, made if need be, to oneself.

    A `RecipeError` says that another process trains in it, or that nothing can be written there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK, blocking=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        (out / LOCK).write_text(f"process {os.getpid()} on {platform.node()}")
    except Timeout:
        raise RecipeError(
            f"{out} is being trained in by another process{_who(out)}; wait for it, stop it, or "
            "give this run a folder of its own with --out"
        ) from None
    except OSError as e:
        lock.release()
        raise RecipeError(
            f"{out} cannot be written to: {e.strerror}; give another folder with --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _who(out: Path) -> str:
    try:
        said = (out / LOCK).read_text()
    except OSError:
        said = ""
    return f" ({said})" if said else ""
