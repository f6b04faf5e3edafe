"""`coalm export`: a model as other programs' files, and the mistakes that people make."""

from pathlib import Path

import pytest

from tests.checkpoints import checkpoint
from tests.cli.test_eval_server import coalm

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    checkpoint(home / "run" / "model")
    (home / "run" / "model" / "optimizer.pt").write_bytes(b"not for others")
    return home


def test_a_run_becomes_a_gguf_and_a_second_time_only_when_forced(home: Path) -> None:
    words = ("export", "run", "--to", "gguf", "--out", "out/m.gguf")
    done = coalm(home, *words)
    assert done.returncode == 0, done.stderr
    assert "out/m.gguf: 0.3 MB" in done.stdout
    assert (home / "out" / "m.gguf").read_bytes()[:4] == b"GGUF"
    again = coalm(home, *words)
    assert again.returncode == 2
    assert "is there already; --force" in again.stderr
    eight = coalm(home, *words, "--dtype", "q8_0", "--force")
    assert "out/m.gguf: 0.1 MB" in eight.stdout
    beside = coalm(home, "export", "run", "--to", "gguf", "--out", "out")
    assert "out/run-f16.gguf" in beside.stdout


def test_a_run_becomes_a_folder_that_transformers_loads(home: Path) -> None:
    (home / "kept").mkdir()
    (home / "kept" / "notes.txt").write_text("mine")
    words = ("export", "run", "--to", "hf", "--out", "kept")
    assert "--force" in coalm(home, *words).stderr
    assert coalm(home, *words, "--force").returncode == 0
    names = {path.name for path in (home / "kept").iterdir()}
    assert {"config.json", "tokenizer.json", "model.safetensors", "notes.txt"} <= names
    assert "optimizer.pt" not in names
    from tests.checkpoints import loaded

    assert loaded(home / "kept").config.hidden_size == 64


def test_what_is_meant_is_said_in_one_line(home: Path) -> None:
    adapter = home / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    for words, said in {
        ("run", "--to", "ggfu"): "did you mean 'gguf'",
        ("run", "--to", "gguf", "--dtype", "q8"): "did you mean 'q8_0'",
        ("runn", "--to", "gguf"): "no model 'runn'",
        ("adapter", "--to", "gguf"): "holds an adapter alone; merge it",
    }.items():
        done = coalm(home, "export", *words, "--out", "x.gguf")
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (home / "x.gguf").exists()
