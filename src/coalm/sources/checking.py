"""What is on this machine of a source, file by file: present, whole, of the right bytes."""

import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coalm import store
from coalm.errors import DataError
from coalm.sources import unpack
from coalm.sources.gates import refusal
from coalm.sources.getting import expected
from coalm.sources.model import Found, Origin, Source, plain
from coalm.sources.pins import Pin, pin
from coalm.sources.places import cache, downloads, mirror, standings

State = Literal["here", "partly here", "off", "not here", "broken"]

LONGEST = 256 << 20
"""Bytes of a JSON file whose records are counted by parsing it."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a source is and how much of it."""

    source: Source
    state: State
    origin: Origin | None = None
    root: Path | None = None
    said: str = ""
    """What is lacking, or why it is off."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file, and whether it is as it should be."""

    path: str
    sound: bool
    said: str
    at: Path | None = None


def presence(source: Source, allow: Collection[str] = ()) -> Presence:
    """Where a source is; nothing is downloaded for it."""
    from coalm.sources.finding import existing

    refused = refusal(source, allow)
    try:
        found = existing(source, allow)
    except DataError as e:
        return Presence(source, "broken", said=str(e))
    if found is None:
        return Presence(source, "not here", said=refused)
    state: State = "off" if refused else "partly here" if found.lacking else "here"
    return Presence(source, state, found.origin, found.root, refused or found.lacking)


def check(source: Source) -> Iterator[Verdict]:
    """A verdict for each file that is on this machine; nothing where there is none.

    What is missing of an archive is no fault but said; wrong bytes are one.
    """
    if source.wheel:
        yield from _wheel(source)
        return
    for root in (mirror(), downloads()):
        if root is None or not root.is_dir():
            continue
        try:
            stands = standings(source, root)
        except DataError as e:
            yield Verdict(", ".join(source.files), False, str(e), root)
            continue
        if stands.places and stands.absent:
            for path in stands.absent:
                yield Verdict(path, False, f"missing from {root}")
        for path, at in stands.places.items():
            if _another_form(source, stands.places):
                yield Verdict(path, at.is_file(), f"{at.name} of a release; not pinned", at)
                continue
            found = Found(source, root, "mirror", stands.places, stands.missing)
            yield from _verdicts(found, path, at)


def _another_form(source: Source, places: Mapping[str, Path]) -> bool:
    """Whether the files are of another layout, whose bytes are not those that are pinned."""
    return any(
        path in source.inside and plain(at.name) != Path(plain(path)).name
        for path, at in places.items()
    )


def _verdicts(found: Found, path: str, at: Path) -> Iterator[Verdict]:
    members = found.source.members.get(path)
    if members is None:
        yield _verdict(found.root, path, at)
        return
    try:
        found_members = dict(_inside(at))
    except DataError as e:
        yield Verdict(path, False, str(e), at)
        return
    wrong, records = list[Verdict](), 0
    for name in members:
        if name in found_members:
            one = _judged(f"{plain(path)}/{name}", found_members[name], found.root, at)
            records += found_members[name].rows if name != "schema.json" else 0
            wrong += [] if one.sound else [one]
    yield from wrong
    there = len([n for n in members if n in found_members and n != "schema.json"])
    of = len([n for n in members if n != "schema.json"])
    if not wrong:
        said = f"{there} of {of} {found.source.noun}, {records:,} dialogues"
        yield Verdict(
            path, "schema.json" in found_members or "schema.json" not in members, said, at
        )


@dataclass(frozen=True, slots=True)
class _Content:
    sha256: str
    size: int
    rows: int


def _inside(at: Path) -> Iterator[tuple[str, _Content]]:
    """Every file of an archive or a folder, by its name there."""
    if at.is_dir():
        for path in sorted(at.rglob("*.json")):
            with path.open("rb") as raw:
                yield str(path.relative_to(at)), _content(raw, path.name)
        return
    own = unpack.stem(at.name) + "/"
    for name, file in unpack.files(at):
        short = name.removeprefix("./").removeprefix(own)
        yield short, _content(file, short)


def _verdict(root: Path, path: str, at: Path) -> Verdict:
    try:
        if at.is_dir():
            return Verdict(path, True, "a folder; its bytes are not pinned", at)
        with store.open_binary(at) as file:
            return _judged(path, _content(file, at.name), root, at)
    except (OSError, EOFError, ValueError) as e:
        return Verdict(path, False, f"not readable: {e}", at)


def _judged(path: str, found: _Content, root: Path, at: Path) -> Verdict:
    want = pin(plain(path))
    if not want.sha256:
        want = expected(root, path)
    why = _wrong(found, want)
    if why:
        return Verdict(path, False, why, at)
    rows = f", {found.rows:,} records" if found.rows >= 0 else ""
    held = "sha256 right" if want.sha256 else "no checksum is known"
    return Verdict(path, True, f"{held}{rows}", at)


def _wrong(found: _Content, want: Pin) -> str:
    if found.rows < -1:
        return "not readable as JSON"
    if want.sha256 and found.sha256 != want.sha256:
        rows = f" and {found.rows:,} records, not {want.rows:,}" if want.rows else ""
        same = rows if found.rows not in {-1, want.rows} else ""
        return f"has sha256 {found.sha256[:12]}..., not {want.sha256[:12]}...{same}"
    if want.rows is not None and found.rows not in {-1, want.rows}:
        return f"{found.rows:,} records, not {want.rows:,}"
    return ""


def _content(file: unpack.Readable, name: str) -> _Content:
    """Checksum, size and number of records; -1 where they cannot be counted, -2 if torn."""
    digest, size, held = hashlib.sha256(), 0, io.BytesIO()
    while block := file.read(1 << 20):
        digest.update(block)
        size += len(block)
        if size <= LONGEST:
            held.write(block)
    rows = _rows(held.getvalue(), plain(name)) if size <= LONGEST else -1
    return _Content(digest.hexdigest(), size, rows)


def _rows(text: bytes, name: str) -> int:
    if name.endswith(".jsonl"):
        return sum(1 for line in text.split(b"\n") if line.strip())
    if not name.endswith(".json"):
        return -1
    if name.startswith("dialogues_") or "/dialogues_" in name:
        # SGD's half a gigabyte is not parsed to be counted; its checksums say that it is whole.
        return text.count(b'"dialogue_id"') if text.rstrip().endswith(b"]") else -2
    try:
        whole = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return -2
    if isinstance(whole, dict) and len(whole) == 1:  # as SNIPS writes its intents
        whole = next(iter(whole.values()))
    return len(whole) if isinstance(whole, list | dict) else -1


def _wheel(source: Source) -> Iterator[Verdict]:
    assert source.wheel is not None
    stem = f"{source.wheel.package.replace('-', '_')}-{source.wheel.version}-"
    for path in sorted((cache() / "wheels").glob(f"{stem}*.whl")):
        digest = store.sha256(path)
        sound = digest == source.wheel.sha256
        wrong = f"has sha256 {digest[:12]}..., not {source.wheel.sha256[:12]}..."
        yield Verdict(path.name, sound, "sha256 right" if sound else wrong, path)
