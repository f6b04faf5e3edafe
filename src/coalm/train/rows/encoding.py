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
from coalm.errors import DataError, RecipeError
from coalm.formats import Format, Piece, Tokenizer, format_of
from coalm.formats.batch import encode_all
from coalm.formats.tokens import ByteTokenizer, open_tokenizer
from coalm.train.rows.texts import Shorter, Text, shorter, texts_of
from coalm.types import Sample

if TYPE_CHECKING:
    import pyarrow
    from datasets import Dataset

IGNORED = -100
"""The label of a token that is not learned, by PyTorch's convention."""

_COUNTED = ("rows", "tokens", "learned", "too_long", "shortened", "turns_dropped")

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
    shorten: bool = True
    """Drop the oldest turns of what is too long; else it is left out whole."""

    @cached_property
    def opened(self) -> Tokenizer:
        """The tokenizer, opened where it is first used."""
        return ByteTokenizer() if self.tokenizer is None else open_tokenizer(self.tokenizer)

    def format(self, sample: Sample) -> Format:
        """How a sample is written."""
        try:
            return format_of(self.layout, sample.dialect or self.dialect, rows=self.rows)
        except RecipeError as e:
            if sample.dialect:  # which is the row's own
                raise DataError(f"row {sample.id!r}: {e}") from None
            raise


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
    """Texts of more than the longest allowed length, left out whole: never cut in the middle.

    Of a row that was shortened, the answers that found no room with all history gone.
    """
    shortened: int = 0
    """Texts that were too long and became shorter ones without their oldest turns."""
    turns_dropped: int = 0
    """Turns of history that these shorter ones do without, all together."""

    def describe(self) -> str:
        """What there is and what was left out, in a line."""
        told = [f"{self.rows:,} rows, {self.tokens:,} tokens, {self.learned:,} learned"]
        if self.shortened:
            told.append(f"{self.shortened:,} too long, {self.turns_dropped:,} old turns dropped")
        if self.too_long:
            told.append(f"{self.too_long:,} too long, left out")
        return "; ".join(told)

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
    shortened: int
    turns_dropped: int


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
    told: list[Text] = []
    for sample in samples:
        fmt = how.format(sample)
        examples = fmt.examples(sample.dialogue)
        if not examples:
            raise DataError(f"row {sample.id!r} has nothing to learn: no assistant turn")
        pieces += examples
        told += texts_of(sample, fmt)
    whole = encode_all(pieces, how.opened)
    unlearned = np.flatnonzero(whole.learned == 0)
    if len(unlearned):
        name = told[unlearned[0]].sample.id
        raise DataError(f"row {name!r} has nothing to learn: no assistant turn")
    long = np.flatnonzero(whole.lengths > how.longest)
    cut = Shorter((), shortened=0, dropped=0, lost=len(long))
    if how.shorten:
        cut = shorter([told[n] for n in long], how.opened, how.longest)
    fitting = [whole.only(whole.lengths <= how.longest), encode_all(cut.texts, how.opened)]
    ids = np.concatenate([part.tokens.ids for part in fitting])
    mask = np.concatenate([part.tokens.learned for part in fitting])
    lengths = np.concatenate([part.lengths for part in fitting])
    ends = pa.array(np.cumsum([0, *lengths]), pa.int32())
    columns = [
        pa.ListArray.from_arrays(ends, pa.array(values, pa.int32()))
        for values in (ids, np.where(mask, ids, np.int32(IGNORED)))
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _schema()) as writer:
        writer.write_table(pa.table(columns, schema=_schema()))
    return Block(
        sink.getvalue().to_pybytes(),
        len(lengths),
        len(ids),
        int(mask.sum()),
        cut.lost,
        cut.shortened,
        cut.dropped,
    )


def _write(path: Path, blocks: Iterator[Block]) -> dict[str, int]:
    import pyarrow as pa

    sums = dict.fromkeys(_COUNTED, 0)
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
    own = [Path(__file__).with_name(name) for name in ("encoding.py", "shorten.py", "texts.py")]
    digest = hashlib.sha256()
    for path in [*own, *sorted(folder.rglob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
