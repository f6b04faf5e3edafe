"""A whole source into a folder: what is on this machine is copied, the rest downloaded."""

import datetime
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.errors import DataError
from coalm.sources import unpack
from coalm.sources.gates import refusal
from coalm.sources.model import Source, plain, standing
from coalm.sources.pins import Pin, pin
from coalm.sources.places import downloads, mirror, standings
from coalm.sources.transfer import Patience, Unreachable, fetch

KEPT = "coalm-kept.json"
"""In a folder of downloads: what was taken from where, and the checksum that holds from then on."""

How = Literal["there", "copied", "downloaded"]
Watch = Callable[[str, int, int | None], object]
"""Told the path of a file, the bytes that are here, and of how many, if known."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one file."""

    path: str
    how: How
    size: int
    resumed: int = 0


def get(
    source: Source,
    to: Path | None = None,
    *,
    allow: Collection[str] = (),
    patience: Patience | None = None,
    watch: Watch = lambda _path, _done, _of: None,
) -> list[Step]:
    """Bring a source into `to`, laid out as `COALM_DATA`; the cache of downloads if not given.

    Each file is checked; those that are right already are left alone. One that cannot be
    had does not stop the others, and a `DataError` at the end names it.
    """
    refused = refusal(source, allow)
    if refused:
        raise DataError(refused)
    root, here = to or downloads(), mirror()
    if here is not None and (to is None or to.resolve() != here):
        stands = standings(source, here)
        if stands.complete and not source.wheel and not (source.partial and source.whole):
            if to is None:
                return [Step(p, "there", _size(path)) for p, path in stands.places.items()]
            return [_copied(path, root / _name(p, path), p) for p, path in stands.places.items()]
    if not source.upstream:
        raise DataError(
            f"{source.name} cannot be downloaded as it is; set COALM_DATA to a folder that has it"
            + (f". {source.note}" if source.note else "")
        )
    steps = {p: Step(p, "there", _size(root / p)) for p in source.upstream if is_right(root, p)}
    wanted = [p for p in source.upstream if p not in steps]
    if here is not None:
        steps |= {step.path: step for step in _brought(source, here, root, wanted)}
    failures: dict[str, str] = {}
    for path in (p for p in wanted if p not in steps):
        try:
            steps[path] = _downloaded(source, path, root, patience, watch)
        except Unreachable as e:
            failures[path] = str(e)
            break
        except DataError as e:
            failures[path] = str(e)
    if failures:
        done = len(steps)
        raise DataError(
            f"{source.name}: {len(source.upstream) - done} of {len(source.upstream)} files are "
            f"not here; {next(iter(failures.values()))}"
        )
    return [steps[path] for path in source.upstream]


def expected(root: Path, path: str) -> Pin:
    """The pin of a file, or what its first download into this folder was."""
    known = pin(plain(path))
    if known.sha256:
        return known
    row = kept(root).get(path)
    return Pin(row["sha256"], row["size"]) if row else known


def kept(root: Path) -> dict[str, Any]:
    """What `get` recorded of a folder, by path."""
    path = root / KEPT
    found = store.read_json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise DataError(f"{path}: not a JSON object; remove it, and checksums are taken anew")
    return found


def is_right(root: Path, path: str) -> bool:
    """Whether the file is there with the bytes that are meant; without a checksum, there at all."""
    target, want = root / path, expected(root, path)
    if not target.is_file():
        return False
    if want.size not in {None, target.stat().st_size}:
        return False
    return not want.sha256 or store.sha256(target) == want.sha256


def _downloaded(
    source: Source, path: str, root: Path, patience: Patience | None, watch: Watch
) -> Step:
    address, target, want = source.upstream[path], root / path, expected(root, path)

    def progress(done: int, of: int | None) -> None:
        watch(path, done, of)

    packed = Path(address)
    if packed.name.endswith(unpack.ENDINGS) and not path.endswith(unpack.ENDINGS):
        archive = target.with_name(packed.name)
        got = fetch(address, archive, patience=patience, progress=progress)
        try:
            _member(archive, target, want)
        finally:
            archive.unlink(missing_ok=True)
        size, digest = target.stat().st_size, want.sha256
    else:
        got = fetch(address, target, want, patience=patience, progress=progress)
        size, digest = got.size, got.sha256
    record = {
        "address": address,
        "revision": got.revision or source.revision,
        "sha256": digest,
        "size": size,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    store.write_json(root / KEPT, dict(sorted({**kept(root), path: record}.items())))
    return Step(path, "downloaded", size, got.resumed)


def _member(archive: Path, target: Path, want: Pin) -> None:
    """Take the file with the wanted bytes out of an archive, whatever it is called there."""
    for _, file in unpack.files(archive):
        text = file.read()
        if hashlib.sha256(text).hexdigest() == want.sha256:
            with store.atomic(target, "wb") as out:
                out.write(text)
            return
    raise DataError(
        f"{archive.name}: no file in it has the sha256 {want.sha256[:12]}... of {target}"
    )


def _brought(source: Source, here: Path, root: Path, wanted: Iterable[str]) -> list[Step]:
    """Copies of what the mirror has of the wanted files, be it in archives or packed."""
    found, rest = list[Step](), list[str]()
    for path in wanted:
        at = standing(here, path)
        step = _right_copy(at, root / path, path) if at is not None and at.is_file() else None
        found += [step] if step else []
        rest += [] if step else [path]
    for name in source.members:
        archive = here / name
        if archive.is_file() and rest:
            found += _taken_out(archive, plain(name), root, set(rest))
    return found


def _taken_out(archive: Path, folder: str, root: Path, wanted: set[str]) -> list[Step]:
    found = []
    own = unpack.stem(archive.name) + "/"
    for name, file in unpack.files(archive):
        path = f"{folder}/{name.removeprefix('./').removeprefix(own)}"
        if path in wanted and (step := _saved(file, root / path, path)) is not None:
            found.append(step)
    return found


def _right_copy(at: Path, target: Path, path: str) -> Step | None:
    with store.open_binary(at) as file:
        return _saved(file, target, path)


def _saved(file: unpack.Readable, target: Path, path: str) -> Step | None:
    """Write the bytes if they are those that are meant; None if they are not, or none are known."""
    want, text = pin(plain(path)), file.read()
    if not want.sha256 or hashlib.sha256(text).hexdigest() != want.sha256:
        return None
    with store.atomic(target, "wb") as out:
        out.write(text)
    return Step(path, "copied", len(text))


def _copied(at: Path, target: Path, path: str) -> Step:
    """A file or folder of the mirror, as it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if at.is_dir():
        shutil.copytree(at, target, dirs_exist_ok=True)
    else:
        with at.open("rb") as file, store.atomic(target, "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    return Step(path, "copied", _size(target))


def _name(path: str, at: Path) -> str:
    """What the copy of a file is called: as in the table, packed as it is now."""
    if at.is_dir():
        return plain(path)
    packed = at.name.endswith(".gz")
    return path if packed or not path.endswith(".gz") else plain(path)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size


def total(source: Source) -> tuple[int, int]:
    """Bytes that are known of its download, and how many files have no known size."""
    if source.wheel:
        return source.wheel.size, 0
    sizes = [pin(plain(p)).size for p in source.upstream or dict.fromkeys(source.files)]
    return sum(s for s in sizes if s is not None), sizes.count(None)
