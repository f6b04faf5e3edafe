"""Corpora by name. A new one is one file in `corpora`, its stream, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coalm import sources, store
from coalm.corpora import hammer, own, sgd_older
from coalm.errors import RecipeError, unknown
from coalm.mixture import call_lessons, conversations, paper_rows, sgd_lessons
from coalm.mixture.settings import DataSettings, Part
from coalm.mixture.streams import Stream
from coalm.sources import Found, Source


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of a mixture."""

    source: str
    """Its name in `sources.SOURCES`; empty for the user's own file."""
    conversations: tuple[Stream, ...]
    """Its records as conversations."""
    published: tuple[Stream, ...] = ()
    """Its records as the paper's rows, if the paper has it."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Files that are read as well where they are there -> their licence."""
    thinks: bool = False
    """Whether its own reader adds the thoughts that a part asks for."""

    def streams(self, part: Part) -> tuple[Stream, ...]:
        """What is read for a part."""
        return self.published if part.form == "published" else self.conversations


def _quiet(_said: str) -> None:
    """Nobody is told."""


_XLAM = {hammer.XLAM["xlam"]: "CC-BY-4.0", hammer.XLAM["irrelevance"]: "CC-BY-NC-4.0"}
_OLDER = {sgd_older.ARCHIVE: "CC-BY-SA-4.0"}

CORPORA: Mapping[str, Corpus] = {
    "snips": Corpus("snips", conversations.SNIPS, paper_rows.SNIPS),
    "hammer": Corpus("hammer", call_lessons.HAMMER, paper_rows.HAMMER, _XLAM),
    "sealtools": Corpus("sealtools", call_lessons.SEALTOOLS),
    "toolrl": Corpus("toolrl", call_lessons.TOOLRL),
    "glaive": Corpus("glaive", conversations.GLAIVE),
    "toolace": Corpus("toolace", conversations.TOOLACE, paper_rows.TOOLACE),
    "sgd-dst": Corpus("sgd", sgd_lessons.STATES, extras=_OLDER),
    "sgd-react": Corpus("sgd", sgd_lessons.REACT, extras=_OLDER),
    "sgd-cra": Corpus("sgd", sgd_lessons.CRA, paper_rows.SGD_CRA),
    "sgd-calls": Corpus("sgd", sgd_lessons.CALLS, thinks=True),
    "sgd-clarify": Corpus("sgd", sgd_lessons.CLARIFY, thinks=True),
    "sgd-requests": Corpus("sgd", sgd_lessons.REQUESTS),
    "sgd-irrelevant": Corpus("sgd", sgd_lessons.IRRELEVANT),
    "own": Corpus("", conversations.OWN),
}
"""Every corpus that a part can name."""


def corpus(name: str) -> Corpus:
    """The corpus of that name; a `RecipeError` names the nearest one."""
    if name not in CORPORA:
        raise RecipeError(f"data: parts: {unknown('corpus', name, CORPORA)}")
    return CORPORA[name]


def located(part: Part, settings: DataSettings, note: Callable[[str], None] = _quiet) -> Found:
    """Where a part's source is on this machine; for `own`, its file as a source of its own."""
    known = corpus(part.corpus)
    if known.source:
        return sources.find(known.source, partial=settings.partial, allow=settings.allow, note=note)
    if not part.path:
        raise RecipeError("data: parts: the corpus 'own' needs a path to a JSONL or parquet file")
    path = Path(part.path)
    own.peek(path)
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
        for one in (p for p in inside if p.is_file()):
            below = one.is_relative_to(found.root)  # an archive of upstream is unpacked elsewhere
            hashes[str(one.relative_to(found.root) if below else Path(name, one.name))] = (
                store.sha256(one)
            )
    return dict(sorted(hashes.items()))


def licences(part: Part, found: Found) -> tuple[str, ...]:
    """The licences of what is read, the source's own first."""
    extras = corpus(part.corpus).extras
    there = [licence for path, licence in extras.items() if found.path(path).exists()]
    return tuple(dict.fromkeys([found.source.licence, *there]))
