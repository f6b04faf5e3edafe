"""Samples in parquet shards: what a data folder is made of.

A split is some files `train-00000-of-00003.parquet`, which is also how the `datasets`
library expects them. A single parquet or JSONL file of samples is read the same way.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import store
from coalm.errors import DataError
from coalm.types import Sample

if TYPE_CHECKING:
    import pyarrow

SPLITS = ("train", "valid")
"""What a data folder is divided into."""

_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.parquet$")


def shard_name(split: str, number: int, of: int) -> str:
    """`train-00000-of-00003.parquet` for the first of three."""
    return f"{split}-{number:05}-of-{of:05}.parquet"


def shards(folder: Path, split: str) -> list[Path]:
    """The files of a split, in order; a `DataError` where one is missing or there is none."""
    found = sorted(folder.glob(f"{split}-*-of-*.parquet"))
    numbers = [tuple(map(int, m.groups())) for p in found if (m := _SHARD.search(p.name))]
    if not numbers:
        raise DataError(
            f"{folder} has no {split} rows; build it with: coalm data build RECIPE --out {folder}"
        )
    whole = numbers[0][1]
    for number in range(whole):
        if (number, whole) not in numbers:
            raise DataError(f"{folder} lacks {shard_name(split, number, whole)}; build it anew")
    return found


def read_split(folder: Path, split: str) -> Iterator[Sample]:
    """The samples of a split of a data folder, in order."""
    for path in shards(folder, split):
        yield from read_samples(path)


def read_samples(path: Path) -> Iterator[Sample]:
    """The samples of a parquet or JSONL file, in order; errors name the file and the row."""
    rows = parquet_rows(path) if path.suffix == ".parquet" else store.read_jsonl(path)
    for number, row in rows:
        try:
            yield store.load_sample(row)
        except DataError as e:
            raise DataError(f"{path}:{number}: {e}") from None


def write_samples(path: Path, samples: Iterable[Sample], *, batch: int = 2000) -> int:
    """Write samples as parquet, a batch in memory at a time; returns how many."""
    return write_rows(path, map(store.dump_sample, samples), batch=batch)


def write_rows(path: Path, rows: Iterable[dict[str, str]], *, batch: int = 2000) -> int:
    """Write dumped samples as parquet, a batch in memory at a time; returns how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, held = 0, list[dict[str, str]]()
    with (
        store.atomic(path, "wb") as file,
        pq.ParquetWriter(file, schema(), compression="zstd") as writer,
    ):
        for row in rows:
            held.append(row)
            count += 1
            if len(held) == batch:
                writer.write_table(pa.Table.from_pylist(held, schema()))
                held = []
        if held:
            writer.write_table(pa.Table.from_pylist(held, schema()))
    return count


def schema() -> "pyarrow.Schema":
    """The columns of a shard, all of them strings."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in store.COLUMNS])


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and values of each row of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError) as e:
        raise DataError(f"{path}: not a readable parquet file: {e}") from None
