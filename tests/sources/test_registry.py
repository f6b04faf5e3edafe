"""The table of sources: complete, consistent, and pinned where that is possible."""

import re
from pathlib import Path

import pytest

from coalm.bench.bfcl import data as bfcl
from coalm.corpora import glaive, hammer, sealtools, sgd, snips, toolace, toolrl
from coalm.sources import GATES, SOURCES, pin, pins, plain, total

ROOT = Path(__file__).parents[2]
every = pytest.mark.parametrize("name", SOURCES)


@every
def test_a_source_is_described_in_full(name: str) -> None:
    source = SOURCES[name]
    assert source.title
    assert source.address
    assert source.licence
    assert set(source.gates) <= set(GATES)
    assert set(source.beside) <= set(SOURCES)
    assert not source.instead or source.instead in SOURCES
    assert set(source.inside) <= {p for form in source.forms for p in form}


@every
def test_its_revision_is_a_commit_or_it_says_that_none_is_known(name: str) -> None:
    source = SOURCES[name]
    if source.revision and not source.wheel:
        assert re.fullmatch(r"[0-9a-f]{40}", source.revision)
        assert all(
            source.revision in a or re.search(r"/[0-9a-f]{40}/", a)
            for a in source.upstream.values()
        )
    elif source.upstream and "/main/" in "".join(source.upstream.values()):
        assert "not known" in source.note


@every
def test_a_download_goes_to_where_it_is_looked_for(name: str) -> None:
    source = SOURCES[name]
    homes = {plain(p) for form in source.forms for p in form}
    for path in source.upstream:
        assert any(path == home or path.startswith(f"{home}/") for home in homes), path


@every
def test_every_file_is_pinned_except_those_that_nobody_here_has_seen(name: str) -> None:
    unseen = {"xlam-60k", "multiwoz-original"}
    source = SOURCES[name]
    paths = [plain(p) for p in source.files if not p.endswith(".tar.gz")]
    assert all(bool(pin(p).sha256) != (name in unseen) for p in paths)


def test_the_pins_are_what_they_seem() -> None:
    for path, one in pins().items():
        assert re.fullmatch(r"[0-9a-f]{64}", one.sha256), path
        assert path == plain(path) or one.lacks is not None


def test_the_readers_paths_are_in_the_table() -> None:
    wanted = {
        "snips": [snips.SPLIT],
        "sgd": [sgd.ARCHIVE],
        "toolace": [toolace.ROWS],
        "hammer": [hammer.PUBLISHED],
        "xlam-60k": [hammer.XLAM["xlam"]],
        "xlam-irrelevance": [hammer.XLAM["irrelevance"]],
        "toolrl": [toolrl.ROWS],
        "glaive": [glaive.ROWS],
        "sealtools": [sealtools.DEV, sealtools.TOOLS],
    }
    for name, paths in wanted.items():
        assert set(paths) <= set(SOURCES[name].files), name


def test_the_benchmarks_wheel_is_the_one_that_is_read() -> None:
    wheel = SOURCES["bfcl"].wheel
    assert wheel is not None
    assert (wheel.package, wheel.version, wheel.sha256) == (
        bfcl.PACKAGE,
        bfcl.VERSION,
        bfcl.SHA256,
    )


def test_sizes_are_known_where_files_are() -> None:
    assert total(SOURCES["snips"]) == (3_793_635, 0)
    known, unknown = total(SOURCES["sgd"])
    assert unknown == 31
    assert known > 250_000_000


@every
def test_the_page_of_sources_has_it(name: str) -> None:
    source, page = SOURCES[name], (ROOT / "docs/sources.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
    for word in (source.title, source.address, source.licence, source.revision, source.usual):
        assert word in row
    assert all(f"**{gate}**" in row for gate in source.gates)
