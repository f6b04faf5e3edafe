"""What a worker does with a chunk: records become samples, samples become measured rows.

Rows go into a spill file, an Arrow file that the last step reads from; what comes back
is a line of numbers for each, so that memory does not grow with the rows' words.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import store
from coalm.corpora.chunks import Chunk, Fault
from coalm.corpora.records import Record, chance, parsed
from coalm.corpora.spoken import spoken
from coalm.errors import DataError, FormatError
from coalm.formats import Piece, Tokenizer, format_of
from coalm.formats.batch import encode_all
from coalm.formats.tokens import ByteTokenizer, open_tokenizer
from coalm.mixture import near
from coalm.mixture.decontaminate import HeldOut
from coalm.mixture.readers import corpus
from coalm.mixture.settings import DataSettings, Part
from coalm.mixture.streams import Making, Stream
from coalm.types import Assistant, Sample, User

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPILLED = (*store.COLUMNS, "place")
"""The columns of a spill file; the last says which record a row was made of."""

INDEX = (
    ("key", "f8"),  # the order in which rows are chosen
    ("order", "u8"),  # the order in which they are written
    ("name", "u8"),  # hashes of the id, of the content and of the group
    ("content", "u8"),
    ("group", "u8"),
    ("tokens", "u4"),
    ("learned", "u4"),
    ("subset", "u4"),  # the place of the subset's name in a list
    ("batch", "u4"),  # the spill file, and the row in it
    ("row", "u4"),
)
"""What is known of each row without its words."""


@dataclass(frozen=True)
class Plan:
    """What every worker holds."""

    settings: DataSettings
    tokenizer_folder: Path | None
    """None counts bytes."""
    held_out: HeldOut
    contexts: dict[tuple[int, int], Any]
    """Part and stream -> what its reader knows of the whole source."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Opened in the worker that needs it."""
        folder = self.tokenizer_folder
        return ByteTokenizer() if folder is None else open_tokenizer(folder)


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk, and which of its records are looked at."""

    part: int
    stream: int
    chunk: Chunk
    low: float
    high: float
    """Records whose chance lies from `low` up to `high`."""
    batch: int
    spill: Path


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not in the data, and why."""

    id: str
    corpus: str
    reason: str
    evidence: str = ""
    place: str = ""


@dataclass(slots=True)
class Batch:
    """What became of a chunk."""

    index: "NDArray[np.void]"
    signed: "near.Signatures | None" = None
    subsets: list[str] = field(default_factory=list)
    records: int = 0
    samples: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    sample: Sample
    place: str
    key: float
    tokens: int
    learned: int


def read(plan: Plan, job: Job) -> Batch:
    """Make, check and measure the samples of a chunk, and spill those that may be kept."""
    import numpy as np

    batch = Batch(np.zeros(0, list(INDEX)))
    rows = list(_rows(plan, job, batch))
    stored = [store.dump_sample(row.sample) | {"place": row.place} for row in rows]
    if rows:
        _spill(job.spill, stored)
    subsets: dict[str, int] = {}
    lines = [
        _line(row, words, job.batch, at, plan.settings, subsets)
        for at, (row, words) in enumerate(zip(rows, stored, strict=True))
    ]
    batch.index = np.array(lines, list(INDEX))
    batch.subsets = list(subsets)
    if plan.settings.near_duplicates and rows:
        batch.signed = near.signatures([row.sample for row in rows])
    return batch


def _rows(plan: Plan, job: Job, batch: Batch) -> Iterator[_Row]:
    """The rows of a chunk that may be kept; what may not is told to `batch`."""
    written = []
    for made in _samples(plan, job, batch):
        why = _refused(plan, made)
        if isinstance(why, LeftOut):
            batch.left_out.append(why)
        else:
            written.append((made, why))
    settings = plan.settings
    arrays = iter(encode_all([text for _, texts in written for text in texts], plan.tokenizer))
    for made, texts in written:
        rows = [next(arrays) for _ in texts]
        tokens = sum(len(row.ids) for row in rows)
        learned = int(sum(row.learned.sum() for row in rows))
        longest = settings.parts[job.part].longest or settings.longest
        if not learned:
            batch.left_out.append(made.left("nothing to learn"))
        elif tokens > longest:
            batch.left_out.append(made.left("too long", f"{tokens} tokens"))
        else:
            yield _Row(made.sample, made.place, made.key, tokens, learned)


