"""`coalm eval` with the engine openvino: chosen by itself, told in the run, gone on with."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoints import checkpoint
from tests.cli.test_eval_server import coalm

pytest.importorskip("openvino_genai")
torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="there auto is another engine"),
]
LINE = ("--bench", "bfcl:ast", "--max-tokens", "6")
SMALL = ("--engine", "openvino", "--engine-option", "cache_gb=0.05")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("openvino")
    checkpoint(home / "tiny", max_position_embeddings=8192)
    yarn = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}
    checkpoint(home / "other", "Qwen2", max_position_embeddings=8192, rope_parameters=yarn)
    return home


def identity(home: Path, out: str) -> dict[str, Any]:
    found = json.loads((home / out / "bfcl.ast" / "scores.json").read_text())["identity"]
    return dict(found)


def test_the_run_says_which_engine_it_was_and_goes_on_with_it(home: Path) -> None:
    done = coalm(home, "eval", "tiny", *SMALL, *LINE, "--limit", "3", "--out", "a")
    assert done.returncode == 0, done.stderr
    assert "writing tiny for OpenVINO (f16 weights), once" in done.stdout
    assert (identity(home, "a")["engine"], identity(home, "a")["dtype"]) == ("openvino", "fp32")
    assert "engine_options" not in identity(home, "a")  # memory decides no answer
    again = coalm(home, "eval", "tiny", *LINE, "--limit", "5", "--out", "a")
    assert "3 of 5 cases were answered before" in again.stdout
    assert "writing" not in again.stdout
    other = coalm(home, "eval", "tiny", *LINE, "--dtype", "q8_0", "--limit", "5", "--out", "a")
    assert other.returncode == 2
    assert "dtype was" in other.stderr


def test_auto_is_openvino_and_says_so_where_it_cannot_be(home: Path) -> None:
    words = (*LINE, "--limit", "2")
    done = coalm(home, "eval", "tiny", *words, "--out", "b")
    assert done.returncode == 0, done.stderr
    assert identity(home, "b")["engine"] == "openvino"
    done = coalm(home, "eval", "other", *words, "--out", "c")
    assert done.returncode == 0, done.stderr
    assert "engine transformers, because openvino is of no use here" in done.stdout
    assert identity(home, "c")["engine"] == "transformers"


def test_an_option_that_cannot_be_meant_is_one_line(home: Path) -> None:
    words = ("eval", "tiny", "--engine", "openvino", "--bench", "bfcl:ast", "--out", "d")
    done = coalm(home, *words, "--engine-option", "cache=1")
    assert done.returncode == 2
    assert "did you mean 'cache_gb'" in done.stderr
    done = coalm(home, *words, "--dtype", "fp16")
    assert done.returncode == 2
    assert "no dtype of the engine 'openvino' 'fp16'" in done.stderr
