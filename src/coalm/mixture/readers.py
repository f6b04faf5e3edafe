"""Corpora by name. A new one is one file in `corpora` and one line here."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coalm import shards, sources, store
from coalm.corpora import (
    glaive,
    hammer,
    masking,
    sealtools,
    sgd,
    sgd_states,
    snips,
    toolace,
    toolrl,
)
from coalm.corpora.chunks import SIZE, Chunk, Fault, chunked
from coalm.corpora.records import Record, Skip
from coalm.cra import annotated
from coalm.cra.check import check
from coalm.errors import DataError, RecipeError, unknown
from coalm.mixture.settings import Part
from coalm.sources import Found, Source
from coalm.types import Sample, System


@dataclass(frozen=True, slots=True)
class Making:
    """What a reader needs beside the record."""

    part: Part
    seed: int
    context: Any
    """What the stream's `context` gave."""
    skip: Skip
    """Where to tell why a sound record is left out."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Records of one kind, and how each becomes samples."""

    chunks: Callable[[Found, Part], Iterator[Chunk | Fault]]
    """Reads the source, once and in order."""
    make: Callable[[Record, Making], Iterable[Sample]]
    """Pure, and called in any process; a `DataError` where the record is broken."""
    context: Callable[[Found, Part], Any] = lambda _found, _part: None
    """What all records need to know of the whole source."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of a mixture."""

    source: str
    """Its name in `sources.SOURCES`; empty for the user's own file."""
    conversations: tuple[Stream, ...]
    """Its records as conversations."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Files that are read as well where they are there -> their licence."""

    def streams(self, part: Part) -> tuple[Stream, ...]:
        """What is read for a part."""
        return self.conversations


def _file(relative: str) -> Callable[[Found, Part], Iterator[Chunk | Fault]]:
    """One file of a source; nothing where it is an extra that is not there."""

    def read(found: Found, _part: Part) -> Iterator[Chunk | Fault]:
        path = found.path(relative)
        return chunked(path) if path.exists() else iter(())

    return read


def _sgd(found: Found, _part: Part) -> Iterator[Chunk | Fault]:
    return sgd.chunks(found.path(sgd.ARCHIVE))


def _services(found: Found, _part: Part) -> dict[str, sgd.Service]:
    return sgd.schema(found.path(sgd.ARCHIVE))


def _own(_found: Found, part: Part) -> Iterator[Chunk | Fault]:
    path = Path(part.path)
    return _from_parquet(path) if path.suffix == ".parquet" else chunked(path)


def _from_parquet(path: Path) -> Iterator[Chunk]:
    """The rows of a parquet file as lines of JSON."""
    held, first, size = list[str](), 1, 0
    for number, row in shards.parquet_rows(path):
        held.append(json.dumps(row))
        size += len(held[-1])
        if size > SIZE:
            yield Chunk(str(path), first, len(held), "\n".join(held).encode(), lines=True)
            held, first, size = [], number + 1, 0
    if held:
        yield Chunk(str(path), first, len(held), "\n".join(held).encode(), lines=True)


def _xlam(name: str) -> Stream:
    def make(record: Record, making: Making) -> Iterator[Sample]:
        part = making.part
        for row in hammer.row_of(record, f"hammer/{name}", making.skip):
            yield from masking.samples(
                row, "hammer", seed=making.seed, masked=part.masked, copies=part.copies
            )

    return Stream(_file(hammer.XLAM[name]), make)


def _published_hammer(record: Record, making: Making) -> Iterator[Sample]:
    for row in hammer.published_row(record, making.skip):
        # They come masked, so they are never masked again.
        yield from masking.samples(row, "hammer", seed=making.seed, masked=0.0)


def _sealtools(record: Record, making: Making) -> Iterator[Sample]:
    part = making.part
    for row in sealtools.rows(record, making.context, making.seed, making.skip):
        yield from sealtools.asked(
            row,
            making.context,
            seed=making.seed,
            masked=part.masked,
            copies=part.copies,
            irrelevant=part.irrelevant,
        )


