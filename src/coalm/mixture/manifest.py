"""What a data folder says of itself: `manifest.json` for programs, `README.md` for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coalm import store
from coalm.errors import DataError
from coalm.mixture import card

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class PartReport:
    """What became of one part of the recipe."""

    corpus: str
    title: str
    address: str
    licences: tuple[str, ...]
    origin: str
    """mirror, download or miniature."""
    partial: str
    """What the mirror lacks of the source; empty when it is complete."""
    files: Mapping[str, str]
    """sha256 by path of what was read."""
    read: int
    """Samples that the reader gave."""
    skipped: Mapping[str, int]
    """Source records that it left out, by reason."""
    dropped: Mapping[str, int]
    """Samples that were looked at and left out, by reason."""
    subsets: Mapping[str, int]
    """Kept rows by the first two words of their ids."""
    train: int
    valid: int
    tokens: int
    learned: int
    lesson: str = ""
    """What its rows teach, where that is not what the corpus is there for."""
    lengths: Mapping[int, int] = field(default_factory=dict)
    """Kept rows by length: the lower edge of a bin of `lengths.BIN` tokens -> rows."""

    @property
    def name(self) -> str:
        """The corpus, with the lesson where it has one."""
        return f"{self.corpus} ({self.lesson})" if self.lesson else self.corpus

    @property
    def kept(self) -> int:
        """Rows in the folder."""
        return self.train + self.valid


@dataclass(frozen=True, slots=True)
class Manifest:
    """A data folder's ancestors and contents."""

    made_by: str
    recipe: Mapping[str, Any]
    """The settings, every default included."""
    recipe_hash: str
    parts: tuple[PartReport, ...]
    train: int
    valid: int
    tokens: int
    learned: int
    decontamination: Mapping[str, Any]
    """The n-gram, and for each benchmark its texts and the rows dropped for it."""
    files: Mapping[str, str]
    """sha256 of the parquet files."""
    errors: int = 0
    """Records that were broken and left out; `errors.jsonl` lists them."""
    left_out: str = ""
    """The JSONL file beside it with id, corpus, reason and evidence of each row that was left
    out; empty where none was written."""


_ADAPTER = TypeAdapter(Manifest)


def write(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`, the card `README.md` and its pictures."""
    store.write_json(folder / NAME, _ADAPTER.dump_python(manifest, mode="json"))
    card.write(folder, manifest)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a data folder; a `DataError` if there is none or it is broken."""
    path = folder / NAME
    if not path.exists():
        raise DataError(f"{folder} has no {NAME}; build it with `coalm data build RECIPE`")
    try:
        return _ADAPTER.validate_python(store.read_json(path))
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{path}: {where}: {first['msg']}; build the folder anew") from None
