"""Every setting reaches the library that it is for; what is missing here is named."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from coalm import models
from coalm.devices import Device
from coalm.errors import RecipeError
from coalm.recipe import help_texts
from coalm.train import Fsdp, Lora, Quant, TrainSettings
from coalm.train.arguments import arguments
from coalm.train.methods import adapter, attention, check_needs, quantisation, sharding
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow


def given(tmp_path: Path, processes: int = 1, **changed: Any) -> Any:
    import torch

    settings = TrainSettings(**changed)
    device = Device("cpu", torch.float32)
    with models.quiet():
        return arguments(
            settings, device, tmp_path, processes=processes, wraps=["LlamaDecoderLayer"]
        )


def test_the_optimizer_is_set_as_asked(tmp_path: Path) -> None:
    found = given(
        tmp_path,
        lr=3e-4,
        schedule="cosine",
        warmup=24,
        weight_decay=0.2,
        max_grad_norm=3,
        neftune=5,
        optimizer="adamw_torch",
        checkpointing=True,
    )
    assert found.lr_scheduler_type == "cosine"
    assert (found.learning_rate, found.weight_decay, found.max_grad_norm) == (3e-4, 0.2, 3)
    assert found.get_warmup_steps(1000) == 24
    assert given(tmp_path, warmup=0.1).get_warmup_steps(55) == 6
    assert (found.neftune_noise_alpha, found.optim) == (5, "adamw_torch")
    assert found.activation_checkpointing
    assert found.activation_checkpointing_kwargs == {"use_reentrant": False}
    assert given(tmp_path).neftune_noise_alpha is None


def test_the_warm_up_of_settings_is_the_trainers(tmp_path: Path) -> None:
    for warmup in (0, 0.05, 0.1, 0.9999, 1, 24):
        ours = TrainSettings(warmup=warmup).warmup_steps(77)
        assert ours == given(tmp_path, warmup=warmup).get_warmup_steps(77)


def test_a_global_batch_is_made_of_accumulated_ones(tmp_path: Path) -> None:
    found = given(tmp_path, batch=2, global_batch=16, processes=4)
    assert (found.per_device_train_batch_size, found.gradient_accumulation_steps) == (2, 2)
    with pytest.raises(RecipeError, match="no multiple"):
        given(tmp_path, batch=3, global_batch=8)
    with pytest.raises(RecipeError, match="not both"):
        TrainSettings(global_batch=8, accumulate=2)


def test_adapters_are_what_peft_calls_them() -> None:
    assert adapter(TrainSettings(method="full")) is None
    plain = adapter(TrainSettings(lora=Lora(rank=4, alpha=8, dropout=0.1)))
    assert (plain.r, plain.lora_alpha, plain.lora_dropout) == (4, 8, 0.1)
    assert (plain.target_modules, plain.use_dora, plain.use_rslora) == ("all-linear", False, False)
    assert adapter(TrainSettings(method="dora")).use_dora
    other = adapter(TrainSettings(method="qlora", lora=Lora(rslora=True, targets=("q_proj",))))
    assert other.use_rslora
    assert other.target_modules == {"q_proj"}


def test_four_bit_weights_are_configured_as_the_release_has_them() -> None:
    import torch

    assert quantisation(TrainSettings()) is None
    found = quantisation(TrainSettings(method="qlora", quant=Quant(double=True)))
    assert found.load_in_4bit
    assert found.bnb_4bit_quant_type == "nf4"
    assert found.bnb_4bit_quant_storage is found.bnb_4bit_compute_dtype is torch.bfloat16
    assert found.bnb_4bit_use_double_quant
    with pytest.raises(RecipeError, match="floating point"):
        TrainSettings(method="qlora", quant=Quant(storage="uint8"), fsdp=Fsdp())


def test_fsdp_reaches_accelerate(tmp_path: Path) -> None:
    plugin_class: Any = import_module("accelerate").FullyShardedDataParallelPlugin
    found = given(tmp_path, fsdp=Fsdp(offload=True), checkpointing=True)
    with models.quiet():
        plugin = plugin_class(**found.fsdp_plugin_args)
    assert plugin.fsdp_version == 2
    assert plugin.cpu_offload
    assert plugin.activation_checkpointing
    assert plugin.transformer_cls_names_to_wrap == ["LlamaDecoderLayer"]
    assert not found.activation_checkpointing  # else layers would be recomputed twice


def test_fsdp1_is_asked_for_as_such(tmp_path: Path) -> None:
    # accelerate builds its plugin only where there is an accelerator
    found = given(tmp_path, fsdp=Fsdp(version=1, sharding="gradients")).fsdp_plugin_args
    assert found["fsdp_version"] == 1
    assert found["reshard_after_forward"] == "shard_grad_op"
    assert found["use_orig_params"]


def test_shards_may_stay_gathered_and_wrap_what_is_named() -> None:
    asked = TrainSettings(fsdp=Fsdp(sharding="gradients", wrap=("Block",)))
    config = sharding(asked, ["Other"])["fsdp_config"]
    assert config["reshard_after_forward"] is False
    assert config["transformer_layer_cls_to_wrap"] == ["Block"]
    one = TrainSettings(fsdp=Fsdp(version=1))
    assert sharding(one, ["B"])["fsdp_config"]["reshard_after_forward"] == "full_shard"
    assert sharding(TrainSettings(), ["Other"]) == {}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"method": "qlora"}, "bitsandbytes"),
        ({"attention": "flash"}, "flash-attn"),
        ({"liger": True}, "liger-kernel"),
        ({"report_to": ("wandb",)}, "wandb"),
    ],
)
def test_a_missing_package_or_gpu_is_named(changed: dict[str, Any], said: str) -> None:
    module = {"flash-attn": "flash_attn", "liger-kernel": "liger_kernel"}.get(said, said)
    expected = "needs a GPU" if find_spec(module) else f"pip install {said}"
    if said == "wandb" and find_spec(module):
        pytest.skip("wandb needs nothing else")
    with pytest.raises(RecipeError, match=expected):
        check_needs(TrainSettings(**changed), gpu=False, processes=1)


def test_fsdp_needs_processes() -> None:
    with pytest.raises(RecipeError, match="torchrun"):
        check_needs(TrainSettings(fsdp=Fsdp()), gpu=True, processes=1)
    check_needs(TrainSettings(fsdp=Fsdp()), gpu=False, processes=2)
    assert attention(TrainSettings(attention="flash")) == "flash_attention_2"


def test_an_adapter_merged_into_the_base_on_disk_is_the_one_that_was_trained(
    tmp_path: Path,
) -> None:
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from coalm.train.saved import merged_anew

    base = tiny_model(tmp_path / "base", tied=False)
    with models.quiet():
        net = models.load(AutoModelForCausalLM, base, torch.float32)
        net = get_peft_model(net, adapter(TrainSettings(lora=Lora(rank=4))))
        torch.manual_seed(0)
        for name, weights in net.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, std=0.2)
        ids = torch.randint(0, 200, (1, 12))
        with torch.no_grad():
            wanted = net(ids).logits
            net.save_pretrained(tmp_path / "adapter")
            found = merged_anew(base, tmp_path / "adapter")(ids).logits.float()
            plain = models.load(AutoModelForCausalLM, base, torch.float32)(ids).logits
    scale = (wanted - plain).abs().mean()
    assert (found - wanted).abs().mean() < 0.1 * scale


def test_the_page_explains_every_setting_in_the_settings_own_words() -> None:
    page = (Path(__file__).parents[2] / "docs/training.md").read_text()
    for kind, prefix in (
        (TrainSettings, ""),
        (Lora, "lora."),
        (Quant, "quant."),
        (Fsdp, "fsdp."),
    ):
        for name, text in help_texts(kind).items():
            assert f"| `{prefix}{name}` |" in page, f"{prefix}{name}"
            assert text in page, f"{prefix}{name}"
