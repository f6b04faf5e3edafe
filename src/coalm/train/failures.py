"""What stops a run from outside the recipe's words: no number, no memory, no room on the disk."""

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coalm import store
from coalm.errors import CoalmError, TrainingError
from coalm.train.folder import last_checkpoint
from coalm.train.settings import TrainSettings
from coalm.train.trainer import NotFinite

if TYPE_CHECKING:
    from datasets import Dataset

STOPPED = "stopped.json"
"""The batch that a run stopped at, in its folder."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("no space left", "os error 28", "quota exceeded", "file too large", "writer failed")
"""How safetensors and PyTorch say it; they raise kinds of their own."""
_MEMORY_WORDS = ("can't allocate memory", "out of memory")


@contextmanager
def explained(settings: TrainSettings, out: Path, model: Path) -> Iterator[None]:
    """Turn what stops the run inside into a `TrainingError` that says what to do."""
    try:
        yield
    except NotFinite as e:
        raise TrainingError(_not_finite(e, settings, out)) from None
    except CoalmError:
        raise
    except MemoryError:
        raise TrainingError(_no_memory(settings, model)) from None
    except OSError as e:
        if e.errno == errno.ENOMEM:
            raise TrainingError(_no_memory(settings, model)) from None
        if e.errno not in _FULL:
            raise
        raise TrainingError(_no_room(out)) from None
    except Exception as e:  # PyTorch raises RuntimeError, safetensors a kind that is all its own
        said = str(e).lower()
        if any(words in said for words in _MEMORY_WORDS):
            raise TrainingError(_no_memory(settings, model)) from None
        if any(words in said for words in _FULL_WORDS):
            raise TrainingError(_no_room(out)) from None
        raise


def write_stopped(e: NotFinite, out: Path, rows: "Dataset", texts: Sequence[str]) -> None:
    """Write down the batch: where its rows are among the encoded ones, and their text."""
    store.write_json(
        out / STOPPED,
        {"step": e.step, "what": e.what, "rows": _places(e.rows, rows), "texts": list(texts)},
    )


def _places(wanted: list[list[int]], rows: "Dataset") -> list[int | None]:
    """The numbers, from 0, of encoded rows with these ids; None for one that is not there."""
    import numpy as np

    left = {i: np.asarray(ids, np.int32) for i, ids in enumerate(wanted)}
    found: list[int | None] = [None] * len(wanted)
    number = 0
    for batch in rows.data.table.select(["input_ids"]).to_batches():
        column = batch.column(0)
        ends, values = column.offsets.to_numpy(), column.values.to_numpy()
        for row in range(len(column)):
            mine = values[ends[row] : ends[row + 1]]
            for i, ids in list(left.items()):
                if len(ids) == len(mine) and (ids == mine).all():
                    found[i] = number
                    del left[i]
            number += 1
        if not left:
            break
    return found


def _not_finite(e: NotFinite, settings: TrainSettings, out: Path) -> str:
    kept = last_checkpoint(out)
    good = f"{kept} is from before it" if kept else "no checkpoint had been saved yet"
    return (
        f"the {e.what} of step {e.step} is not a finite number, so the run has stopped before it; "
        f"the batch, {len(e.rows)} rows, is in {out / STOPPED}; {good}. Lower lr "
        f"({settings.lr:g}) or max_grad_norm ({settings.max_grad_norm:g}), warm up for longer, "
        "or try dtype=fp32; the same settings would stop there again"
    )


def _no_room(out: Path) -> str:
    free = shutil.disk_usage(out).free // 2**20
    kept = last_checkpoint(out)
    good = f"{kept.name} is whole" if kept else "no checkpoint had been saved yet"
    return (
        f"{out} could not be written to: the disk, or a quota, is full ({free:,} MB free); {good}. "
        "Make room and run the same command again: it goes on from there"
    )


def _no_memory(settings: TrainSettings, model: Path) -> str:
    from coalm.train.plan import advice

    said = advice(settings, model)
    return f"out of memory at batch={settings.batch}, rows of {settings.max_length} tokens; {said}"
