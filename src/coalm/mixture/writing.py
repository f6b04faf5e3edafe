"""The last step of a build: kept rows leave the spill files, shuffled, as parquet shards."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coalm import shards, store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coalm.mixture.work import Plan

AT_ONCE = 2_000
"""Rows in memory, and in one row group of a shard."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file to write: which rows, in which order."""

    path: Path
    spills: Path
    batches: "NDArray[np.uint32]"
    rows: "NDArray[np.uint32]"


def planned(
    split: str, index: "NDArray[np.void]", folder: Path, spills: Path, size: int
) -> list[Shard]:
    """The shards of a split; its rows are shuffled by a hash of seed, id and dialect."""
    import numpy as np

    index = index[np.lexsort((index["name"], index["order"]))]
    count = max(1, -(-len(index) // size))
    return [
        Shard(folder / shards.shard_name(split, n, count), spills, part["batch"], part["row"])
        for n, part in enumerate(np.array_split(index, count))
    ]


def written(_plan: "Plan", shard: Shard) -> int:
    """Write a shard; returns how many rows."""
    import pyarrow.parquet as pq

    with (
        store.atomic(shard.path, "wb") as file,
        pq.ParquetWriter(file, shards.schema(), compression="zstd") as writer,
    ):
        for table in _tables(shard):
            writer.write_table(table)
    return len(shard.rows)


def _tables(shard: Shard) -> Iterator[object]:
    """The rows some thousand at a time; each spill file is opened for as long as it is read."""
    import numpy as np
    import pyarrow as pa

    for start in range(0, len(shard.rows), AT_ONCE):
        batches = shard.batches[start : start + AT_ONCE]
        rows = shard.rows[start : start + AT_ONCE]
        parts, places = [], []
        for batch in np.unique(batches):
            at = np.flatnonzero(batches == batch)
            with pa.memory_map(str(shard.spills / f"{batch:06}.arrow")) as file:
                table = pa.ipc.open_file(file).read_all().select(store.COLUMNS)
                parts.append(table.take(rows[at]))
            places.append(at)
        back = np.argsort(np.concatenate(places), kind="stable")
        yield pa.concat_tables(parts).take(back).combine_chunks().cast(shards.schema())
