"""What is on this machine of a source, file by file."""

import gzip
import shutil
from pathlib import Path

import pytest

from coalm import sources
from coalm.errors import DataError
from coalm.sources import SOURCES, check

SPLIT = "snips/dst_split/train.json.gz"


@pytest.mark.data
@pytest.mark.parametrize("name", SOURCES)
def test_every_file_of_the_usual_mirror_is_sound(name: str) -> None:
    assert [v for v in check(SOURCES[name]) if not v.sound] == []


@pytest.mark.data
def test_the_older_annotation_holds_every_dialogue_that_the_final_one_lacks() -> None:
    said = " ".join(v.said for n in ("sgd", "sgd-dev", "sgd-2019") for v in check(SOURCES[n]))
    assert "12,174 dialogues" in said
    assert "2,098 dialogues" in said
    assert "34 of 34 older files, 4,352 dialogues" in said
    assert 12_174 + 2_098 + 4_352 == 16_142 + 2_482


@pytest.fixture
def copied(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror with the real SNIPS split and API-Bank, to be broken."""
    real = Path(__file__).parents[3] / "shared" / "data"
    named = sources.mirror() or real
    if not (named / SPLIT).is_file():
        pytest.skip("no real corpora here; set COALM_DATA")
    mirror = nowhere / "m"
    for path in (SPLIT, "apibank/hammer/apibank_l1.json", "apibank/hammer/apibank_l2.json"):
        (mirror / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(named / path, mirror / path)
    monkeypatch.setenv("COALM_DATA", str(mirror))
    return mirror


@pytest.mark.data
def test_a_changed_byte_is_seen(copied: Path) -> None:
    path = copied / "apibank/hammer/apibank_l1.json"
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    [one, two] = check(SOURCES["apibank"])
    assert not one.sound
    assert "has sha256" in one.said
    assert two.sound


@pytest.mark.data
def test_packing_anew_changes_nothing(copied: Path) -> None:
    text = gzip.decompress((copied / SPLIT).read_bytes())
    (copied / SPLIT).write_bytes(gzip.compress(text, 1))
    assert [v.said for v in check(SOURCES["snips"])] == ["sha256 right, 13,084 records"]
    (copied / SPLIT).unlink()
    (copied / SPLIT.removesuffix(".gz")).write_bytes(text)
    assert [v.sound for v in check(SOURCES["snips"])] == [True]


@pytest.mark.data
def test_a_cut_off_file_is_named(copied: Path) -> None:
    (copied / SPLIT).write_bytes((copied / SPLIT).read_bytes()[:9000])
    [one] = check(SOURCES["snips"])
    assert not one.sound
    assert "not readable" in one.said


def test_a_missing_file_is_named(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = nowhere / "m"
    (mirror / "apibank/hammer").mkdir(parents=True)
    (mirror / "apibank/hammer/apibank_l1.json").write_text("[]")
    monkeypatch.setenv("COALM_DATA", str(mirror))
    verdicts = {v.path: v for v in check(SOURCES["apibank"])}
    assert "missing from" in verdicts["apibank/hammer/apibank_l2.json"].said
    assert not verdicts["apibank/hammer/apibank_l1.json"].sound
    assert "0 records, not 399" in verdicts["apibank/hammer/apibank_l1.json"].said


def test_what_is_not_here_has_no_verdict(nowhere: Path) -> None:
    assert not [v for source in SOURCES.values() for v in check(source)]


def test_a_broken_member_of_an_archive_is_named(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = nowhere / "m"
    shutil.copytree(sources.MINIATURE / "sgd", mirror / "sgd")
    monkeypatch.setenv("COALM_DATA", str(mirror))
    verdicts = list(check(SOURCES["sgd"]))
    assert {v.path for v in verdicts if not v.sound} == {
        "sgd/train/schema.json",
        "sgd/train/dialogues_001.json",
        "sgd/train/dialogues_002.json",
    }  # our miniature is not the corpus


def test_a_package_with_other_bytes_is_broken(nowhere: Path) -> None:
    wheel = sources.cache() / "wheels" / "bfcl_eval-2026.3.23-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"not it")
    [one] = check(SOURCES["bfcl"])
    assert not one.sound


def test_a_wheel_with_another_hash_is_refused_and_removed(nowhere: Path) -> None:
    wheel = sources.cache() / "wheels" / "some_thing-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"not it")
    with pytest.raises(DataError, match="sha256"):
        sources.wheel("some-thing", "1.0", "0" * 64)
    assert not wheel.exists()
