"""The tensors of a checkpoint folder, one at a time: safetensors, in one file or in shards."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import store
from coalm.errors import MissingExtra, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INDEX = "model.safetensors.index.json"
_KINDS = {"F32": 4, "F16": 2, "BF16": 2}
"""Bytes of a number, by the names that safetensors gives them."""


@dataclass(frozen=True)
class Tensors:
    """Named tensors on disk; none of them is in memory before it is read."""

    where: Mapping[str, Any]
    """By name, what the library knows of each: file, place, shape and kind of number."""

    def __contains__(self, name: str) -> bool:
        return name in self.where

    def names(self) -> list[str]:
        """The names of all tensors, in order."""
        return sorted(self.where)

    def shape(self, name: str) -> tuple[int, ...]:
        """Rows first, as in the checkpoint."""
        return tuple(self.where[name].shape)

    def read(self, name: str) -> "NDArray[np.float32] | NDArray[np.float16]":
        """A tensor's numbers: float16 where they are stored so, else float32."""
        import numpy as np

        found = self.where[name]
        raw = found.mmap_bytes()
        if found.dtype == "F16":
            return np.asarray(raw.view(np.float16).reshape(found.shape))
        if found.dtype == "F32":
            return np.asarray(raw.view(np.float32).reshape(found.shape))
        # bfloat16 is the upper half of a float32.
        wide = raw.view(np.uint16).astype(np.uint32)
        wide <<= 16
        narrow: NDArray[np.float32] = wide.view(np.float32).reshape(found.shape)
        return narrow


def open_tensors(folder: Path) -> Tensors:
    """All tensors of a checkpoint folder; a `ModelError` names the file that is broken."""
    try:
        from gguf.utility import SafetensorsLocal
    except ImportError:
        raise MissingExtra("openvino", "writing GGUF") from None
    where: dict[str, Any] = {}
    for path in _files(folder):
        try:
            found = SafetensorsLocal(path).tensors
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise ModelError(f"{path}: not a whole safetensors file: {e}") from None
        size = path.stat().st_size
        for name, tensor in found.items():
            _check(path, size, name, tensor)
            where[name] = tensor
    return Tensors(where)


def _files(folder: Path) -> list[Path]:
    if not (folder / _INDEX).exists():
        return sorted(
            path
            for path in folder.glob("*.safetensors")
            if path.name != "adapter_model.safetensors"
        )
    index = store.read_json(folder / _INDEX)
    names = sorted(set(index["weight_map"].values()))
    lost = [name for name in names if not (folder / name).exists()]
    if lost:
        raise ModelError(
            f"{folder} lacks {len(lost)} of its {len(names)} shards, such as {lost[0]}"
        )
    return [folder / name for name in names]


def _check(path: Path, size: int, name: str, tensor: Any) -> None:
    count = 1
    for length in tensor.shape:
        count *= length
    if tensor.dtype not in _KINDS:
        raise ModelError(
            f"{path}: {name} holds {tensor.dtype} numbers; F32, F16 and BF16 can be converted"
        )
    span = tensor.data_range
    if span.offset + span.size > size or span.size != count * _KINDS[tensor.dtype]:
        raise ModelError(f"{path}: {name} is cut off; fetch or save the checkpoint again")
