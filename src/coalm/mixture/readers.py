"""Corpora by name. A new one is one file in `corpora` and one line here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from coalm import shards, sources, store
from coalm.corpora import glaive, hammer, sealtools, sgd_states, snips, toolace, toolrl
from coalm.corpora.records import Skip
from coalm.cra import annotated
from coalm.errors import DataError, RecipeError, unknown
from coalm.mixture.settings import Part
from coalm.sources import Found, Source
from coalm.types import Sample

Read: TypeAlias = Callable[[Found, Part, int, Skip], Iterator[Sample]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of a mixture: the source it is read from, and how."""

    source: str
    """Its name in `sources.SOURCES`; empty for the user's own file."""
    read: Read
    """Found, part, seed and where to tell of skipped records -> samples."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Files that are read as well where they are there -> their licence."""


def _own(_found: Found, part: Part, _seed: int, _skip: Skip) -> Iterator[Sample]:
    return shards.read_samples(Path(part.path))


CORPORA: Mapping[str, Corpus] = {
    "snips": Corpus("snips", lambda found, _part, _seed, _skip: snips.read(found)),
    "hammer": Corpus(
        "hammer",
        lambda found, part, seed, skip: hammer.read(
            found, seed=seed, masked=part.masked, copies=part.copies, skip=skip
        ),
        {hammer.XLAM["xlam"]: "CC-BY-4.0", hammer.XLAM["irrelevance"]: "CC-BY-NC-4.0"},
    ),
    "sealtools": Corpus(
        "sealtools",
        lambda found, part, seed, skip: sealtools.read(
            found,
            seed=seed,
            masked=part.masked,
            copies=part.copies,
            irrelevant=part.irrelevant,
            skip=skip,
        ),
    ),
    "toolrl": Corpus("hammer", lambda found, _part, _seed, skip: toolrl.read(found, skip=skip)),
    "glaive": Corpus("glaive", lambda found, _part, _seed, skip: glaive.read(found, skip=skip)),
    "toolace": Corpus("toolace", lambda found, _part, _seed, skip: toolace.read(found, skip=skip)),
    "sgd-dst": Corpus(
        "sgd",
        lambda found, part, seed, _skip: sgd_states.read(
            found, seed=seed, copies=part.copies, slots=part.slots, domains=part.domains
        ),
    ),
    "sgd-cra": Corpus(
        "sgd",
        lambda found, part, _seed, skip: annotated.read(found, max_turns=part.turns, skip=skip),
    ),
    "own": Corpus("", _own),
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
