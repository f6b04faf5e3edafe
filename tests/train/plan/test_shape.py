"""Models without weights: the counts are the published ones, wrong names are found."""

import time
from pathlib import Path
from typing import Any

import pytest

from coalm.errors import ModelError, RecipeError
from coalm.train import Fsdp, Lora, TrainSettings
from coalm.train.architectures import bundled, describe
from coalm.train.plan.shape import Shape, shape_of
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow

PUBLISHED = {
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "smollm2-135m": 134_515_008,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-7b": 7_615_616_512,
    "mistral-7b-v0.3": 7_248_023_552,
}
"""Weights as the model cards' safetensors headers count them."""


def shape(model: str, **changed: Any) -> Shape:
    return shape_of(describe(model), TrainSettings(**{"method": "full"} | changed))


def test_every_bundled_description_has_the_published_number_of_weights() -> None:
    assert set(bundled()) == set(PUBLISHED)
    for name in bundled():
        if name != "llama-3.1-405b":  # counted below
            assert shape(name).total == PUBLISHED[name], name


def test_405b_is_counted_within_a_minute() -> None:
    began = time.monotonic()
    found = shape("meta-llama/Llama-3.1-405B-Instruct", method="qlora")
    assert time.monotonic() - began < 60
    assert found.total == PUBLISHED["llama-3.1-405b"]
    layer = 16 * (4 * 16384 + 2 * (16384 + 1024) + 3 * (16384 + 53248))
    assert found.trainable == 126 * layer
    assert found.wrapped == ("LlamaDecoderLayer",)


def test_an_adapter_on_two_layers_is_counted_alone() -> None:
    lora = Lora(rank=8, alpha=8, targets=("q_proj", "v_proj"))
    found = shape("llama-3.1-8b", method="lora", lora=lora)
    assert found.trainable == 32 * 8 * (4096 + 4096 + 4096 + 1024)
    assert (found.adapted, found.adapted_in) == (2, 8192)


def test_dora_adds_a_magnitude_for_each_output() -> None:
    plain, dora = (shape("smollm2-135m", method=m) for m in ("lora", "dora"))
    assert dora.trainable - plain.trainable == 30 * plain.adapted_out


def test_parts_add_up_to_the_whole() -> None:
    found = shape("smollm2-135m")
    assert found.outside + 30 * found.largest_layer == found.total
    assert found.output == 49152 * 576  # tied: the embedding


def test_a_folder_is_read_by_its_own_config(tmp_path: Path) -> None:
    tiny_model(tmp_path / "model")
    for path in (tmp_path / "model/model.safetensors", tmp_path / "model/tokenizer.json"):
        path.unlink()
    found = shape(str(tmp_path))  # as a run folder holds it
    assert (found.layers, found.width) == (2, 32)


def test_wrong_names_are_found_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"targets: no layer 'q_porj'; did you mean 'q_proj'"):
        shape("smollm2-135m", method="lora", lora=Lora(targets=("v_proj", "q_porj")))
    with pytest.raises(RecipeError, match=r"wrap: .*'LlamaDecoder'; did you mean 'LlamaDec"):
        shape("smollm2-135m", fsdp=Fsdp(wrap=("LlamaDecoder",)))
    with pytest.raises(ModelError, match=r"'Llama-3.1-9B'; did you mean 'llama-3.1-8b'"):
        shape("meta-llama/Llama-3.1-9B")
    with pytest.raises(ModelError, match=r"no config\.json"):
        shape(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "tortoise"}')
    with pytest.raises(ModelError, match="not a model that transformers can build"):
        shape(str(tmp_path))
