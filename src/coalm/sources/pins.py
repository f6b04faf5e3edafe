"""The bytes that are meant: size, sha256 and rows of each file, by path.

They are of the unpacked content, so that a file counts as the same whether it lies packed or
not. `pins.json` was computed from the files themselves; where only others have
published a checksum (ToolACE whole, xlam-irrelevance) it is theirs.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pin:
    """One file as it should be; what is not known is empty or None."""

    sha256: str = ""
    size: int | None = None
    rows: int | None = None
    lacks: tuple[str, ...] | None = None
    """For an archive: which of the members that it should hold it is known to lack."""
    commit: str = ""
    """Where the file is of another commit than its source."""


@cache
def pins() -> dict[str, Pin]:
    """Every pinned file by its path without packing; archives by their own path."""
    raw = json.loads(Path(__file__).with_name("pins.json").read_text(encoding="utf-8"))
    return {
        path: Pin(**(row | {"lacks": tuple(row["lacks"])} if "lacks" in row else row))
        for path, row in raw.items()
    }


def pin(path: str) -> Pin:
    """The pin of a file; an empty one where nothing is known."""
    return pins().get(path, Pin())
