"""The parts beyond the paper: each lesson gives its rows, in the group of its source dialogue."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from coalm import shards
from coalm.errors import RecipeError
from coalm.mixture import DataSettings, Part, build
from coalm.sources import mirror
from coalm.types import Assistant, Sample


def _built(tmp_path: Path, *parts: Part, **others: Any) -> list[Sample]:
    settings = DataSettings(
        parts=parts, tokenizer="bytes", longest=90_000, valid_share=0.0, partial=True, **others
    )
    build(settings, tmp_path / "mix")
    return list(shards.read_split(tmp_path / "mix", "train"))


def _calls(sample: Sample) -> int:
    return sum(len(t.calls) for t in sample.dialogue.turns if isinstance(t, Assistant))


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real corpora, of SGD four files of the real archive only."""
    real = mirror()
    assert real is not None
    copy = tmp_path / "mirror"
    (copy / "sgd").mkdir(parents=True)
    for folder in real.iterdir():
        if folder.is_dir() and folder.name != "sgd":
            (copy / folder.name).symlink_to(folder)
    wanted = {"schema.json", *(f"dialogues_{n:03}.json" for n in (1, 20, 60, 100))}
    with (
        tarfile.open(real / "sgd" / "train.tar.gz") as whole,
        tarfile.open(copy / "sgd" / "train.tar.gz", "w:gz") as part,
    ):
        for member in whole:
            if Path(member.name).name in wanted:
                part.addfile(member, whole.extractfile(member))
    monkeypatch.setenv("COALM_DATA", str(copy))
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))


SGD = ("sgd-dst", "sgd-react", "sgd-cra", "sgd-calls", "sgd-clarify", "sgd-requests")


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.usefixtures("few")
def test_every_lesson_gives_rows_of_the_real_corpora(tmp_path: Path) -> None:
    kinds = [Part(corpus=name, rows=8) for name in (*SGD, "sgd-irrelevant")]
    taught = [
        Part(corpus=name, lesson=lesson, rows=4)
        for name in ("sealtools", "toolrl", "sgd-requests")
        for lesson in ("calls", "irrelevant", "joined", "syntax")
    ]
    rows = _built(tmp_path, *kinds, *taught, Part(corpus="sealtools", lesson="clarify", rows=4))
    found = {s.corpus for s in rows}
    assert found == {*SGD, "sgd-irrelevant", "sealtools", "toolrl"}
    assert all(s.group.startswith("sgd/train/") for s in rows if s.corpus.startswith("sgd-"))
    assert all(not _calls(s) for s in rows if s.corpus == "sgd-irrelevant")
    assert all(_calls(s) >= 2 for s in rows if s.corpus == "sgd-calls")


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.usefixtures("few")
def test_services_are_kept_apart_for_tests_on_unseen_ones(tmp_path: Path) -> None:
    seen = Part(corpus="sgd-dst", rows=40, without_domains=("restaurant",))
    unseen = Part(corpus="sgd-dst", rows=20, domains=("restaurant",))
    rows = _built(tmp_path, seen, unseen)
    unseen_rows = [s for s in rows if "restaurant-" in str(s.dialogue.turns[0])]
    assert len(rows) == 60
    assert len(unseen_rows) == 20


@pytest.mark.data
def test_a_mistyped_domain_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'hotel'"):
        _built(tmp_path, Part(corpus="sgd-dst", rows=5, domains=("hotle",)))


def test_the_miniature_keeps_its_dialogues_where_it_lacks_the_domain(
    miniature: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    assert _built(tmp_path, Part(corpus="sgd-dst", domains=("hotel",)))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.usefixtures("few")
def test_the_papers_parts_are_rows_given_whole(tmp_path: Path) -> None:
    parts = [
        Part(corpus=name, form="published", rows=6) for name in ("hammer", "toolace", "sgd-cra")
    ]
    rows = _built(tmp_path, *parts, keep_duplicates=True, allow=("gated", "non-commercial"))
    assert {s.dialect for s in rows} == {"verbatim"}
    assert {s.corpus for s in rows} == {"hammer", "toolace", "sgd-cra"}
    assert all(not s.dialogue.tools and len(s.dialogue.turns) == 3 for s in rows)


def test_a_corpus_that_the_paper_lacks_has_no_published_form(
    miniature: None, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="not in the paper's mixture"):
        _built(tmp_path, Part(corpus="glaive", form="published"))
