"""A source on this machine: the mirror, else earlier downloads, a download, the miniature.

What is there only in part, or is off by its licence, is never taken in silence.
"""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from coalm.errors import DataError
from coalm.sources.gates import gates, named, refusal
from coalm.sources.getting import get
from coalm.sources.model import Found, Gate, Origin, Source
from coalm.sources.places import MINIATURE, Standing, cache, downloads, mirror, standings
from coalm.sources.registry import SOURCES
from coalm.sources.transfer import HASTE

Note = Callable[[str], object]


def find(
    name: str, *, partial: bool = True, allow: Collection[str] = (), note: Note = lambda _: None
) -> Found:
    """A source on this machine.

    With `partial`, a corpus that is partly there is taken and says what it lacks;
    without, it is completed by download or is a `DataError`. `allow` names the gates
    that are open: what is gated or non-commercial is never read otherwise. Where nothing real
    is to be had it is the bundled miniature, and a `DataError` if there is none.
    """
    source, open_gates = named(name), gates(allow)
    if source.wheel:
        return _package(source)
    here = list(_here(source))
    refused = refusal(source, open_gates)
    if here:
        if refused:
            raise DataError(refused)
        best, origin = _best(here)
        found = _found(source, best, origin, open_gates)
        if partial or not found.lacking:
            return found
        if not best.complete and (fetched := _fetched(source, open_gates, note)).real:
            return fetched
        raise DataError(_incomplete(found))
    if source.instead and list(_here(SOURCES[source.instead])):
        return find(source.instead, partial=partial, allow=allow, note=note)
    why = refused
    if not refused:
        found = _fetched(source, open_gates, note)
        if not found.real and source.instead:
            found = _fetched(SOURCES[source.instead], open_gates, note)
        if found.real:
            if found.lacking and not partial:
                raise DataError(_incomplete(found))
            return found
        why = found.why
    if all(Found(source, MINIATURE, "miniature").path(p).exists() for p in source.files):
        return Found(source, MINIATURE, "miniature", why=why)
    said = why or f"set COALM_DATA to a folder that has it, or: coalm data get {name}"
    raise DataError(f"{name} is not here and has no miniature; {said}")


def existing(source: Source, allow: Collection[str] = ()) -> Found | None:
    """What is on this machine of a source, even if it is off; None where there is nothing."""
    if source.wheel:
        found = _package(source)
        return found if found.real else None
    here = list(_here(source))
    return _found(source, *_best(here), gates(allow)) if here else None


def _best(here: list[tuple[Standing, Origin]]) -> tuple[Standing, Origin]:
    return min(here, key=lambda one: (not one[0].complete, len(one[0].missing)))


def _here(source: Source) -> Iterator[tuple[Standing, Origin]]:
    """Where files of the source are, the user's own folder first."""
    roots: list[tuple[Path | None, Origin]] = [(mirror(), "mirror"), (downloads(), "download")]
    for root, origin in roots:
        if root is not None and root.is_dir() and (found := standings(source, root)).there:
            yield found, origin


def _found(source: Source, best: Standing, origin: Origin, allow: tuple[Gate, ...]) -> Found:
    """The source as it stands, and those read along with it, where they are there and allowed."""
    places, off, absent = dict(best.places), dict[str, str](), list[str]()
    if source.whole and not best.sample:  # whoever asks for the sample is given the whole
        places = dict.fromkeys(source.files, best.places[source.whole[0]]) | places
    for other in map(SOURCES.__getitem__, source.beside):
        here = next((standing for standing, _ in _here(other)), None)
        refused = refusal(other, allow)
        if here is None:
            absent.append(f"{other.name} (not here)")
        elif refused:
            off |= dict.fromkeys(other.files, refused)
            absent.append(f"{other.name} (off: {' and '.join(other.gates)})")
        else:
            places |= here.places
    lacks = _share(source, best)
    if absent:
        lacks.append(f"without {' and '.join(absent)}")
    return Found(source, best.root, origin, places, best.missing, off, "; ".join(lacks))


def _share(source: Source, best: Standing) -> list[str]:
    """What of the whole is there, in words; nothing where all is."""
    expected = [m for names in source.members.values() for m in names if m != "schema.json"]
    lost = [m for m in best.missing if m != "schema.json"]
    said = [f"{len(expected) - len(lost)} of {len(expected)} {source.noun}"] if lost else []
    if len(lost) < len(best.missing):
        said.append("no schema.json")
    if source.partial and (best.sample or not source.whole):
        said.append(source.partial)
    return said


def _incomplete(found: Found) -> str:
    name = found.source.name
    more = f"get the rest with `coalm data get {name}`, or " if _has_more(found) else ""
    return f"{name} is partly there ({found.lacking}); {more}pass --partial or set partial: true"


def _has_more(found: Found) -> bool:
    """Whether a download would bring more of it."""
    source = found.source
    return bool(source.beside or found.missing or (source.whole and source.upstream))


def _fetched(source: Source, allow: tuple[Gate, ...], note: Note) -> Found:
    """The source by download; the miniature's folder and the reason where that fails."""
    none = Found(source, MINIATURE, "miniature")
    if not source.upstream or os.environ.get("COALM_OFFLINE"):
        return none
    try:
        note(f"{source.name}: downloading {len(source.upstream)} files to {downloads()}")
        get(source, allow=allow, patience=HASTE)
    except DataError as e:
        return Found(source, MINIATURE, "miniature", why=f"no download: {e}")
    best = standings(source, downloads())
    return _found(source, best, "download", allow) if best.there else none


def _package(source: Source) -> Found:
    """A source that is a package: its wheel in the cache, else the miniature."""
    known = source.wheel
    assert known is not None
    name = f"{known.package.replace('-', '_')}-{known.version}-"
    there = sorted((cache() / "wheels").glob(f"{name}*.whl"))
    if there:
        return Found(source, there[0].parent, "download", {source.name: there[0]})
    return Found(source, MINIATURE / source.name, "miniature")
