"""Where corpora are looked for, in which order, and what is said of it."""

import gzip
import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from coalm import sources
from coalm.corpora import snips, toolace
from coalm.errors import DataError
from coalm.sources import MINIATURE, SOURCES, find
from tests.sources.server import Served, Server

XLAM = "function_calling/xlam/xlam_function_calling_60k.json"
IRRELEVANCE = "function_calling/xlam/xlam-7.5k-irrelevance.json"
PUBLISHED = "function_calling/hammer/masking_sft_data_example.json"

BUNDLED = (
    "snips",
    "sgd",
    "toolace",
    "xlam-60k",
    "xlam-irrelevance",
    "hammer",
    "toolrl",
    "glaive",
    "sealtools",
    "multiwoz",
    "apibank",
)


def mirror_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("COALM_DATA", str(folder))
    return folder


def put(root: Path, relative: str, content: object = ()) -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def sgd_archive(path: Path, numbers: range, *, schema: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tape:
        names = [f"train/dialogues_{n:03}.json" for n in numbers]
        for name in [*names, *(["train/schema.json"] if schema else [])]:
            info = tarfile.TarInfo(name)
            info.size = 2
            tape.addfile(info, io.BytesIO(b"[]"))


# --- the miniature ---


@pytest.mark.parametrize("name", BUNDLED)
def test_these_sources_have_a_miniature(name: str, miniature: None, nowhere: Path) -> None:
    found = find(name)
    assert found.origin == "miniature"
    assert "MINIATURE" in found.describe()
    assert not found.lacking
    for path in found.source.files:
        assert found.path(path).exists(), path


def test_a_source_without_miniature_says_what_to_do(nowhere: Path) -> None:
    with pytest.raises(DataError, match=r"no miniature; .*coalm data get sgd-dev"):
        find("sgd-dev")


def test_the_package_of_a_benchmark_falls_back_to_its_miniature(nowhere: Path) -> None:
    assert find("bfcl").origin == "miniature"
    wheel = sources.cache() / "wheels" / "bfcl_eval-2026.3.23-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"")
    assert find("bfcl").path("bfcl") == wheel


def test_an_unknown_source_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match="did you mean 'snips'"):
        find("snip")


# --- the mirror ---


@pytest.mark.data
@pytest.mark.parametrize("name", [n for n in BUNDLED if not n.startswith("xlam")])
def test_the_mirror_comes_first(name: str) -> None:
    found = find(name)
    assert found.origin == "mirror"
    assert found.real
    assert "local mirror" in found.describe()


@pytest.mark.data
@pytest.mark.parametrize("name", SOURCES)
def test_the_usual_mirror_has_what_the_table_says(name: str) -> None:
    source = SOURCES[name]
    state = sources.presence(source, sources.GATES).state
    if not source.wheel:
        expected = {"": "here", "nothing": "not here"}.get(source.usual, "partly here")
        assert state == expected


@pytest.mark.data
def test_what_the_usual_mirror_lacks_is_counted(tmp_path: Path) -> None:
    assert find("sgd").lacking == "96 of 127 train files"
    assert len(find("sgd").missing) == 31
    assert find("sgd-dev").lacking == "17 of 20 dev files"
    assert find("toolace").lacking == "the first 100 of 11,300 dialogues"


def test_a_mirror_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALM_DATA", "/no/such/folder")
    with pytest.raises(DataError, match="COALM_DATA"):
        find("snips")


def test_a_mirror_without_all_files_is_passed_over(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mirror_of(nowhere / "m", monkeypatch), "apibank/hammer/apibank_l1.json")
    assert find("apibank").origin == "miniature"


