"""Samples become token ids and labels, once: an Arrow file that training maps into memory.

The file is cached by what it is made of (rows, tokenizer, format and the code that writes
it), so a second run of the same recipe encodes nothing.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coalm.formats
from coalm import shards, sources, store
from coalm.crew import Crew, cores
from coalm.errors import DataError
from coalm.formats import Piece, Tokenizer, format_of
from coalm.formats.batch import encode_all
from coalm.formats.tokens import ByteTokenizer, open_tokenizer
from coalm.types import Sample

if TYPE_CHECKING:
    import pyarrow
    from datasets import Dataset

IGNORED = -100
"""The label of a token that is not learned, by PyTorch's convention."""

WORTH = 16_000_000
"""Bytes of rows that are encoded in the time that a process takes to start: one second."""


@dataclass(frozen=True)
class Encoding:
    """How samples become ids; the same in every process."""

    tokenizer: Path | None
    """The model folder that it is in; None takes bytes."""
    layout: str
    dialect: str
    """For samples that name none."""
    rows: bool
    longest: int

    @cached_property
    def opened(self) -> Tokenizer:
        """The tokenizer, opened where it is first used."""
        return ByteTokenizer() if self.tokenizer is None else open_tokenizer(self.tokenizer)


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """A split as ids and labels on disk."""

    path: Path
    """An Arrow stream with the columns `input_ids` and `labels`, of one length row by row."""
    rows: int
    tokens: int
    learned: int
    """Tokens that carry loss."""
    too_long: int
    """Rows of more than the longest allowed length, left out whole: never cut in the middle."""

    def dataset(self) -> "Dataset":
        """The rows for a trainer, mapped into memory rather than read."""
        from datasets import Dataset

        return Dataset.from_file(str(self.path))


@dataclass(frozen=True, slots=True)
class Block:
    """Some encoded rows, on their way from one process to another."""

    table: bytes
    rows: int
    tokens: int
    learned: int
    too_long: int


def encode_split(
    data: Path, split: str, how: Encoding, *, limit: int | None = None, processes: int | None = None
) -> EncodedRows:
    """Encode a split of a data folder, or find it in the cache; `limit` takes its first rows."""
    files = shards.shards(data, split)
    key = store.content_hash(
        [[store.sha256(path) for path in files], limit, _known(how), _written_by()]
    )
    path = sources.cache() / "encoded" / f"{split}-{key}.arrow"
    counts = path.with_suffix(".json")
    if not (path.exists() and counts.exists()):
        found = list(_jobs(files, limit))
        wanted = processes or min(cores(), max(1, sum(job.size for job in found) // WORTH))
        with Crew(how, wanted) as crew:
            done = _write(path, crew.map(encode_rows, found))
        store.write_json(counts, done)
    return EncodedRows(path, **store.read_json(counts))


@dataclass(frozen=True, slots=True)
class Job:
    """A row group of a shard, or the beginning of one."""

    path: Path
    group: int
    rows: int
    size: int
    """Bytes, unpacked."""


def encode_rows(how: Encoding, job: Job) -> Block:
    """Encode a row group; a `DataError` names a row that teaches nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(job.path) as file, _without_collector():
        stored = file.read_row_group(job.group).slice(0, job.rows).to_pylist()
        return _block(how, map(store.load_sample, stored), pa)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Samples are trees: to look for cycles among millions of them takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _block(how: Encoding, samples: Iterable[Sample], pa: Any) -> Block:
    import numpy as np

    pieces: list[list[Piece]] = []
    names: list[str] = []
    for sample in samples:
        fmt = format_of(how.layout, sample.dialect or how.dialect, rows=how.rows)
        examples = fmt.examples(sample.dialogue)
        if not examples:
            raise DataError(f"row {sample.id!r} has nothing to learn: no assistant turn")
        pieces += examples
        names += [sample.id] * len(examples)
    texts = encode_all(pieces, how.opened)
    lengths = np.diff(texts.ends)
    learned = np.diff(np.concatenate([[0], np.cumsum(texts.tokens.learned)])[texts.ends])
    if not learned.all():
        raise DataError(f"row {names[learned.argmin()]!r} has nothing to learn: no assistant turn")
    fits = lengths <= how.longest
    kept = np.repeat(fits, lengths)
    ids, mask = texts.tokens.ids[kept], texts.tokens.learned[kept]
    ends = pa.array(np.cumsum([0, *lengths[fits]]), pa.int32())
    columns = [
        pa.ListArray.from_arrays(ends, pa.array(values, pa.int32()))
        for values in (ids, np.where(mask, ids, np.int32(IGNORED)))
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _schema()) as writer:
        writer.write_table(pa.table(columns, schema=_schema()))
    return Block(
        sink.getvalue().to_pybytes(), int(fits.sum()), len(ids), int(mask.sum()), int((~fits).sum())
    )


def _write(path: Path, blocks: Iterator[Block]) -> dict[str, int]:
    import pyarrow as pa

    sums = {"rows": 0, "tokens": 0, "learned": 0, "too_long": 0}
    with store.atomic(path, "wb") as file, pa.ipc.new_stream(file, _schema()) as writer:
        for block in blocks:
            writer.write_table(pa.ipc.open_stream(block.table).read_all())
            for name in sums:
                sums[name] += getattr(block, name)
    return sums


def _schema() -> "pyarrow.Schema":
    import pyarrow as pa

    return pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])


def _jobs(files: Sequence[Path], limit: int | None) -> Iterator[Job]:
    import pyarrow.parquet as pq

    left = limit
    for path in files:
        with pq.ParquetFile(path) as file:
            groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
            sizes = [(group.num_rows, group.total_byte_size) for group in groups]
        for number, (there, size) in enumerate(sizes):
            rows = there if left is None else min(there, left)
            left = None if left is None else left - rows
            if rows:
                yield Job(path, number, rows, size * rows // there)


def _known(how: Encoding) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(how).items() if name != "tokenizer"}
    file = how.tokenizer / "tokenizer.json" if how.tokenizer else None
    return plain | {"tokenizer": store.sha256(file) if file and file.exists() else "bytes"}


def _written_by() -> str:
    """Changes with the code of the formats and of this module."""
    folder = Path(coalm.formats.__file__).parent
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
