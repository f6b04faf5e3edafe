"""Telling that memory ran out, on whatever device, from any other failure."""

import gc
import re

_SAID = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|not enough memory"
    r"|CUBLAS_STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)
"""How torch says it where it raises a plain `RuntimeError`, as for memory of the CPU."""


def ran_out(error: BaseException) -> bool:
    """Whether this failure says that there was no memory left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and bool(_SAID.search(str(error)))


def freed() -> None:
    """Give back what is held for nobody; to be called when the failed frames are gone."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
