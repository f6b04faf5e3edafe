"""What a method needs beside a model: adapter, four-bit weights, sharding, packages."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from coalm.errors import RecipeError, unknown
from coalm.train.settings import Fsdp, TrainSettings

_ALL = "all-linear"
"""What PEFT calls every linear layer but the output head."""
_ATTENTION = {"sdpa": "sdpa", "flash": "flash_attention_2", "eager": "eager"}
_DTYPES = {"bf16": "bfloat16", "fp32": "float32", "uint8": "uint8"}


def adapter(settings: TrainSettings) -> Any:
    """The `peft.LoraConfig` of these settings; None where every weight is trained."""
    if not settings.adapted:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules=list(settings.lora.targets) or _ALL,
        use_dora=settings.method == "dora",
        use_rslora=settings.lora.rslora,
        task_type="CAUSAL_LM",
    )


def quantisation(settings: TrainSettings) -> Any:
    """The `transformers.BitsAndBytesConfig` of `method: qlora`; None for any other."""
    if settings.method != "qlora":
        return None
    from transformers import BitsAndBytesConfig

    quant = settings.quant
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call, unused-ignore]
        load_in_4bit=True,
        bnb_4bit_quant_type=quant.kind,
        bnb_4bit_compute_dtype=_DTYPES[quant.compute],
        bnb_4bit_quant_storage=_DTYPES[quant.storage],
        bnb_4bit_use_double_quant=quant.double,
    )


def sharding(settings: TrainSettings, wraps: Iterable[str]) -> dict[str, Any]:
    """The trainer's arguments `fsdp` and `fsdp_config`; none without FSDP.

    `wraps` are the layers that are gathered one at a time where the settings name none.
    """
    if settings.fsdp is None:
        return {}
    fsdp = settings.fsdp
    # Deviation D123: FSDP2 by default, where the released configurations have FSDP1.
    config: dict[str, Any] = {
        "version": fsdp.version,
        "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "transformer_layer_cls_to_wrap": list(fsdp.wrap or wraps),
        "cpu_offload": fsdp.offload,
        "reshard_after_forward": _reshard(fsdp),
        # One process reads the weights and hands them out: else each holds the whole model.
        "cpu_ram_efficient_loading": True,
        "activation_checkpointing": settings.checkpointing,
        # In parts: no process needs room for the whole, and any number can go on from them.
        "state_dict_type": "SHARDED_STATE_DICT",
    }
    return {"fsdp": True, "fsdp_config": config}


@contextmanager
def loaded_once(settings: TrainSettings) -> Iterator[None]:
    """With FSDP only one process of a machine reads a model's weights; the rest get theirs of it.

    transformers learns of FSDP from variables that `accelerate launch` sets.
    """
    told = {"ACCELERATE_USE_FSDP": "true", "FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}
    before = {name: os.environ.get(name) for name in told}
    if settings.fsdp:
        os.environ.update(told)
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _reshard(fsdp: Fsdp) -> bool | str:
    if fsdp.version == 2:
        return fsdp.sharding == "full"
    return "full_shard" if fsdp.sharding == "full" else "shard_grad_op"


def attention(settings: TrainSettings) -> str:
    """The name that transformers has for the attention of these settings."""
    return _ATTENTION[settings.attention]


def check_targets(model: Any, settings: TrainSettings) -> None:
    """A `RecipeError` for a layer to adapt that the model has not; PEFT skips it without a word."""
    from torch import nn

    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    }
    if not settings.adapted:
        return
    for target in settings.lora.targets:
        if target not in linear:
            raise RecipeError(f"train: lora: targets: {unknown('layer', target, linear)}")


def layer_classes(model: Any, settings: TrainSettings) -> tuple[str, ...]:
    """The classes that FSDP gathers one at a time; a `RecipeError` for one that is not there."""
    there = {type(module).__name__ for module in model.modules()}
    wanted = settings.fsdp.wrap if settings.fsdp else ()
    for name in wanted:
        if name not in there:
            raise RecipeError(f"train: fsdp: wrap: {unknown('class of layers', name, there)}")
    return wanted or tuple(sorted(set(model._no_split_modules or ()) & there))


def fsdp_from_outside(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `accelerate launch` started this process with a configuration that has FSDP."""
    return environment.get("ACCELERATE_USE_FSDP", "").lower() == "true"


def check_launcher(settings: TrainSettings, environment: Mapping[str, str] = os.environ) -> None:
    """A `RecipeError` where the recipe and a configuration of accelerate contradict each other."""
    if environment.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        if settings.fsdp:
            raise RecipeError("train: this start is with DeepSpeed, not FSDP: set fsdp=null")
        _need("accelerate's configuration with DeepSpeed", "deepspeed", "deepspeed", gpu=True)
    if settings.fsdp and fsdp_from_outside(environment):
        raise RecipeError(
            "train: both the recipe and accelerate's configuration set FSDP: set fsdp=null for the "
            "configuration's, or start with torchrun, or --nproc, for the recipe's"
        )


def check_needs(settings: TrainSettings, *, gpu: bool, processes: int) -> None:
    """A `RecipeError` for what the settings need and this machine or this start does not have."""
    if settings.method == "qlora":
        _need("method: qlora", "bitsandbytes", "bitsandbytes", gpu)
    if settings.attention == "flash":
        _need("attention: flash", "flash_attn", "flash-attn", gpu)
    if settings.liger:
        _need("liger: true", "liger_kernel", "liger-kernel", gpu)
    for name in settings.report_to:
        _need(f"report_to: {name}", name, name, gpu=True)
    if (settings.fsdp or fsdp_from_outside()) and processes == 1:
        raise RecipeError(
            "train: fsdp shares a model out over processes, and this is one; start it with "
            "--nproc or torchrun, a process for each device, or set fsdp=null"
        )
    outside = fsdp_from_outside() and os.environ.get("FSDP_OFFLOAD_PARAMS") == "true"
    if not gpu and (outside or (settings.fsdp and settings.fsdp.offload)):
        raise RecipeError("train: fsdp.offload needs a GPU to take shards away from; set it false")
    check_launcher(settings)


def _need(what: str, module: str, package: str, gpu: bool) -> None:
    if find_spec(module) is None:
        raise RecipeError(f"train: {what} needs the package {package}: pip install {package}")
    if not gpu:
        raise RecipeError(f"train: {what} needs a GPU, and there is none here")
