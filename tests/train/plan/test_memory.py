"""The plan's bytes: activations as PyTorch keeps them, the rest by hand."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from coalm import models
from coalm.train import Fsdp, Lora, Quant, TrainSettings
from coalm.train.architectures import Description
from coalm.train.plan.memory import Layout, layer_activations, memory_of, packed_bytes
from coalm.train.plan.shape import Shape, shape_of

CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
}
ROWS, LENGTH = 2, 512
G = 2**30


def kept(layers: int, settings: TrainSettings, *, bf16: bool) -> int:
    """Bytes that a forward pass keeps for the backward pass, weights and their copies left out."""
    import torch
    from peft import get_peft_model
    from peft.helpers import disable_input_dtype_casting
    from transformers import AutoConfig, AutoModelForCausalLM

    from coalm.train.methods import adapter

    torch.manual_seed(0)
    narrow = bf16 and not settings.master
    config = AutoConfig.for_model(**CONFIG | {"num_hidden_layers": layers})
    with models.quiet():
        kind: Any = AutoModelForCausalLM
        net = kind.from_config(config, dtype=torch.bfloat16 if narrow else torch.float32)
        wanted = adapter(settings)
        net = get_peft_model(net, wanted) if wanted else net
        if settings.checkpointing:
            net.gradient_checkpointing_enable({"use_reentrant": False})
    net.train()
    shapes = {tuple(p.shape) for p in net.parameters()}
    shapes |= {tuple(reversed(s)) for s in shapes}
    seen: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        if tuple(tensor.shape) not in shapes:
            storage = tensor.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(0, 128, (ROWS, LENGTH))
    cast = torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext()
    quick = disable_input_dtype_casting(net, active=bool(wanted) and bf16)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t), cast, quick:
        out = net(input_ids=ids, logits_to_keep=torch.tensor([5]), use_cache=False)
    assert out.logits.requires_grad  # the graph is alive while its tensors are counted
    return sum(seen.values())


@pytest.mark.slow
@pytest.mark.parametrize("bf16", [True, False])
@pytest.mark.parametrize(
    ("changed", "tolerance"),
    [
        ({"method": "full"}, 0.01),
        ({"method": "full", "master": True}, 0.01),
        ({"method": "lora"}, 0.03),
        # Layers without an adapter do not keep their inputs; the formula lets them.
        ({"method": "lora", "lora": Lora(targets=("q_proj", "v_proj"))}, 0.3),
        ({"method": "lora", "lora": Lora(dropout=0.1)}, 0.15),
        ({"method": "dora"}, 0.15),
    ],
)
def test_a_layer_keeps_what_the_formula_says(
    changed: dict[str, Any], tolerance: float, bf16: bool
) -> None:
    settings = TrainSettings(**changed)
    shape = shape_of(Description("tiny", "test", CONFIG), settings)
    measured = (kept(4, settings, bf16=bf16) - kept(2, settings, bf16=bf16)) / 2 / (ROWS * LENGTH)
    assert layer_activations(shape, settings, 2 if bf16 else 4) == pytest.approx(
        measured, rel=tolerance
    )


@pytest.mark.slow
def test_checkpointing_keeps_a_layers_input_alone() -> None:
    settings = TrainSettings(method="full", checkpointing=True)
    measured = (kept(4, settings, bf16=True) - kept(2, settings, bf16=True)) / 2
    assert measured == ROWS * LENGTH * 2 * CONFIG["hidden_size"]


EIGHT = Shape(
    layers=32,
    width=4096,
    feed_forward=14336,
    heads=32,
    kv_heads=8,
    head=128,
    vocabulary=128256,
    total=8_000,
    trainable=8_000,
    linear=6_000,
    largest_linear=100,
    output=1_000,
    largest_layer=200,
    outside=1_600,
    wrapped=("LlamaDecoderLayer",),
)
FULL = TrainSettings(method="full")
ONE = Layout(1, "bf16", 0.1)


def state(settings: TrainSettings, how: Layout = ONE, shape: Shape = EIGHT) -> tuple[int, ...]:
    found = memory_of(shape, settings, how)
    return found.weights, found.gradients, found.optimizer, found.host


def test_full_training_in_bf16_takes_eight_bytes_a_weight_and_sixteen_with_masters() -> None:
    assert state(FULL) == (16_000, 16_000, 32_000, 0)
    assert state(replace(FULL, master=True)) == (32_000, 32_000, 64_000, 0)


def test_fsdp_lifts_what_is_trained_to_float32_and_shares_it_out() -> None:
    eight = replace(ONE, devices=8)
    assert state(replace(FULL, fsdp=Fsdp()), eight) == (4_000, 4_000, 8_000, 0)
    assert state(replace(FULL, fsdp=Fsdp(offload=True)), eight) == (0, 0, 0, 128_000)


def test_an_adapter_takes_sixteen_bytes_a_weight_of_its_own() -> None:
    shape = replace(EIGHT, trainable=100)
    assert state(TrainSettings(), shape=shape) == (16_400, 400, 800, 0)


def test_four_bit_weights_take_a_little_more_than_half_a_byte() -> None:
    assert packed_bytes(Quant()) == 0.5625
    assert packed_bytes(Quant(double=True)) == pytest.approx(0.5 + 0.127 / 8, abs=1e-4)
    shape = replace(EIGHT, trainable=100)
    weights = state(TrainSettings(method="qlora"), shape=shape)[0]
    assert weights == 6_000 * 0.5625 + 2_000 * 2 + 100 * 2


def test_sharded_gradients_keep_every_layer_gathered() -> None:
    full, gradients = (
        memory_of(EIGHT, replace(FULL, fsdp=Fsdp(sharding=kind)), ONE).gathered
        for kind in ("full", "gradients")
    )
    assert gradients - full == 2 * (EIGHT.total - EIGHT.outside) - 2 * 2 * EIGHT.largest_layer


def test_the_parts_are_the_whole() -> None:
    found = memory_of(EIGHT, FULL, ONE)
    parts = (found.weights, found.gradients, found.optimizer, found.gathered)
    assert found.device == sum(parts) + found.activations + found.logits + found.reserve
