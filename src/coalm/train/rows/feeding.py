"""Encoded rows on their way to the trainer: packed, or in batches of similar lengths."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.train.many import processes
from coalm.train.rows.encoding import EncodedRows
from coalm.train.rows.even import LongestFirst
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


def feed(rows: EncodedRows, settings: TrainSettings, *, looked_at: bool = False) -> Fed:
    """The rows as the settings want them: to learn from, or to look at, the longest first."""
    packed = settings.packed
    data = pack_split(rows, settings.max_length).dataset() if packed else rows.dataset()
    if packed and settings.attention == "flash":  # takes all rows of a batch end to end
        return Fed(data, 0.0, packed)
    sizes = lengths(data)
    order = LongestFirst(sizes) if looked_at else _first_pass(sizes, settings)
    return Fed(data, _padding(sizes, list(order), settings.batch), packed)


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


def _first_pass(sizes: list[int], settings: TrainSettings) -> Order:
    devices = processes.count()
    step = settings.batch * settings.accumulated(devices) * devices
    return Order(sizes, 1 if settings.packed else step, settings.seed, epoch=lambda: 0)


def _padding(sizes: list[int], order: list[int], batch: int) -> float:
    """The share of padding in one pass over the rows."""
    if not sizes:
        return 0.0
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    room = sum(max(sizes[i] for i in batch) * len(batch) for batch in batches)
    return 1 - sum(sizes) / room
