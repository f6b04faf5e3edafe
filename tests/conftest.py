"""Shared by all tests: which are skipped where, and a cache of their own."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from coalm import models, sources
from coalm.errors import CoalmError

# The models of the tests are so small that threads only wait for each other; on a busy
# machine for minutes. Set before anything imports torch, and inherited by subprocesses.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell's background job ignores Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail: what must be quick says so in its own test.
settings.register_profile("coalm", deadline=None)
settings.load_profile("coalm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the real corpora skip where there are none, unless they are required."""
    required = os.environ.get("COALM_REQUIRE_DATA") == "1"
    if required and sources.mirror() is None:
        raise pytest.UsageError("COALM_REQUIRE_DATA=1 but no corpora were found; set COALM_DATA")
    if required or sources.mirror() is not None:
        return
    skip = pytest.mark.skip(reason="no real corpora here; set COALM_DATA")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The folder of the embedded model, fetched on first use; required where data is."""
    try:
        return models.get("smollm2-135m")
    except CoalmError as e:
        if os.environ.get("COALM_REQUIRE_DATA") == "1":
            raise
        pytest.skip(f"the embedded model is not to be had: {e}")


@pytest.fixture
def miniature(monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror and no network: every source is the bundled miniature."""
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_OFFLINE", "1")
