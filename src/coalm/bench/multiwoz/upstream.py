"""MultiWOZ as its authors lay it out: dialogues with goals, metadata and acts, by split.

Two layouts are read. A release (2.1, 2.4) holds `data.json`, the lists of test and
validation ids, `ontology.json` and the databases, in a folder or a zip. `COALM_DATA` holds
the test and validation dialogues of 2.1 as zips of their own. Goals are the same in both
versions; states differ (see `upstream_states`).
"""

import io
import json
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coalm.errors import DataError
from coalm.sources import Found, cache
from coalm.sources.unpack import is_archive, unpacked

Split = Literal["train", "val", "test"]

RELEASED = "data.json"
"""The file that makes a folder a release."""
STATES = "multiwoz/mwz24/test_states.jsonl.gz"
"""Where `Found` has the test states; in a release, its `data.json`."""

_LISTS: Mapping[str, tuple[str, ...]] = {
    split: tuple(
        f"{split}List{word}.{ending}" for word in ("File", "") for ending in ("json", "txt")
    )
    for split in ("test", "val")
}
"""Names of the lists of ids: they vary between releases."""
_FILES = {"test": "multiwoz/mwz21/test.json", "val": "multiwoz/mwz21/val.json"}
"""The files of `COALM_DATA`, zipped or not."""
_TORN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Upstream:
    """One dialogue as it was published."""

    id: str
    """Lower case and without `.json`, such as `sng0073`."""
    name: str
    """As the file has it, without `.json`, such as `SNG0073`."""
    goal: Mapping[str, Any]
    """What the user was told to do, by domain; `message` says it in words."""
    log: tuple[Mapping[str, Any], ...]
    """Turns, the user's first: `text`, `metadata` (the state, on the system's), acts."""


