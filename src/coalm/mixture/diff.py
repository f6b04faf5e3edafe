"""What two data folders differ in: settings, sources and rows, compared by hash.

Of the first folder two hashes a row are kept, of its id and of its content; texts are read
again only for the examples that are asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeAlias

from coalm import shards
from coalm.errors import DataError
from coalm.mixture.manifest import Manifest, read_manifest
from coalm.mixture.stats import rows

Fate: TypeAlias = Literal["same", "moved", "changed", "only in A", "only in B"]

FATES: tuple[Fate, ...] = ("same", "moved", "changed", "only in A", "only in B")
"""What can become of a row: moved is the same row on the other side of the split, changed is
the same id with other content."""

CONTENT = ("corpus", "group", "dialect", "turns", "tools")
"""The columns that a row's content is."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""What is read, how many rows of it, and of how many."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row that is not in both folders as it is."""

    id: str
    corpus: str
    fate: Fate
    columns: tuple[str, ...] = ()
    """The columns in which a changed row differs."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that two recipes give differently; None where one does not have it."""

    name: str
    one: Any
    other: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Two data folders, A and B, held against each other."""

    settings: tuple[Setting, ...]
    sources: tuple[str, ...]
    """Sentences about files that were read with other contents."""
    rows: Mapping[str, Mapping[Fate, int]]
    """Corpus -> how many of its rows had which fate."""
    examples: tuple[Example, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the rows are the same, on the same sides of the split."""
        return not any(
            n for fates in self.rows.values() for fate, n in fates.items() if fate != "same"
        )

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "settings": {s.name: {"A": s.one, "B": s.other} for s in self.settings},
            "sources": list(self.sources),
            "rows": {name: dict(fates) for name, fates in self.rows.items()},
            "examples": [
                {"id": e.id, "corpus": e.corpus, "fate": e.fate, "columns": list(e.columns)}
                for e in self.examples
            ],
        }


def difference(
    one: Path,
    other: Path,
    *,
    examples: int = 0,
    progress: Progress = lambda _what, _done, _of: None,
) -> Difference:
    """Compare folder A with folder B; `examples` rows are named for each fate of each corpus."""
    before, after = read_manifest(one), read_manifest(other)
    fates = _Fates()
    for done, row in enumerate(_rows(one), 1):
        fates.first(row)
        if done % 1000 == 0:
            progress("A", done, before.train + before.valid)
    for done, row in enumerate(_rows(other), 1):
        fates.second(row)
        if done % 1000 == 0:
            progress("B", done, after.train + after.valid)
    counts = fates.counted()
    named = tuple(_examples(one, other, fates, examples)) if examples else ()
    return Difference(tuple(settings(before, after)), tuple(_sources(before, after)), counts, named)


def settings(before: Manifest, after: Manifest) -> Iterator[Setting]:
    """The settings in which two recipes differ; parts are matched by corpus, not by place."""
    one, other = _flat(before), _flat(after)
    lone = {name for name in {*one, *other} if name.startswith("parts.")}
    lone = {n for n in lone if n.count(".") == 1 and (n in one) != (n in other)}
    for name in dict.fromkeys((*one, *other)):
        # A part that only one recipe has is one difference, not one for each of its settings.
        told = not any(name.startswith(f"{part}.") for part in lone)
        if told and one.get(name) != other.get(name):
            yield Setting(name, one.get(name), other.get(name))


# --- rows ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it is compared."""

    key: int
    content: int
    """Its last bit says on which side of the split it is."""
    corpus: str
    values: Mapping[str, Any]


def _rows(folder: Path) -> Iterator[_Row]:
    for side, split in enumerate(shards.SPLITS):
        for place, row in rows(folder, (split,)):
            if not isinstance(row.get("id"), str):
                raise DataError(f"{place}: a row without an id; build the folder anew")
            text = "\0".join(str(row.get(name) or "") for name in CONTENT)
            content = _hash(text) & ~1 | side
            yield _Row(_hash(row["id"]), content, str(row.get("corpus") or "own"), row)


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest)


