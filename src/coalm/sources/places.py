"""The folders where sources are looked for, and what of a source stands in one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from coalm import store
from coalm.errors import DataError
from coalm.sources.model import Source, standing
from coalm.sources.pins import pin
from coalm.sources.unpack import is_archive, members, stem, unpacked

MINIATURE = Path(__file__).parents[1] / "miniature"
"""Small corpora in the sources' exact formats, written for this project."""


def mirror() -> Path | None:
    """The local mirror: `COALM_DATA`, else `../shared/data` beside the checkout, else None.

    `COALM_DATA` may also name an archive of such a folder; it is unpacked into the cache.
    """
    named = os.environ.get("COALM_DATA")
    if named is not None:
        if named and is_archive(Path(named)):
            return unpacked(Path(named), cache() / "unpacked").resolve()
        if named and not Path(named).is_dir():
            raise DataError(f"COALM_DATA names {named!r}, which is no folder and no archive")
        return Path(named).resolve() if named else None
    near = (Path.cwd(), Path(__file__).resolve().parents[3])
    return next((p for n in near if (p := n.parent / "shared" / "data").is_dir()), None)


def cache() -> Path:
    """Where downloads and unpacked models live: `COALM_CACHE`, else the user's cache folder."""
    named = os.environ.get("COALM_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "coalm"


def downloads() -> Path:
    """Where `coalm data get` puts files unless it is told otherwise."""
    return cache() / "data"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a source stands below a folder."""

    root: Path
    places: dict[str, Path] = field(default_factory=dict)
    """Where its files are, by their path in the table."""
    absent: tuple[str, ...] = ()
    """Files that are not there at all."""
    missing: tuple[str, ...] = ()
    """Members of the archives or folders that are there."""
    sample: bool = False
    """Whether this is the sample although there is a form that is the whole."""

    @property
    def there(self) -> bool:
        """Whether every file is there, be it with some members missing."""
        return bool(self.places) and not self.absent

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.there and not self.missing and not self.sample


def standings(source: Source, root: Path) -> Standing:
    """The best form of a source below a folder, or what there is of it."""
    homes = list(_homes(source, root))
    found = [_standing(source, root, homes, form) for form in source.forms]
    if not found:
        return Standing(root)
    return next((s for s in found if s.there), found[-1])


def _standing(source: Source, root: Path, homes: list[Path], form: tuple[str, ...]) -> Standing:
    places, absent, missing = dict[str, Path](), list[str](), list[str]()
    for relative in form:
        expected = source.members.get(relative)
        best: tuple[int, Path, list[str]] | None = None
        for path in _candidates(source, root, homes, relative):
            lost = _lost(path, relative, expected) if expected else []
            if expected and len([m for m in lost if m != "schema.json"]) >= _count(expected):
                continue
            if best is None or len(lost) < best[0]:
                best = (len(lost), path, lost)
        if best is None:
            absent.append(relative)
            continue
        places[relative] = best[1]
        missing += best[2]
    sample = bool(source.whole) and form != source.whole
    return Standing(root, places, tuple(absent), tuple(missing), sample)


def _count(expected: tuple[str, ...]) -> int:
    return sum(name != "schema.json" for name in expected)


def _candidates(source: Source, root: Path, homes: list[Path], relative: str) -> Iterator[Path]:
    """Where a file may stand: at its own path, packed or not, then in a checkout of upstream."""
    here = standing(root, relative)
    if here is not None:
        yield here
        folder = root / relative.removesuffix(".tar.gz")
        if folder != here and folder.is_dir():
            yield folder
    inside = source.inside.get(relative)
    if inside is not None:
        yield from (p for home in homes if (p := standing(home, inside)) is not None)


def _lost(path: Path, relative: str, expected: tuple[str, ...]) -> list[str]:
    """Which members an archive or a folder lacks; a known archive is not unpacked to see."""
    if path.is_dir():
        return [name for name in expected if not (path / name).is_file()]
    known = pin(relative)
    size = path.stat().st_size
    if known.lacks is not None and known.size == size and store.sha256(path) == known.sha256:
        return list(known.lacks)
    inside = members(path)
    return [name for name in expected if name not in inside]


def _homes(source: Source, root: Path) -> Iterator[Path]:
    """Checkouts of the upstream repository: the folder itself, folders and archives in it.

    A pattern with a slash is looked for deeper, spelt as it is.
    """
    if not source.inside or not root.is_dir():
        return
    yield root
    flat = [pattern.lower() for pattern in source.homes if "/" not in pattern]
    deep = [path for pattern in source.homes if "/" in pattern for path in root.glob(pattern)]
    near = [p for p in root.iterdir() if any(fnmatch(stem(p.name).lower(), f) for f in flat)]
    for entry in sorted({*near, *deep}):
        if entry.is_dir():
            yield entry
        elif is_archive(entry):
            yield unpacked(entry, cache() / "unpacked")