@pytest.mark.parametrize("packed", ["gz", "plain"])
def test_a_file_may_lie_packed_or_not(
    packed: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(mirror_of(nowhere / "m", monkeypatch), "snips/dst_split/train.json")
    if packed == "gz":
        path.with_name("train.json.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    found = find("snips")
    assert found.origin == "mirror"
    assert found.path(snips.SPLIT).exists()


def test_a_plain_json_of_the_table_may_be_gzipped(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    for level in (1, 2):
        path = root / f"apibank/hammer/apibank_l{level}.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"[]"))
    assert find("apibank").origin == "mirror"


def test_the_mirror_may_be_an_archive(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = shutil.make_archive(str(nowhere / "data"), "gztar", MINIATURE)
    monkeypatch.setenv("COALM_DATA", archive)
    found = find("multiwoz")
    assert found.origin == "mirror"
    assert all(found.path(p).is_file() for p in found.source.files)
    assert found.root.is_relative_to(sources.cache().resolve())


def test_a_mirror_archive_that_is_cut_off_is_named(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(shutil.make_archive(str(nowhere / "data"), "gztar", MINIATURE))
    whole.write_bytes(whole.read_bytes()[:5000])
    monkeypatch.setenv("COALM_DATA", str(whole))
    with pytest.raises(DataError, match=r"data\.tar\.gz: not readable as an archive"):
        find("snips")
    assert not [p for p in (sources.cache() / "unpacked").iterdir() if "part" not in p.name]


@pytest.mark.parametrize("name", ["../evil.json", "/evil.json", "a/../../evil.json"])
def test_an_archive_cannot_write_outside_of_its_folder(
    name: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = nowhere / "data.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, "[]")
    monkeypatch.setenv("COALM_DATA", str(archive))
    with pytest.raises(DataError, match="leads out of it"):
        find("snips")
    assert not list(nowhere.rglob("evil.json"))


# --- laid out as upstream ---


def test_a_checkout_of_the_upstream_repository_is_read_as_it_is(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    shutil.copytree(MINIATURE / "sgd/train", root / "dstc8-schema-guided-dialogue-master" / "train")
    found = find("sgd")
    assert found.origin == "mirror"
    assert found.path("sgd/train.tar.gz").is_dir()
    assert found.lacking == "2 of 127 train files"


def test_the_mirror_may_be_the_checkout_itself(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "Hammer", monkeypatch)
    put(root, "data/test/original/apibank_l1.json")
    put(root, "data/test/original/apibank_l2.json")
    assert find("apibank").origin == "mirror"


def test_a_zip_of_the_upstream_repository_is_unpacked_and_read(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    with zipfile.ZipFile(root / "Seal-Tools-main.zip", "w") as packed:
        for name in ("dev", "tool"):
            packed.writestr(f"Seal-Tools-main/Seal-Tools_Dataset/{name}.jsonl", "{}\n")
    found = find("sealtools")
    assert found.origin == "mirror"
    assert found.path("function_calling/sealtools/dev.jsonl.gz").read_text() == "{}\n"


def test_the_whole_is_given_to_who_asks_for_the_sample(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    tools = [{"name": "Market Trends API", "parameters": {"type": "dict", "properties": {}}}]
    talk = [
        {"from": "user", "value": "How is the market?"},
        {"from": "assistant", "value": "[Market Trends API()]"},
        {"from": "tool", "value": "up"},
        {"from": "assistant", "value": "It is up."},
    ]
    put(root, "ToolACE/data.json", [{"system": f"Use: {json.dumps(tools)}", "conversations": talk}])
    found = find("toolace", partial=False)
    assert not found.lacking
    [sample] = toolace.read(found)
    assert len(sample.dialogue.turns) == 4


# --- partly there ---


def test_a_corpus_that_is_partly_there_says_how_much(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sgd_archive(mirror_of(nowhere / "m", monkeypatch) / "sgd/train.tar.gz", range(1, 97))
    found = find("sgd")
    assert found.lacking == "96 of 127 train files"
    assert found.missing == tuple(f"dialogues_{n:03}.json" for n in range(97, 128))
    assert "96 of 127 train files" in found.describe()


def test_it_is_used_only_where_that_is_allowed(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sgd_archive(mirror_of(nowhere / "m", monkeypatch) / "sgd/train.tar.gz", range(1, 97))
    with pytest.raises(DataError, match=r"sgd is partly there \(96 of 127 train files\); ") as e:
        find("sgd", partial=False)
    assert "pass --partial or set partial: true" in str(e.value)
    assert "coalm data get sgd" in str(e.value)


def test_a_corpus_that_is_whole_needs_no_leave(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sgd_archive(mirror_of(nowhere / "m", monkeypatch) / "sgd/train.tar.gz", range(1, 128))
    assert find("sgd", partial=False).lacking == ""


def test_a_split_without_its_schema_is_not_whole(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    sgd_archive(root / "sgd/train.tar.gz", range(1, 128), schema=False)
    assert find("sgd").lacking == "no schema.json"


def test_a_folder_with_nothing_but_a_schema_is_no_corpus(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mirror_of(nowhere / "m", monkeypatch), "sgd/train/schema.json")
    assert find("sgd").origin == "miniature"


def test_the_fuller_of_mirror_and_downloads_is_taken(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sgd_archive(mirror_of(nowhere / "m", monkeypatch) / "sgd/train.tar.gz", range(1, 97))
    sgd_archive(sources.downloads() / "sgd/train.tar.gz", range(1, 128))
    assert find("sgd").origin == "download"


def test_an_archive_that_is_no_archive_is_named(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mirror_of(nowhere / "m", monkeypatch), "sgd/train.tar.gz")
    with pytest.raises(DataError, match=r"train\.tar\.gz: not readable as an archive"):
        find("sgd")
    assert sources.presence(SOURCES["sgd"]).state == "broken"


# --- gated and non-commercial ---


def test_what_is_non_commercial_is_off_unless_allowed(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(mirror_of(nowhere / "m", monkeypatch), IRRELEVANCE)
    with pytest.raises(DataError, match=r"non-commercial use only \(CC-BY-NC-4\.0\)") as e:
        find("xlam-irrelevance")
    assert "--allow non-commercial" in str(e.value)
    assert "allow: [non-commercial]" in str(e.value)
    assert find("xlam-irrelevance", allow=["non-commercial"]).real
    with pytest.raises(DataError, match="non-commercial"):
        find("xlam-irrelevance", allow=["gated"])


def test_what_is_gated_says_where_its_terms_are(nowhere: Path) -> None:
    why = sources.refusal(SOURCES["xlam-60k"])
    assert "huggingface.co/datasets/Salesforce/xlam-function-calling-60k" in why
    assert "HF_TOKEN" in why
    assert not sources.refusal(SOURCES["xlam-60k"], ["gated"])


def test_a_file_that_is_off_is_not_read_along_with_another(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mirror_of(nowhere / "m", monkeypatch)
    for path in (XLAM, IRRELEVANCE, PUBLISHED):
        put(root, path)
    found = find("hammer")
    assert not found.path(XLAM).exists()
    assert not found.path(IRRELEVANCE).exists()
    assert found.lacking == (
        "without xlam-60k (off: gated) and xlam-irrelevance (off: non-commercial)"
    )
    assert f"{XLAM} is there but off" in found.describe()
    allowed = find("hammer", allow=["gated"])
    assert allowed.path(XLAM).exists()
    assert not allowed.path(IRRELEVANCE).exists()
    assert not find("hammer", allow=["gated", "non-commercial"], partial=False).lacking


def test_a_word_that_is_no_gate_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match="did you mean 'non-commercial'"):
        find("hammer", allow=["noncommercial"])


# --- downloads ---


def test_what_can_be_downloaded_is_and_is_kept(
    online: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES["multiwoz-original"]
    [address] = source.upstream.values()
    online.files["/" + address.removeprefix("https://")] = Served(b"PK")
    told: list[str] = []
    assert find("multiwoz-original", note=told.append).origin == "download"
    assert find("multiwoz-original").origin == "download"
    assert len(online.asked) == 1
    assert "downloading 1 files" in told[0]


def test_a_download_that_fails_leaves_the_miniature_and_says_why(online: Server) -> None:
    found = find("snips")
    assert found.origin == "miniature"
    assert "answers 404" in found.describe()
    assert not [p for p in sources.downloads().rglob("*") if p.is_file()]


def test_what_is_offline_is_not_asked_for(online: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALM_OFFLINE", "1")
    assert find("snips").origin == "miniature"
    assert not online.asked


def test_a_gated_source_is_not_asked_for_unless_allowed(online: Server) -> None:
    found = find("xlam-60k")
    assert found.origin == "miniature"
    assert "gated" in found.describe()
    assert not online.asked
