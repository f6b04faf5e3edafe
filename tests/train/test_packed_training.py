"""Training on packed rows: the numbers of rows on their own, and no looking next door."""

from pathlib import Path
from typing import Any

import pytest

from coalm import models, shards, store
from coalm.train import TrainSettings, train
from coalm.train.rows.encoding import EncodedRows, Encoding, encode_split
from coalm.train.rows.feeding import collator, feed
from coalm.types import Assistant, Dialogue, Sample, User
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
            f"x/{i}", "x", Dialogue((User("say " + "so " * i), Assistant(f"{i} " * (i % 4 + 1))))
        )
        for i in range(24)
    ]
    shards.write_samples(folder / "train-00000-of-00001.parquet", samples[:20])
    shards.write_samples(folder / "valid-00000-of-00001.parquet", samples[20:])
    store.write_json(folder / "manifest.json", {})
    return folder


def settings(model: Path, data: Path, **changed: Any) -> TrainSettings:
    given: dict[str, Any] = {
        "data": str(data),
        "model": str(model),
        "method": "full",
        "max_length": 256,
        "dtype": "fp32",
        "log_every": 1,
        "steps": 2,
        "packing": True,
    }
    return TrainSettings(**given | changed)


def rows(model: Path, data: Path) -> EncodedRows:
    return encode_split(data, "train", Encoding(model, "chatml", "json", False, 256))


def batch(model: Path, data: Path, count: int) -> Any:
    wanted = settings(model, data)
    fed = feed(rows(model, data), wanted).dataset
    return collator(wanted, 0)([fed[i] for i in range(count)])


def net(model: Path, attention: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return models.load(AutoModelForCausalLM, model, torch.float32, attention=attention).eval()


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_rows_have_the_loss_that_they_have_alone(
    model: Path, data: Path, attention: str
) -> None:
    import torch

    from coalm.train.trainer import _rows_of, _total_loss

    there = net(model, attention)
    fed = feed(rows(model, data), settings(model, data)).dataset
    packed = batch(model, data, len(fed))
    assert (packed["attention_mask"] == 0).any()  # one of them is padded
    with torch.no_grad():
        total, count, _ = _total_loss(there, packed)
        alone = []
        for row in rows(model, data).dataset():
            ids, labels = torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])
            inputs = {
                "input_ids": ids,
                "labels": labels,
                "attention_mask": torch.ones_like(ids),
            }
            alone.append(_total_loss(there, inputs)[:2])
    assert count == sum(n for _, n in alone)
    assert total.item() == pytest.approx(sum(one.item() for one, _ in alone), rel=1e-5)
    found = sorted(_rows_of(packed))
    assert found == sorted(list(row) for row in rows(model, data).dataset()["input_ids"])


def test_a_row_does_not_see_its_neighbour(model: Path, data: Path) -> None:
    import torch

    there = net(model, "sdpa")
    one = batch(model, data, 1)
    starts = (one["position_ids"][0] == 0).nonzero().flatten().tolist()
    assert len(starts) > 2
    given = {name: one[name] for name in ("input_ids", "position_ids")}
    other = dict(given, input_ids=given["input_ids"].clone())
    other["input_ids"][0, : starts[1]] = 5
    with torch.no_grad():
        before, after = (there(**inputs, use_cache=False).logits[0] for inputs in (given, other))
    assert torch.equal(before[starts[1] :], after[starts[1] :])
    assert not torch.equal(before[: starts[1]], after[: starts[1]])


def test_a_packed_run_says_so_and_records_its_padding(
    model: Path, data: Path, tmp_path: Path
) -> None:
    notes: list[str] = []
    wanted = settings(model, data, batch=1, epochs=1.0, steps=None)
    train(wanted, tmp_path, watch=lambda _: None, note=notes.append)
    packed = len(feed(rows(model, data), wanted).dataset)
    assert packed < 20
    assert any(f"packed into {packed}, 0.0% padding" in note for note in notes)
    log = [row for row in store.read_log(tmp_path / "metrics.jsonl") if "loss" in row]
    assert len(log) == packed
    record = store.read_json(tmp_path / "run.json")
    assert record["padding"]["train"] == 0
    seen = log[-1]["num_input_tokens_seen"]
    assert seen == record["tokens"]["train"]


def test_rows_that_are_not_packed_are_grouped_by_length(
    model: Path, data: Path, tmp_path: Path
) -> None:
    wanted = settings(model, data, batch=4, packing=None)
    grouped = feed(rows(model, data), wanted)
    assert not grouped.packed
    assert 0 < grouped.padding < 0.3
    assert "batches by length" in grouped.describe()


def test_only_attention_that_keeps_rows_apart_for_free_packs_by_itself() -> None:
    assert TrainSettings(attention="flash").packed
    assert not TrainSettings().packed
    assert TrainSettings(packing=True).packed
    assert not TrainSettings(attention="flash", packing=False).packed
