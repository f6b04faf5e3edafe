"""A web server, and folders of their own for the sources' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.server import Server, serving


@pytest.fixture
def web() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No mirror, an empty cache, no network."""
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COALM_OFFLINE", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path


@pytest.fixture
def online(nowhere: Path, web: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """No mirror, an empty cache, and every address asked of the test's own server."""
    monkeypatch.delenv("COALM_OFFLINE")
    monkeypatch.setenv("COALM_MIRROR_URL", web.address)
    return web
