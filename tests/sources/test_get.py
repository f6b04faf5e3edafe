"""Whole sources into a folder: copied from the mirror or downloaded, checked, gone on with."""

import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from coalm import sources
from coalm.errors import DataError
from coalm.sources import SOURCES, Patience, Pin, Source, get
from coalm.sources.getting import KEPT
from tests.sources.server import Served, Server

QUICK = Patience(tries=2, first=0.01, longest=0.1, connect=1.0, read=2.0)
FILES = {f"toy/part_{n}.json": json.dumps([n] * 50).encode() for n in range(3)}


@pytest.fixture
def toy(web: Server, nowhere: Path) -> Source:
    """A source of three files on the test's server, with no checksums known."""
    for path, body in FILES.items():
        web.files[f"/{path}"] = Served(body, headers={"ETag": '"1"'})
    upstream = {path: f"{web.address}/{path}" for path in FILES}
    return Source("toy", "Toy", "example.org/toy", "CC0-1.0", tuple(FILES), upstream)


def pinned(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    for path, body in files.items():
        pin = Pin(hashlib.sha256(body).hexdigest(), len(body))
        monkeypatch.setitem(sources.pins(), path, pin)


def test_a_source_is_downloaded_once_and_then_there(toy: Source, web: Server) -> None:
    steps = get(toy)
    assert [s.how for s in steps] == ["downloaded"] * 3
    assert {p: (sources.downloads() / p).read_bytes() for p in FILES} == FILES
    assert [s.how for s in get(toy)] == ["there"] * 3
    assert len(web.asked) == 3


def test_a_stopped_download_goes_on_where_it_was(toy: Source, web: Server) -> None:
    web.files["/toy/part_1.json"].drop_after = [60, 0, 0]
    with pytest.raises(DataError, match=r"toy: 2 of 3 files are not here; .*60 bytes are kept"):
        get(toy, patience=QUICK)
    web.files["/toy/part_1.json"].drop_after = []
    steps = get(toy, patience=QUICK)
    assert [(s.how, s.resumed) for s in steps] == [
        ("there", 0),
        ("downloaded", 60),
        ("downloaded", 0),
    ]
    assert {p: (sources.downloads() / p).read_bytes() for p in FILES} == FILES


def test_one_file_that_is_gone_does_not_stop_the_others(toy: Source, web: Server) -> None:
    del web.files["/toy/part_0.json"]
    with pytest.raises(DataError, match=r"toy: 1 of 3 files are not here; .*answers 404"):
        get(toy)
    assert sorted(p.name for p in (sources.downloads() / "toy").iterdir()) == [
        "part_1.json",
        "part_2.json",
    ]


def test_the_first_checksum_is_kept_and_holds_from_then_on(toy: Source, web: Server) -> None:
    get(toy)
    kept = json.loads((sources.downloads() / KEPT).read_text())
    assert kept["toy/part_0.json"]["sha256"] == hashlib.sha256(FILES["toy/part_0.json"]).hexdigest()
    (sources.downloads() / "toy/part_0.json").unlink()
    web.files["/toy/part_0.json"].body = FILES["toy/part_0.json"].replace(b"0", b"9")
    with pytest.raises(DataError, match="has sha256"):
        get(toy)


def test_the_revision_that_the_hub_serves_is_kept(toy: Source, web: Server) -> None:
    web.files["/toy/part_0.json"].headers["X-Repo-Commit"] = "a" * 40
    get(toy)
    kept = json.loads((sources.downloads() / KEPT).read_text())
    assert kept["toy/part_0.json"]["revision"] == "a" * 40


def test_a_file_with_wrong_bytes_is_fetched_anew(
    toy: Source, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned(monkeypatch, FILES)
    get(toy)
    (sources.downloads() / "toy/part_2.json").write_bytes(b"[]")
    assert [s.how for s in get(toy)] == ["there", "there", "downloaded"]


def test_what_the_mirror_has_is_copied_and_not_downloaded(
    toy: Source, web: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned(monkeypatch, FILES)
    mirror = nowhere / "m"
    (mirror / "toy").mkdir(parents=True)
    (mirror / "toy/part_1.json").write_bytes(FILES["toy/part_1.json"])
    (mirror / "toy/part_2.json").write_bytes(b"of other bytes")
    monkeypatch.setenv("COALM_DATA", str(mirror))
    assert [s.how for s in get(toy)] == ["downloaded", "copied", "downloaded"]
    assert web.paths() == ["/toy/part_0.json", "/toy/part_2.json"]


def test_members_of_the_mirrors_archive_are_taken_out_of_it(
    toy: Source, web: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned(monkeypatch, FILES)
    mirror = nowhere / "m"
    mirror.mkdir()
    with tarfile.open(mirror / "toy.tar.gz", "w:gz") as tape:
        for path in list(FILES)[:2]:
            info = tarfile.TarInfo(path)
            info.size = len(FILES[path])
            tape.addfile(info, io.BytesIO(FILES[path]))
    monkeypatch.setenv("COALM_DATA", str(mirror))
    names = tuple(path.removeprefix("toy/") for path in FILES)
    packed = replace(toy, files=("toy.tar.gz",), members={"toy.tar.gz": names})
    assert [s.how for s in get(packed)] == ["copied", "copied", "downloaded"]


def test_a_file_inside_a_zip_is_known_by_its_bytes(
    web: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'[{"dialog_id": "1"}]'
    pinned(monkeypatch, {"toy/train.json": body})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("whatever/test.json", "[]")
        archive.writestr("whatever/name.json", body)
    web.files["/toy.zip"] = Served(packed.getvalue())
    source = Source(
        "toy",
        "Toy",
        "x",
        "CC0-1.0",
        ("toy/train.json",),
        {"toy/train.json": f"{web.address}/toy.zip"},
    )
    get(source)
    assert (sources.downloads() / "toy/train.json").read_bytes() == body
    assert not (sources.downloads() / "toy/toy.zip").exists()
    (sources.downloads() / "toy/train.json").unlink()
    web.files["/toy.zip"].body = packed.getvalue().replace(b"dialog_id", b"dialog_ix")
    with pytest.raises(DataError, match=r"toy\.zip"):
        get(source)


def test_what_is_off_is_not_fetched(nowhere: Path) -> None:
    with pytest.raises(DataError, match="off unless allowed with --allow gated"):
        get(SOURCES["xlam-60k"])


def test_what_cannot_be_downloaded_says_so(nowhere: Path) -> None:
    with pytest.raises(DataError, match="multiwoz cannot be downloaded as it is; set COALM_DATA"):
        get(SOURCES["multiwoz"])


def test_a_mirror_can_be_made_of_a_mirror(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALM_DATA", str(sources.MINIATURE))
    for name in ("multiwoz", "apibank", "sealtools", "snips"):
        assert {s.how for s in get(SOURCES[name], nowhere / "new")} == {"copied"}
    monkeypatch.setenv("COALM_DATA", str(nowhere / "new"))
    for name in ("multiwoz", "apibank", "sealtools", "snips"):
        assert sources.find(name).origin == "mirror"