def dialogues(found: Found, split: Split) -> Iterator[Upstream]:
    """The dialogues of a split, in the order of their file.

    Of the release if the source is one, else of `COALM_DATA`'s zips; a `DataError` says what
    is not there or not readable.
    """
    place = release(found)
    if place is not None:
        yield from released(place, split)
        return
    relative = _FILES.get(split, f"{RELEASED} of a release")
    paths = [found.path(f"{relative}.zip"), found.path(relative)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise DataError(
            f"{found.root} has no {split} dialogues of MultiWOZ: {relative} is not there; "
            "set COALM_DATA to a folder that has it, such as the release MULTIWOZ2.4"
        )
    yield from _dialogues(path, _text(path), None)


def release(found: Found) -> Path | None:
    """The folder of the release that a source is, or that lies in it; None if there is none."""
    states = found.path(STATES)
    if states.name == RELEASED:
        return states.parent
    near = (found.root, found.root / "multiwoz")
    names = ("MULTIWOZ2.4", "MultiWOZ2.4", "mwz2.4", "MULTIWOZ2.1")
    folders = [place / name for place in near for name in names]
    return next((p for p in folders if (p / RELEASED).is_file()), None)


def opened(path: Path) -> Path:
    """The folder of a release given as a folder or a zip, with or without a folder at its top."""
    if not path.exists():
        raise DataError(f"{path}: no such folder or zip")
    folder = unpacked(path, cache() / "unpacked") if is_archive(path) else path
    for pattern in (RELEASED, f"*/{RELEASED}", f"*/*/{RELEASED}"):
        inside = sorted(folder.glob(pattern))
        if inside:
            return inside[0].parent
    raise DataError(f"{path}: holds no {RELEASED}, so it is no release of MultiWOZ")


def released(folder: Path, split: Split) -> Iterator[Upstream]:
    """The dialogues of a split of a release, in the order of `data.json`."""
    listed = {name: _listed(folder, name) for name in ("test", "val")}
    path = folder / RELEASED
    text = _text(path)
    if split != "train":
        found = 0
        for dialogue in _dialogues(path, text, listed[split]):
            found += 1
            yield dialogue
        if found < len(listed[split]):
            raise DataError(
                f"{path}: holds {found} of the {len(listed[split])} dialogues that its "
                f"{split} list names; fetch it anew"
            )
        return
    held_out = listed["test"] | listed["val"]
    yield from (d for d in _dialogues(path, text, None) if d.id not in held_out)


def _listed(folder: Path, split: str) -> frozenset[str]:
    """The ids of a list, one a line or as JSON."""
    path = next((p for name in _LISTS[split] if (p := folder / name).is_file()), None)
    if path is None:
        raise DataError(f"{folder}: has no list of {split} ids, such as {_LISTS[split][0]}")
    text = _text(path).strip()
    try:
        names = json.loads(text) if text.startswith("[") else text.split()
    except ValueError as e:
        raise DataError(f"{path}: not a list of ids: {e}") from None
    ids = frozenset(_id(str(name)) for name in names)
    if not ids:
        raise DataError(f"{path}: names no dialogue")
    return ids


def _dialogues(path: Path, text: str, wanted: Collection[str] | None) -> Iterator[Upstream]:
    """The dialogues of a JSON object of them, one at a time: a release is 300 MB of text."""
    found: set[str] = set()
    for key, row in _members(path, text, wanted):
        try:
            log, goal = tuple(row["log"]), row["goal"]
            whole = all(isinstance(turn["text"], str) for turn in log) and isinstance(goal, dict)
        except (KeyError, TypeError, AttributeError) as e:
            raise DataError(f"{path}: {key} is not a MultiWOZ dialogue: {e!r}") from None
        if not whole:
            raise DataError(f"{path}: {key} is not a MultiWOZ dialogue: no goal or no text")
        if _id(key) in found:
            raise DataError(f"{path}: {key} is there twice")
        found.add(_id(key))
        yield Upstream(_id(key), key.removesuffix(".json"), goal, log)


def _members(path: Path, text: str, wanted: Collection[str] | None) -> Iterator[tuple[str, Any]]:
    """Key and value of each wanted member of the object that a text is, as they come."""
    try:
        for key, value in _pairs(text):
            if wanted is None or _id(key) in wanted:
                yield key, value
    except (ValueError, RecursionError) as e:
        raise DataError(f"{path}: not readable as JSON: {e}; fetch it anew") from None


def _pairs(text: str) -> Iterator[tuple[str, Any]]:
    """The members of a JSON object; a `ValueError` where it is none, or cut off."""
    decoder, at = json.JSONDecoder(), _blank(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not an object")
    at = _blank(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _blank(text, at)
        if not isinstance(key, str) or text[at : at + 1] != ":":
            raise ValueError(f"no name and value at character {at}")
        value, at = decoder.raw_decode(text, _blank(text, at + 1))
        yield key, value
        at = _blank(text, at)
        if text[at : at + 1] not in (",", "}"):
            raise ValueError(f"cut off or broken at character {at}")
        at = _blank(text, at + 1) if text[at] == "," else at


def _blank(text: str, at: int) -> int:
    """The next place that is no white space."""
    while text[at : at + 1] in (" ", "\n", "\r", "\t") and at < len(text):
        at += 1
    return at


def _text(path: Path) -> str:
    """The text of a file, or of the one JSON file in a zip."""
    try:
        if path.suffix != ".zip":
            return path.read_text(encoding="utf-8")
        with zipfile.ZipFile(path) as packed:
            names = [n for n in packed.namelist() if n.endswith(".json") and "__MACOSX" not in n]
            if len(names) != 1:
                raise DataError(f"{path}: holds {len(names)} JSON files, not one")
            with packed.open(names[0]) as file:
                return io.TextIOWrapper(file, encoding="utf-8").read()
    except (*_TORN, UnicodeDecodeError) as e:
        raise DataError(f"{path}: not readable: {e or type(e).__name__}; fetch it anew") from None


def _id(name: str) -> str:
    return name.strip().removesuffix(".json").lower()
