"""Settings change what training does in the way that they say, on a tiny model."""

from pathlib import Path
from typing import Any

import pytest

from coalm import store
from coalm.train import Lora
from tests.tiny import tiny_model
from tests.train.test_failures import write
from tests.train.test_run import losses, run, settings, weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", tied=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data"), 16)


def trained(model: Path, data: Path, out: Path, **changed: Any) -> list[float]:
    given = {"lora": Lora(rank=4), "steps": 4, "save_every": 100} | changed
    run(settings(model, data, **given), out)
    return [loss for _, loss in losses(out)]


def rates(out: Path) -> list[float]:
    rows = store.read_log(out / "metrics.jsonl")
    return [row["learning_rate"] for row in rows if "learning_rate" in row]


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "dora"},
        {"lora": Lora(rank=4, rslora=True)},
        {"lora": Lora(rank=4, targets=("q_proj", "down_proj"))},
        {"neftune": 5.0},
        {"attention": "eager", "method": "full", "pad": "<|im_end|>"},
        {"method": "full", "master": True, "dtype": "bf16"},
    ],
)
def test_a_way_of_training_learns_and_leaves_a_merged_model(
    model: Path, data: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    found = trained(model, data, tmp_path, **{"steps": 24} | changed)
    assert sum(found[-4:]) < 0.95 * sum(found[:4])
    assert weights(tmp_path) != (model / "model.safetensors").read_bytes()


def test_masters_are_saved_in_float32_and_small_updates_are_kept(
    model: Path, data: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    small = {"method": "full", "dtype": "bf16", "lr": 1e-6, "steps": 3}
    before = load_file(model / "model.safetensors")
    moved = {}
    for master in (True, False):
        trained(model, data, tmp_path / str(master), master=master, **small)
        after = load_file(tmp_path / str(master) / "model/model.safetensors")
        name = "model.norm.weight"  # ones: a millionth is far below bf16's step there
        moved[master] = bool((after[name].float() != before[name].float()).any())
    assert moved == {True: True, False: False}


def test_accumulated_batches_take_the_steps_of_one_large_batch(
    model: Path, data: Path, tmp_path: Path
) -> None:
    whole = trained(model, data, tmp_path / "whole", batch=16)
    parts = trained(model, data, tmp_path / "parts", batch=4, global_batch=16)
    assert parts == pytest.approx(whole, rel=1e-4)


def test_recomputed_activations_change_nothing(model: Path, data: Path, tmp_path: Path) -> None:
    plain = trained(model, data, tmp_path / "plain")
    again = trained(model, data, tmp_path / "again", checkpointing=True)
    assert again == pytest.approx(plain, rel=1e-6)


def test_noise_and_decay_and_clipping_change_the_losses(
    model: Path, data: Path, tmp_path: Path
) -> None:
    plain = trained(model, data, tmp_path / "plain", method="full")
    for name, changed in (
        ("noise", {"neftune": 5.0}),
        ("decay", {"weight_decay": 5.0}),
        ("clip", {"max_grad_norm": 1e-9}),  # Adam's epsilon then swallows the steps
    ):
        assert trained(model, data, tmp_path / name, method="full", **changed) != plain, name


def test_the_rate_warms_up_and_falls_as_scheduled(model: Path, data: Path, tmp_path: Path) -> None:
    shared = {"steps": 10, "lr": 1.0e-3}
    trained(model, data, tmp_path / "share", warmup=0.2, **shared)
    trained(model, data, tmp_path / "steps", warmup=2, **shared)
    assert rates(tmp_path / "share") == rates(tmp_path / "steps")
    assert rates(tmp_path / "steps")[:3] == pytest.approx([0.0, 0.0005, 0.001])
    assert rates(tmp_path / "steps")[-1] == pytest.approx(0.001 / 8)
    trained(model, data, tmp_path / "flat", warmup=0, schedule="constant_with_warmup", **shared)
    assert rates(tmp_path / "flat") == [0.001] * 10
    trained(model, data, tmp_path / "cosine", warmup=0, schedule="cosine", **shared)
    assert rates(tmp_path / "cosine")[5] == pytest.approx(0.0005)
