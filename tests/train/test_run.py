"""A training run on a tiny model: the same trainer, mask, checkpoints and merge as a big one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coalm import shards, store
from coalm.errors import DataError, ModelError, RecipeError
from coalm.train import Lora, Progress, TrainSettings, train
from coalm.types import Assistant, Dialogue, Sample, ToolCall, User
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    samples = [
        Sample(
            f"x/{i}",
            "x",
            Dialogue((User(f"add {i} and {i}" + "." * (i % 5)), Assistant(calls=(call(i),)))),
        )
        for i in range(24)
    ]
    shards.write_samples(folder / "train-00000-of-00001.parquet", samples[:20])
    shards.write_samples(folder / "valid-00000-of-00001.parquet", samples[20:])
    store.write_json(folder / "manifest.json", {})
    return folder


def call(number: int) -> ToolCall:
    return ToolCall("add", {"a": number})


def settings(on: Path, of: Path, **changed: Any) -> TrainSettings:
    given: dict[str, Any] = {
        "data": str(of),
        "model": str(on),
        "lora": Lora(rank=4, dropout=0.1),
        "steps": 10,
        "batch": 2,
        "lr": 1e-2,
        "dtype": "fp32",
        "log_every": 1,
        "save_every": 2,
    }
    return TrainSettings(**given | changed)


def run(
    wanted: TrainSettings, out: Path, watch: Callable[[Progress], None] = lambda _: None
) -> Any:
    notes: list[str] = []
    return train(wanted, out, watch=watch, note=notes.append), notes


def losses(out: Path) -> list[tuple[int, float]]:
    rows = store.read_log(out / "metrics.jsonl")
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def test_a_run_leaves_all_that_it_should(model: Path, data: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    done, notes = run(settings(model, data), tmp_path, seen.append)
    assert done.fresh
    assert [p.step for p in seen] == list(range(1, 11))
    assert seen[-1].steps == 10
    for name in ("recipe.yaml", "run.json", "metrics.jsonl", "loss.svg"):
        assert (tmp_path / name).stat().st_size > 0
    assert len(losses(tmp_path)) == 10
    record = store.read_json(tmp_path / "run.json")
    assert record["rows"] == {"train": 20, "valid": 4}
    assert record["inputs"]["settings"]["lr"] == 1e-2
    assert record["versions"]["trl"] != "not installed"
    assert store.read_json(tmp_path / "model/coalm-format.json")["layout"] == "chatml"
    assert any("validation loss" in note for note in notes)


def test_it_learns(model: Path, data: Path, tmp_path: Path) -> None:
    run(settings(model, data, steps=60, method="full", lr=5e-3), tmp_path)
    found = losses(tmp_path)
    assert found[-1][1] < 0.7 * found[0][1]


def test_a_finished_run_is_found_and_not_trained_again(
    model: Path, data: Path, tmp_path: Path
) -> None:
    run(settings(model, data, steps=2), tmp_path)
    before = (tmp_path / "metrics.jsonl").read_bytes()
    done, _ = run(settings(model, data, steps=2), tmp_path)
    assert not done.fresh
    assert (tmp_path / "metrics.jsonl").read_bytes() == before
    done, notes = run(settings(model, data, steps=3), tmp_path)
    assert done.fresh
    assert any("anew" in note for note in notes)


def test_loss_is_the_cross_entropy_of_the_learned_tokens_alone(
    model: Path, data: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from coalm.train.rows.encoding import IGNORED, Encoding, encode_split

    run(settings(model, data, steps=1, batch=20, lora=Lora(rank=4)), tmp_path)
    [(_, logged)] = losses(tmp_path)
    columns = encode_split(data, "train", Encoding(model, "chatml", "json", False, 4096)).dataset()
    net: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    net.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, labels in zip(columns["input_ids"], columns["labels"], strict=True):
            wanted = torch.tensor(labels[1:])
            logits = net(torch.tensor([ids])).logits[0, :-1]
            total += torch.nn.functional.cross_entropy(
                logits, wanted, ignore_index=IGNORED, reduction="sum"
            ).item()
            count += int((wanted != IGNORED).sum())
    assert logged == pytest.approx(total / count, rel=1e-4)


def test_an_interrupted_run_goes_on_to_the_same_numbers(
    model: Path, data: Path, tmp_path: Path
) -> None:
    def interrupt(now: Progress) -> None:
        if now.step == 5:
            raise KeyboardInterrupt

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(settings(model, data), whole)
    with pytest.raises(KeyboardInterrupt):
        run(settings(model, data), broken, interrupt)
    _, notes = run(settings(model, data), broken)
    assert any("going on from checkpoint-4" in note for note in notes)
    assert losses(broken) == losses(whole)
    assert weights(broken) == weights(whole)


def weights(run: Path) -> bytes:
    return (run / "model" / "model.safetensors").read_bytes()


KILLED = """
import json, sys
from pathlib import Path
from coalm.recipe import build
from coalm.train import TrainSettings, train
given = json.loads(sys.argv[1])
train(build(TrainSettings, given, "test"), Path(sys.argv[2]),
      watch=lambda p: print(p.step, flush=True), note=lambda _: None)
"""


def test_a_killed_run_goes_on_to_the_same_numbers(model: Path, data: Path, tmp_path: Path) -> None:
    from coalm.recipe import resolved

    wanted = settings(model, data)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(wanted, whole)
    command = [sys.executable, "-c", KILLED, json.dumps(resolved(wanted)), str(broken)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "6":
            time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert not (broken / "run.json").exists()
    run(wanted, broken)
    assert losses(broken) == losses(whole)
    assert weights(broken) == weights(whole)


def test_the_merged_model_differs_from_the_base_and_opens_as_an_engine(
    model: Path, data: Path, tmp_path: Path
) -> None:
    from coalm.engines import Model, Sampling, open_engine
    from coalm.formats import format_of

    run(settings(model, data), tmp_path)
    assert weights(tmp_path) != (model / "model.safetensors").read_bytes()
    speaker = Model(open_engine("transformers", str(tmp_path)), format_of("chatml", "json"))
    [said] = speaker.speak([Dialogue((User("add 1 and 1"),))], Sampling(max_tokens=5))
    assert said


def test_what_a_person_got_wrong_is_one_line(model: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no data folder"):
        run(settings(model, data, data=""), tmp_path)
    with pytest.raises(DataError, match=r"has no train rows; build it with"):
        run(settings(model, data, data=str(tmp_path)), tmp_path / "out")
    with pytest.raises(ModelError, match="no model 'nothing'"):
        run(settings(model, data, model="nothing"), tmp_path / "out")
    with pytest.raises(DataError, match="no row of at most 3 tokens"):
        run(settings(model, data, max_length=3), tmp_path / "out")
    with pytest.raises(ModelError, match=r"no marker '<\|eot_id\|>'|no marker"):
        run(settings(model, data, layout="llama3"), tmp_path / "out")