@dataclass(slots=True)
class _Fates:
    """What became of the rows of A; several rows may share an id."""

    left: dict[int, int | list[int]] = field(default_factory=dict)
    """Id -> contents of the rows of A that no row of B has answered yet."""
    corpora: dict[int, str] = field(default_factory=dict)
    """Id -> corpus, as A has it."""
    later: list[tuple[int, str]] = field(default_factory=list)
    """Ids and corpora of rows of B that no row of A equals."""
    counts: dict[str, Counter[Fate]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    fates: dict[int, Fate] = field(default_factory=dict)
    """The fate of each id that differs."""

    def first(self, row: _Row) -> None:
        held = self.left.get(row.key)
        if held is None:
            self.left[row.key] = row.content
        else:
            self.left[row.key] = [*(held if isinstance(held, list) else [held]), row.content]
        # One string a corpus, however many rows name it.
        self.corpora[row.key] = self.names.setdefault(row.corpus, row.corpus)

    def second(self, row: _Row) -> None:
        for content, fate in ((row.content, "same"), (row.content ^ 1, "moved")):
            if self._take(row.key, content):
                self._count(row.corpus, fate)  # type: ignore[arg-type]  # one of the two
                if fate == "moved":
                    self.fates[row.key] = "moved"
                return
        self.later.append((row.key, self.names.setdefault(row.corpus, row.corpus)))

    def counted(self) -> dict[str, dict[Fate, int]]:
        for key, corpus in self.later:
            fate: Fate = "changed" if self._take(key, None) else "only in B"
            self._count(corpus, fate)
            self.fates[key] = fate
        for key, held in self.left.items():
            for _ in held if isinstance(held, list) else [held]:
                self._count(self.corpora[key], "only in A")
            self.fates.setdefault(key, "only in A")
        return {
            corpus: {fate: self.counts[corpus][fate] for fate in FATES}
            for corpus in sorted(self.counts)
        }

    def _take(self, key: int, content: int | None) -> bool:
        """Answer a row of A with that content, or any of that id; False if there is none."""
        held = self.left.get(key)
        if held is None:
            return False
        contents = held if isinstance(held, list) else [held]
        if content is None:
            content = contents[0]
        if content not in contents:
            return False
        contents.remove(content)
        if contents:
            self.left[key] = contents
        else:
            del self.left[key]
        return True

    def _count(self, corpus: str, fate: Fate) -> None:
        self.counts.setdefault(corpus, Counter())[fate] += 1


def _examples(one: Path, other: Path, fates: _Fates, wanted: int) -> Iterator[Example]:
    """The first rows of each fate and corpus, in the order of the folders."""
    named: Counter[tuple[str, Fate]] = Counter()
    changed: dict[int, Mapping[str, Any]] = {}
    for row in _rows(one):
        fate = fates.fates.get(row.key, "same")
        slot = row.corpus, fate
        if fate in ("same", "only in B") or named[slot] == wanted:
            continue
        named[slot] += 1
        if fate == "changed":
            changed[row.key] = row.values
        else:
            yield Example(row.values["id"], row.corpus, fate)
    for row in _rows(other):
        fate = fates.fates.get(row.key, "same")
        if row.key in changed:
            was = changed.pop(row.key)
            differing = tuple(n for n in CONTENT if was.get(n) != row.values.get(n))
            yield Example(row.values["id"], row.corpus, "changed", differing)
        elif fate == "only in B" and named[row.corpus, fate] < wanted:
            named[row.corpus, fate] += 1
            yield Example(row.values["id"], row.corpus, fate)


# --- recipes ------------------------------------------------------------------------------


def _flat(manifest: Manifest) -> dict[str, Any]:
    """`seed`, `parts.snips.rows`, ...: every setting by its path."""
    found: dict[str, Any] = {"made_by": manifest.made_by}
    for name, value in manifest.recipe.items():
        if name == "out":
            continue
        if name != "parts":
            found[name] = value
            continue
        seen: Counter[str] = Counter()
        for part in value:
            corpus = str(part.get("corpus"))
            seen[corpus] += 1
            place = corpus if seen[corpus] == 1 else f"{corpus}#{seen[corpus]}"
            found[f"parts.{place}"] = "there"
            found |= {f"parts.{place}.{n}": v for n, v in part.items() if n != "corpus"}
    return found


def _sources(before: Manifest, after: Manifest) -> Iterator[str]:
    """What was read with other contents, or from elsewhere."""
    ours = {part.corpus: part for part in before.parts}
    for part in after.parts:
        was = ours.get(part.corpus)
        if was is None:
            continue
        if was.origin != part.origin:
            yield f"{part.corpus}: {was.origin} in A, {part.origin} in B"
        for name in sorted({*was.files, *part.files}):
            if was.files.get(name) != part.files.get(name):
                yield f"{part.corpus}: {name} {_became(name in was.files, name in part.files)}"


def _became(was: bool, now: bool) -> str:
    if was and now:
        return "has other contents"
    return "was read for A only" if was else "was read for B only"
