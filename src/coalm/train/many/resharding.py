"""A checkpoint of many processes in a run of one, and the other way round.

FSDP writes a checkpoint in parts, each value under its layer's name, so any number of processes
can read its own parts of it. Without FSDP weights lie in safetensors and the optimizer's values
under numbers; these conversions go between the two, on a trainer that is ready to go on.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm.errors import DataError, RecipeError
from coalm.train.many import processes

if TYPE_CHECKING:
    import torch

_WEIGHTS, _OPTIMIZER = "pytorch_model_fsdp_0", "optimizer_0"
"""Folders of a checkpoint's parts, as accelerate names them."""
PLAIN_OPTIMIZER = "optimizer.pt"


def is_sharded(checkpoint: Path) -> bool:
    """Whether it was written under FSDP, in parts."""
    return (checkpoint / _WEIGHTS).is_dir()


def join_weights(model: Any, checkpoint: Path) -> None:
    """Read a checkpoint's parts into a whole model: the adapter's alone, or all weights."""
    state = {"model": _weights(model)}
    _read(state, checkpoint / _WEIGHTS)
    if hasattr(model, "peft_config"):
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(model, state["model"], adapter_name=model.active_adapter)
    else:
        model.load_state_dict(state["model"])


def join_optimizer(model: Any, optimizer: Any, checkpoint: Path) -> None:
    """Write what AdamW knows, from a checkpoint's parts, into the file of a run without FSDP."""
    import torch
    from torch.distributed.checkpoint.state_dict import (
        get_optimizer_state_dict,
        set_optimizer_state_dict,
    )

    plain = getattr(optimizer, "optimizer", optimizer)  # inside accelerate's
    state: dict[str, Any] = {"optimizer": get_optimizer_state_dict(model, plain)}
    _read(state, checkpoint / _OPTIMIZER)
    set_optimizer_state_dict(model, plain, state["optimizer"])
    if processes.is_first():
        torch.save(plain.state_dict(), checkpoint / PLAIN_OPTIMIZER)
    processes.wait()


def share_weights(model: Any, checkpoint: Path) -> None:
    """Read a whole checkpoint into a model that FSDP2 has shared out."""
    import torch
    from safetensors import safe_open

    there = _weights(model)
    names = "adapter_model*.safetensors" if hasattr(model, "peft_config") else "model*.safetensors"
    left = {name for name, value in there.items() if _is_part(value)}
    for path in sorted(checkpoint.glob(names)):
        with safe_open(path, framework="pt") as file, torch.no_grad():
            for name in file.keys():  # noqa: SIM118  no mapping
                there[name].copy_(_part_of(file.get_tensor(name), there[name]))
                left.discard(name)
    left -= set(getattr(model, "all_tied_weights_keys", None) or ())  # the same as another
    if left:
        raise DataError(f"{checkpoint} lacks {min(left)}; remove it to go on without it")


def share_optimizer(optimizer: Any) -> None:
    """Deal out AdamW's values, read whole from a file, as the weights are dealt out."""
    plain = getattr(optimizer, "optimizer", optimizer)
    for weight, known in plain.state.items():
        for name, value in known.items():
            if _is_part(weight) and value.shape == weight.shape:
                known[name] = _part_of(value, weight)


def answer_together(model: Any) -> None:
    """Let processes that share a model out write as many tokens as the one that writes the most.

    transformers does so for models that it has shared out itself; this is its mark on them.
    """
    for part in model.modules():
        if hasattr(part, "generate"):
            part._is_fsdp_managed_module = True


def check_version(version: int) -> None:
    """A `RecipeError` where FSDP1 is to go on from a checkpoint of a run without FSDP."""
    if version == 1:
        raise RecipeError(
            "train: fsdp: version 1 cannot go on from a checkpoint that was written without FSDP; "
            "set fsdp.version=2"
        )


def _weights(model: Any) -> "dict[str, torch.Tensor]":
    if hasattr(model, "peft_config"):
        from peft import get_peft_model_state_dict

        found: dict[str, torch.Tensor] = get_peft_model_state_dict(
            model, adapter_name=model.active_adapter
        )
        return found
    whole: dict[str, torch.Tensor] = model.state_dict()
    return whole


def _read(state: dict[str, Any], folder: Path) -> None:
    import torch.distributed as dist
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.state_dict_loader import load

    reader = FileSystemReader(folder)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        load(state, storage_reader=reader, no_dist=not dist.is_initialized())


def _is_part(value: Any) -> bool:
    from torch.distributed.tensor import DTensor

    return isinstance(value, DTensor)


def _part_of(whole: "torch.Tensor", like: Any) -> Any:
    """This process's part of a value that every process has; `like` says how it is dealt out."""
    from torch.distributed.tensor import distribute_tensor

    whole = whole.to(device=like.device, dtype=like.dtype)
    return distribute_tensor(whole, like.device_mesh, like.placements, src_data_rank=None)
