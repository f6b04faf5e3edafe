"""Memory that was freed in pieces goes back to the system."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from coalm.train.trimming import EVERY, trimming

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")


def held() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_freed_memory_is_given_back_every_so_many_steps() -> None:
    callback = trimming()
    pieces = [bytearray(60_000) for _ in range(4_000)]  # below what glibc maps on its own
    kept = pieces[::50]  # so that the heap cannot simply end earlier
    del pieces
    callback.on_step_end(None, SimpleNamespace(global_step=EVERY + 1), None)
    before = held()
    callback.on_step_end(None, SimpleNamespace(global_step=EVERY), None)
    after = held()
    assert len(kept) == 80
    assert before - after > 0.5 * 4_000 * 60_000
