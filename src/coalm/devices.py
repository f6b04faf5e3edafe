"""Where to compute, and in which precision: asked of the machine, not assumed."""

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from coalm.errors import RecipeError, unknown

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "bf16", "fp32")


@dataclass(frozen=True, slots=True)
class Device:
    """A device and the precision to use on it."""

    device: str
    dtype: Any
    """A `torch.dtype`."""

    @property
    def bf16(self) -> bool:
        """Whether the precision is bfloat16."""
        return str(self.dtype) == "torch.bfloat16"

    @property
    def precision(self) -> str:
        """`bf16` or `fp32`, as a recipe names it."""
        return "bf16" if self.bf16 else "fp32"

    def describe(self) -> str:
        """Such as `cpu, bf16`."""
        return f"{self.device}, {self.precision}"


def pick(device: str = "auto", dtype: str = "auto") -> Device:
    """The device and precision asked for, `auto` resolved for this machine."""
    import torch

    if dtype not in DTYPES:
        raise RecipeError(unknown("dtype", dtype, DTYPES))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "bf16" if device != "cpu" or _bf16_is_faster() else "fp32"
    return Device(device, torch.bfloat16 if dtype == "bf16" else torch.float32)


@cache
def _bf16_is_faster() -> bool:
    """Whether a matrix product in bfloat16 takes less time than in float32 on this CPU."""
    import torch

    return _seconds(torch.bfloat16) < _seconds(torch.float32)


def _seconds(dtype: "torch.dtype") -> float:
    """The best of a few timings of one product, about the size of a small model's."""
    import torch

    one, other = torch.ones(512, 576, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        one @ other
        times.append(time.perf_counter() - start)
    return min(times)