@dataclass(frozen=True, slots=True)
class _Made:
    """A sample, and the record that it was made of."""

    sample: Sample
    place: str
    key: float

    def left(self, reason: str, evidence: str = "") -> LeftOut:
        return LeftOut(self.sample.id, self.sample.corpus, reason, evidence, self.place)


def _samples(plan: Plan, job: Job, batch: Batch) -> Iterator[_Made]:
    settings = plan.settings
    part = settings.parts[job.part]
    stream = corpus(part.corpus).streams(part)[job.stream]
    context = plan.contexts.get((job.part, job.stream))
    making = Making(part, settings.seed, context, lambda why: batch.skipped.update([why]))
    for record in parsed(job.chunk):
        if isinstance(record, Fault):
            batch.faults.append(record)
            continue
        key = chance(settings.seed, job.chunk.name, record.number, "record")
        if not job.low <= key < job.high:
            continue
        batch.records += 1
        for sample in _made(stream, record, making, batch):
            batch.samples += 1
            for one in _spoken(sample, part, settings.seed):
                yield _Made(shortened(one, part.turns), within(record.place), key)


def _made(stream: Stream, record: Record, making: Making, batch: Batch) -> list[Sample]:
    """The samples of a record: all of them, or none and a fault."""
    try:
        return list(stream.make(record, making))
    except DataError as e:
        said = str(e).removeprefix(f"{record.place}: ")
        batch.faults.append(Fault(record.place, said))
        return []


def _spoken(sample: Sample, part: Part, seed: int) -> Iterator[Sample]:
    """The sample in `dialects_each` of the part's dialects, or in its own."""
    names = [name.strip() for name in part.dialect.split(",") if name.strip()]
    if not names or sample.dialect == "verbatim":
        return iter([sample])
    share = 0.0 if corpus(part.corpus).thinks else part.thoughts
    return spoken(sample, names, per_row=part.dialects_each, thoughts=share, seed=seed)


def _refused(plan: Plan, made: _Made) -> LeftOut | list[list[Piece]]:
    """Why a sample cannot be kept; else its training texts."""
    leak = plan.held_out.seen(made.sample)
    if leak:
        return made.left(f"repeats {leak.benchmark}", leak.evidence)
    sample, settings = made.sample, plan.settings
    try:
        return format_of(settings.layout, sample.dialect or settings.dialect).examples(
            sample.dialogue
        )
    except FormatError as e:
        return made.left("a turn that its dialect cannot write", str(e)[:200])


def shortened(sample: Sample, turns: int | None) -> Sample:
    """The sample up to the end of that many user turns; whole where `turns` is None."""
    if turns is None:
        return sample
    said = sample.dialogue.turns
    users = [i for i, turn in enumerate(said) if isinstance(turn, User)]
    end = users[turns] if len(users) > turns else len(said)
    while end and not isinstance(said[end - 1], Assistant):
        end -= 1  # nothing is learned from a turn that nobody answers
    return replace(sample, dialogue=sample.dialogue.until(end))


def _line(
    row: _Row,
    stored: dict[str, str],
    batch: int,
    at: int,
    settings: DataSettings,
    subsets: dict[str, int],
) -> tuple[float | int, ...]:
    sample = row.sample
    subset = subsets.setdefault("/".join(sample.id.split("/")[:2]), len(subsets))
    return (
        row.key,
        number(settings.seed, sample.id, sample.dialect, "order"),
        number(sample.id),
        # Names aside: the same words, tools and dialect are the same lesson.
        number(stored["turns"], stored["tools"], sample.dialect),
        number(settings.seed, sample.group or sample.id, "valid"),
        row.tokens,
        row.learned,
        subset,
        batch,
        at,
    )


def within(place: str) -> str:
    """A place without the folders above its file, so that it reads the same on every machine."""
    return place[place.rfind("/") + 1 :]


def number(*key: object) -> int:
    """64 bits that only depend on the key: the same on every machine."""
    text = "\x1f".join(map(str, key))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _spill(path: Path, rows: list[dict[str, str]]) -> None:
    import pyarrow as pa

    table = pa.table({name: [row[name] for row in rows] for name in SPILLED})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def unspilled(path: Path, rows: list[int]) -> list[dict[str, str]]:
    """Some rows of a spill file, in the order asked for."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
        found: list[dict[str, str]] = table.take(rows).to_pylist()
        return found
