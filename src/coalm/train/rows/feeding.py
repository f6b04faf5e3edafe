"""Encoded rows on their way to the trainer: packed, or in batches of similar lengths."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.train.many import processes
from coalm.train.rows.encoding import EncodedRows
from coalm.train.rows.order import Order
from coalm.train.rows.packed import pack_split
from coalm.train.settings import TrainSettings

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Fed:
    """What the trainer takes its batches from."""

    dataset: "Dataset"
    padding: float
    """The share of a batch's places that hold no token."""
    packed: bool

    def describe(self) -> str:
        """How rows stand together, and what that wastes, in a line."""
        how = f"packed into {len(self.dataset):,}" if self.packed else "batches by length"
        return f"{how}, {self.padding:.1%} padding"


def feed(rows: EncodedRows, settings: TrainSettings) -> Fed:
    """The rows as the settings want them."""
    if not settings.packed:
        data = rows.dataset()
        return Fed(data, _padding(lengths(data), settings), packed=False)
    packed = pack_split(rows, settings.max_length)
    data = packed.dataset()
    if settings.attention == "flash":  # takes all rows of a batch end to end
        return Fed(data, 0.0, packed=True)
    return Fed(data, _padding(lengths(data), settings, grouped=False), packed=True)


def collator(settings: TrainSettings, pad: int) -> Any:
    """TRL's maker of batches; None, for its default, where rows are not packed."""
    if not settings.packed:
        return None
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    flat = settings.attention == "flash"
    return DataCollatorForLanguageModeling(
        pad_token_id=pad, padding_free=flat, return_position_ids=True
    )


def lengths(data: "Dataset") -> list[int]:
    """The tokens of each row, without reading them."""
    import pyarrow.compute as pc

    found: list[int] = pc.list_value_length(data.data.column("input_ids")).to_pylist()
    return found


def _padding(sizes: list[int], settings: TrainSettings, *, grouped: bool = True) -> float:
    """The share of padding in the first pass over the rows."""
    if not sizes:
        return 0.0
    devices = processes.count()
    step = settings.batch * settings.accumulated(devices) * devices
    together = step if grouped else 1
    order = list(Order(sizes, together, settings.seed, epoch=lambda: 0))
    batches = [order[i : i + settings.batch] for i in range(0, len(order), settings.batch)]
    room = sum(max(sizes[i] for i in batch) * len(batch) for batch in batches)
    return 1 - sum(sizes) / room
