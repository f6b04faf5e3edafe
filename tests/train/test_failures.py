"""What stops a run is said in one line, and what was good before it is kept."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coalm import shards, store
from coalm.errors import CoalmError, DataError, ModelError, RecipeError, TrainingError
from coalm.train import Fsdp, Lora, Progress, TrainSettings, train
from coalm.types import Assistant, Dialogue, Sample, User
from tests.tiny import tiny_model
from tests.train.test_run import call, losses, run, settings, weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data"), 16)


def write(folder: Path, rows: int) -> Path:
    samples = [
        Sample(f"x/{i}", "x", Dialogue((User(f"add {i}"), Assistant(calls=(call(i),)))))
        for i in range(rows + 2)
    ]
    shards.write_samples(folder / "train-00000-of-00001.parquet", samples[:rows])
    shards.write_samples(folder / "valid-00000-of-00001.parquet", samples[rows:])
    store.write_json(folder / "manifest.json", {})
    return folder


def poisoned(at: int, spoil: Callable[[Any], None]) -> Callable[[Progress], None]:
    """A watch that spoils the model after a step, found through the trainer that is alive."""
    import gc

    def watch(now: Progress) -> None:
        if now.step == at:
            [trainer] = [o for o in gc.get_objects() if type(o).__name__ == "LearnedTokens"]
            spoil(trainer)

    return watch


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_batch(
    model: Path, data: Path, tmp_path: Path
) -> None:
    import torch

    def spoil(trainer: Any) -> None:
        with torch.no_grad():
            next(p for p in trainer.model.parameters() if p.requires_grad).fill_(float("nan"))

    with pytest.raises(TrainingError, match=r"training loss of step 6 .*/checkpoint-4 is from"):
        run(settings(model, data), tmp_path, poisoned(5, spoil))
    stopped = store.read_json(tmp_path / "stopped.json")
    assert stopped["step"] == 6
    assert len(stopped["rows"]) == len(stopped["texts"]) == 2
    columns = encoded(model, data)
    for row, text in zip(stopped["rows"], stopped["texts"], strict=True):
        assert columns[row] == text
    assert losses(tmp_path)[-1][0] == 5
    done, notes = run(settings(model, data), tmp_path)  # nothing is wrong any more: it goes on
    assert done.fresh
    assert any("going on from checkpoint-4" in note for note in notes)


def encoded(model: Path, data: Path) -> list[str]:
    from transformers import AutoTokenizer

    from coalm.train.rows.encoding import Encoding, encode_split

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = encode_split(data, "train", Encoding(model, "chatml", "json", False, 4096)).dataset()
    return [str(tokenizer.decode(ids)) for ids in rows["input_ids"]]


def test_a_gradient_that_is_no_number_never_reaches_the_weights(
    model: Path, data: Path, tmp_path: Path
) -> None:
    def spoil(trainer: Any) -> None:
        weight = next(p for p in trainer.model.parameters() if p.requires_grad)
        weight.register_hook(lambda gradient: gradient * float("inf"))

    for out, grad_norm in ((tmp_path / "clipped", 1.0), (tmp_path / "free", 0.0)):
        with pytest.raises(TrainingError, match="gradient of step 3"):
            run(settings(model, data, max_grad_norm=grad_norm), out, poisoned(2, spoil))
        assert (out / "checkpoints/checkpoint-2").exists()
        assert losses(out)[-1][0] == 2


def raising(problem: Exception) -> Callable[[Progress], None]:
    def watch(now: Progress) -> None:
        if now.step == 3:
            raise problem

    return watch


def test_out_of_memory_says_what_to_change(model: Path, data: Path, tmp_path: Path) -> None:
    import torch

    for problem in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ):
        with pytest.raises(TrainingError, match=r"out of memory at batch=2.*checkpointing=true"):
            run(settings(model, data), tmp_path, raising(problem))


def test_a_full_disk_says_that_the_checkpoint_is_whole(
    model: Path, data: Path, tmp_path: Path
) -> None:
    for problem in (
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ):
        with pytest.raises(TrainingError, match=r"full .*; checkpoint-2 is whole"):
            run(settings(model, data), tmp_path, raising(problem))
    done, _ = run(settings(model, data), tmp_path)
    assert done.fresh
    run(settings(model, data), tmp_path / "whole")
    assert weights(tmp_path) == weights(tmp_path / "whole")


LIMITED = """
import resource, sys
from pathlib import Path
from coalm.errors import TrainingError
from coalm.train import Lora, TrainSettings, train
model, data, out = sys.argv[1:]
wanted = TrainSettings(data=data, model=model, lora=Lora(rank=64), steps=4, batch=2, dtype="fp32",
                       save_every=2)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    train(wanted, Path(out), watch=lambda p: None, note=lambda text: None)
except TrainingError as e:
    print("SAID", e)
"""


def test_a_real_limit_on_files_is_said_in_words(model: Path, data: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    encoded(model, data)  # into the cache, before files must stay small
    command = [sys.executable, "-c", LIMITED, str(model), str(data), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "SAID" in done.stdout, done.stderr[-2000:]
    assert "no checkpoint had been saved" in done.stdout


def test_other_errors_of_ours_stay_as_they_are(model: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run(settings(model, data), tmp_path, raising(ZeroDivisionError("ours")))
    with pytest.raises(OSError, match="strange"):
        run(settings(model, data), tmp_path, raising(OSError(errno.EIO, "strange")))


def test_bad_data_and_settings_are_named(model: Path, data: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def fails(kind: type[CoalmError], match: str, **changed: Any) -> None:
        with pytest.raises(kind, match=match):
            run(settings(model, data, **changed), tmp_path / "out")

    empty = write(tmp_path / "empty", 2)
    shards.write_samples(empty / "train-00000-of-00001.parquet", [])
    fails(DataError, "no rows to train on", data=str(empty))
    wrong = write(tmp_path / "wrong", 2)
    table = pa.table({"id": ["1"], "messages": ["[]"]})
    pq.write_table(table, wrong / "train-00000-of-00001.parquet")
    fails(DataError, r"wrong: train rows: .* column 'turns'", data=str(wrong))
    (wrong / "train-00000-of-00001.parquet").write_bytes(b"PAR1 not quite")
    fails(DataError, "wrong: train rows: not a readable parquet", data=str(wrong))
    fails(RecipeError, r"no layer 'q_porj'; did you mean 'q_proj'", lora=Lora(targets=("q_porj",)))
    fails(RecipeError, "no token '<pad>'", pad="<pad>")
    fails(RecipeError, "fsdp shares a model out", fsdp=Fsdp())
    fails(RecipeError, "bitsandbytes|GPU", method="qlora")
    plain = tiny_model(tmp_path / "plain")
    text = (plain / "tokenizer.json").read_text()
    (plain / "tokenizer.json").write_text(text.replace("<|im_start|>", "<|other|>"))
    fails(ModelError, "markers of no layout", model=str(plain))


def test_needs_are_checked_before_a_model_is_looked_for(data: Path, tmp_path: Path) -> None:
    wanted = TrainSettings(data=str(data), model="nobody/nothing", method="qlora")
    with pytest.raises(RecipeError, match="qlora"):
        train(wanted, tmp_path, watch=lambda _: None, note=lambda _: None)
