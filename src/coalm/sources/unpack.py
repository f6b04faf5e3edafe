"""Archives as folders: unpacked once into the cache, and nothing outside of it."""

import hashlib
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from coalm.errors import DataError

ENDINGS = (".tar.gz", ".tgz", ".tar", ".zip")

_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
)


class Readable(Protocol):
    """What can be read in blocks."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; all if negative."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive; that its bytes are torn shows only when they are read."""

    archive: Path
    content: Readable

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; a `DataError` names the archive if they are torn."""
        try:
            return self.content.read(size)
        except _BROKEN as e:
            raise broken(self.archive, e) from None


def broken(archive: Path, why: object) -> DataError:
    """What is said of an archive that cannot be read."""
    return DataError(f"{archive}: not readable as an archive: {why}; fetch it anew")


def is_archive(path: Path) -> bool:
    """Whether this is a file that its name calls an archive."""
    return path.name.endswith(ENDINGS) and path.is_file()


def stem(name: str) -> str:
    """An archive's name without what says that it is one."""
    return next((name.removesuffix(e) for e in ENDINGS if name.endswith(e)), name)


def unpacked(archive: Path, below: Path) -> Path:
    """The folder of an archive's files, made on first use; a `DataError` if it is broken.

    An archive with a single folder at its top is that folder, as repositories are packed.
    """
    state = archive.stat()
    key = f"{archive.resolve()}\x1f{state.st_size}\x1f{state.st_mtime_ns}"
    target = below / f"{stem(archive.name)}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    if not target.is_dir():
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            for name, file in files(archive):
                path = draft.joinpath(*_safe(archive, name))
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as out:
                    shutil.copyfileobj(file, out, 1 << 20)
            if not target.is_dir():  # another process may have been faster
                draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    inner = [p for p in target.iterdir() if not p.name.startswith((".", "__MACOSX"))]
    return inner[0] if len(inner) == 1 and inner[0].is_dir() else target


def files(archive: Path) -> Iterator[tuple[str, Member]]:
    """Name and content of each regular file; links and devices are passed over."""
    try:
        if archive.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as packed:
                for info in packed.infolist():
                    if not info.is_dir():
                        with packed.open(info) as file:
                            yield info.filename, Member(archive, file)
            return
        with tarfile.open(archive) as tape:
            for member in tape:
                content = tape.extractfile(member) if member.isreg() else None
                if content is not None:
                    yield member.name, Member(archive, content)
    except _BROKEN as e:
        raise broken(archive, e) from None


def members(archive: Path) -> frozenset[str]:
    """The names of an archive's regular files, without the folder that bears its name."""
    state = archive.stat()
    return _members(archive, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _members(archive: Path, _size: int, _time: int) -> frozenset[str]:
    own = stem(archive.name) + "/"
    return frozenset(name.removeprefix("./").removeprefix(own) for name, _ in files(archive))


def _safe(archive: Path, name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
        raise DataError(f"{archive}: holds {name!r}, a path that leads out of it; not unpacked")
    return parts
