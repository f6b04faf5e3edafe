"""A file that only one process writes to at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from coalm.errors import DataError

try:
    import fcntl
except ImportError:  # Windows has no such locks; there two downloads of one file may collide
    fcntl = None  # type: ignore[assignment]


@contextmanager
def alone(path: Path) -> Iterator[IO[bytes]]:
    """The file, open for reading and for adding at its end; a `DataError` if another has it."""
    with path.open("a+b") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DataError(f"{path}: another process is downloading this file") from None
        yield file
