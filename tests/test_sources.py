"""Where corpora are looked for, in which order, and what is said of it."""

from pathlib import Path

import httpx
import pytest

from coalm import sources
from coalm.errors import DataError


@pytest.mark.parametrize("name", sources.SOURCES)
def test_every_source_has_a_miniature(name: str, miniature: None) -> None:
    found = sources.find(name)
    assert found.origin == "miniature"
    assert "MINIATURE" in found.describe()
    for path in found.source.files:
        assert found.path(path).exists(), path


@pytest.mark.data
@pytest.mark.parametrize("name", sources.SOURCES)
def test_the_mirror_comes_first(name: str) -> None:
    found = sources.find(name)
    assert found.origin == "mirror"
    assert found.real
    assert "local mirror" in found.describe()


def test_a_mirror_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALM_DATA", "/no/such/folder")
    with pytest.raises(DataError, match="COALM_DATA"):
        sources.find("snips")


def test_an_unknown_source_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match="did you mean 'snips'"):
        sources.find("snip")


def test_a_partial_mirror_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apibank/hammer").mkdir(parents=True)
    (tmp_path / "apibank/hammer/apibank_l1.json").write_text("[]")
    monkeypatch.setenv("COALM_DATA", str(tmp_path))
    assert sources.find("apibank").origin == "miniature"


def test_what_can_be_downloaded_is_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, text="{}")

    _play_network(monkeypatch, answer)
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    monkeypatch.delenv("COALM_OFFLINE", raising=False)
    found = sources.find("snips")
    assert found.origin == "download"
    assert len(asked) == 7
    assert sources.find("snips").origin == "download"
    assert len(asked) == 7


def test_a_failed_download_leaves_the_miniature_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play_network(monkeypatch, lambda _: httpx.Response(503))
    monkeypatch.setenv("COALM_DATA", "")
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    monkeypatch.delenv("COALM_OFFLINE", raising=False)
    assert sources.find("snips").origin == "miniature"
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def _play_network(monkeypatch: pytest.MonkeyPatch, answer: "object") -> None:
    real = httpx.Client

    def client(**_: object) -> httpx.Client:
        return real(transport=httpx.MockTransport(answer))  # type: ignore[arg-type]

    monkeypatch.setattr(httpx, "Client", client)


def test_a_wheel_with_another_hash_is_refused_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    wheel = tmp_path / "wheels" / "some_thing-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"not it")
    with pytest.raises(DataError, match="sha256"):
        sources.wheel("some-thing", "1.0", "0" * 64)
    assert not wheel.exists()