def _sgd_states(record: Record, making: Making) -> Iterator[Sample]:
    part = making.part
    return sgd_states.make(
        sgd.fitting(record, making.context),
        making.context,
        sgd_states.Asking(seed=making.seed, slots=part.slots),
        copies=part.copies,
        domains=part.domains,
        skip=making.skip,
    )


def _sgd_cra(record: Record, making: Making) -> Iterator[Sample]:
    dialogue = sgd.fitting(record, making.context)
    sample = annotated.annotated(dialogue, making.context, making.part.turns)
    wrong = check(sample, dialogue, making.context)
    if wrong:
        making.skip(str(wrong[0]))
        return
    yield sample


CORPORA: Mapping[str, Corpus] = {
    "snips": Corpus(
        "snips",
        (
            Stream(
                lambda found, _part: snips.chunks(found),
                lambda record, making: snips.make(record, making.context),
                lambda found, _: System(snips.instruction(snips.pairs(snips.utterances(found)))),
            ),
        ),
    ),
    "hammer": Corpus(
        "hammer",
        (
            _xlam("xlam"),
            _xlam("irrelevance"),
            Stream(_file(hammer.PUBLISHED), _published_hammer),
        ),
        {hammer.XLAM["xlam"]: "CC-BY-4.0", hammer.XLAM["irrelevance"]: "CC-BY-NC-4.0"},
    ),
    "sealtools": Corpus(
        "sealtools",
        (
            Stream(
                _file(sealtools.DEV),
                _sealtools,
                lambda found, _part: sealtools.toolbox(found.path(sealtools.TOOLS)),
            ),
        ),
    ),
    "toolrl": Corpus(
        "hammer",
        (Stream(_file(toolrl.ROWS), lambda record, making: toolrl.make(record, making.skip)),),
    ),
    "glaive": Corpus(
        "glaive",
        (Stream(_file(glaive.ROWS), lambda record, making: glaive.make(record, making.skip)),),
    ),
    "toolace": Corpus(
        "toolace",
        (Stream(_file(toolace.ROWS), lambda record, making: toolace.make(record, making.skip)),),
    ),
    "sgd-dst": Corpus("sgd", (Stream(_sgd, _sgd_states, _services),)),
    "sgd-cra": Corpus("sgd", (Stream(_sgd, _sgd_cra, _services),)),
    "own": Corpus("", (Stream(_own, lambda record, _: [store.load_sample(record.value)]),)),
}
"""Every corpus that a part can name."""


def corpus(name: str) -> Corpus:
    """The corpus of that name; a `RecipeError` names the nearest one."""
    if name not in CORPORA:
        raise RecipeError(f"data: parts: {unknown('corpus', name, CORPORA)}")
    return CORPORA[name]


def located(part: Part) -> Found:
    """Where a part's source is on this machine; for `own`, its file as a source of its own."""
    known = corpus(part.corpus)
    if known.source:
        return sources.find(known.source)
    path = Path(part.path)
    if not part.path:
        raise RecipeError("data: parts: the corpus 'own' needs a path to a JSONL or parquet file")
    if not path.is_file():
        raise DataError(f"{path}: no such file; the corpus 'own' reads JSONL or parquet")
    source = Source("own", f"own file {path.name}", str(path), "as its owner says", (path.name,))
    return Found(source, path.parent, "mirror")


def files(part: Part, found: Found) -> dict[str, str]:
    """sha256 by path of all that the part may be read from; a folder counts by its files."""
    extras = corpus(part.corpus).extras
    names = [*found.source.files, *found.source.upstream, *extras]
    hashes: dict[str, str] = {}
    for name in dict.fromkeys(names):
        path = found.path(name)
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        hashes |= {str(p.relative_to(found.root)): store.sha256(p) for p in inside if p.is_file()}
    return dict(sorted(hashes.items()))


def licences(part: Part, found: Found) -> tuple[str, ...]:
    """The licences of what is read, the source's own first."""
    extras = corpus(part.corpus).extras
    there = [licence for path, licence in extras.items() if found.path(path).exists()]
    return tuple(dict.fromkeys([found.source.licence, *there]))
