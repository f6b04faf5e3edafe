"""A split of encoded rows, packed: an Arrow file with rows of one length at most.

Packed as it is read, some million tokens at a time, so that memory does not grow with the
rows. Cached beside the encoded rows, by their name, the length and the code that packs.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coalm import store
from coalm.train.rows import packing
from coalm.train.rows.encoding import IGNORED, EncodedRows
from coalm.train.rows.packing import Bins, pack

if TYPE_CHECKING:
    import pyarrow
    from datasets import Dataset

WINDOW = 8_000_000
"""Tokens that are packed together: 64 MB, and thousands of packed rows."""
WRITTEN = 256
"""Packed rows that are written together."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was packed."""

    rows: int = 0
    """Packed rows."""
    packed: int = 0
    """Rows that are in them."""
    tokens: int = 0
    learned: int = 0
    """Tokens that carry loss."""
    too_long: int = 0
    """Rows longer than a packed row may be, left out whole."""

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        ours, theirs = asdict(self), asdict(other)
        return Counts(**{name: ours[name] + theirs[name] for name in ours})


@dataclass(frozen=True, slots=True)
class PackedRows:
    """A split as packed rows on disk."""

    path: Path
    """An Arrow stream: `input_ids` and `labels` side by side, `seq_lengths` of what is in them."""
    capacity: int
    """Tokens that fit into a packed row."""
    counts: Counts

    @property
    def waste(self) -> float:
        """The share of the room that holds no token, were all packed rows filled up."""
        room = self.counts.rows * self.capacity
        return 1 - self.counts.tokens / room if room else 0.0

    def dataset(self) -> "Dataset":
        """The rows for a trainer, mapped into memory rather than read.

        Its columns are those of TRL's packing: the collator makes position ids of `seq_lengths`.
        """
        from datasets import Dataset

        return Dataset.from_file(str(self.path))


def pack_split(encoded: EncodedRows, capacity: int) -> PackedRows:
    """Pack encoded rows into rows of at most `capacity` tokens, or find them in the cache."""
    name = f"{encoded.path.stem}-{capacity}-{_written_by()}.arrow"
    path = encoded.path.with_name(name)
    counts = path.with_suffix(".json")
    if not (path.exists() and counts.exists()):
        store.write_json(counts, asdict(_pack(encoded.path, capacity, path)))
    return PackedRows(path, capacity, Counts(**store.read_json(counts)))


def _pack(encoded: Path, capacity: int, path: Path) -> Counts:
    import pyarrow as pa

    counts = Counts()
    with store.atomic(path, "wb") as file, pa.ipc.new_stream(file, _schema()) as writer:
        for window in _windows(encoded):
            lengths = window["input_ids"].chunk(0).value_lengths().to_numpy()
            bins = pack(lengths, capacity)
            counts += Counts(too_long=bins.too_long)
            for first in range(0, len(bins), WRITTEN):
                table, found = _side_by_side(window, bins, first)
                writer.write_table(table)
                counts += found
    return counts


def _windows(encoded: Path) -> Iterator["pyarrow.Table"]:
    """The rows, some million tokens at a time, each column in one piece."""
    import pyarrow as pa

    held: list[pyarrow.RecordBatch] = []
    tokens = 0
    with encoded.open("rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            held.append(batch)
            tokens += len(batch.column("input_ids").flatten())
            if tokens >= WINDOW:
                yield pa.Table.from_batches(held).combine_chunks()
                held, tokens = [], 0
    if tokens:
        yield pa.Table.from_batches(held).combine_chunks()


def _side_by_side(
    window: "pyarrow.Table", bins: Bins, first: int
) -> "tuple[pyarrow.Table, Counts]":
    """Some bins from number `first` on, written out."""
    import numpy as np
    import pyarrow as pa

    ends = bins.ends[first : first + WRITTEN + 1]
    chosen = window.take(bins.rows[ends[0] : ends[-1]])
    ids, labels = (chosen[name].combine_chunks() for name in ("input_ids", "labels"))
    lengths = ids.value_lengths().to_numpy()
    ends = ends - ends[0]
    places = pa.array(np.concatenate([[0], np.cumsum(lengths)])[ends], pa.int32())
    columns = [
        pa.ListArray.from_arrays(places, ids.flatten()),
        pa.ListArray.from_arrays(places, labels.flatten()),
        pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(lengths, pa.int32())),
    ]
    learned = int((labels.flatten().to_numpy() != IGNORED).sum())
    counts = Counts(len(ends) - 1, len(lengths), int(lengths.sum()), learned)
    return pa.table(columns, schema=_schema()), counts


def _schema() -> "pyarrow.Schema":
    import pyarrow as pa

    names = ("input_ids", "labels", "seq_lengths")
    return pa.schema([(name, pa.list_(pa.int32())) for name in names])


def _written_by() -> str:
    """Changes with the code that packs."""
    files = (Path(__file__), Path(packing.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
