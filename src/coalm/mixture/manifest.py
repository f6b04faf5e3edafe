"""What a data folder says of itself: `manifest.json` for programs, `README.md` for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coalm import store
from coalm.errors import DataError

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


_ADAPTER = TypeAdapter(Manifest)


def write(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` and `README.md`."""
    store.write_json(folder / NAME, _ADAPTER.dump_python(manifest, mode="json"))
    store.write_text(folder / "README.md", card(manifest))


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


def card(manifest: Manifest) -> str:
    """The folder's README: what is in it, from where, under which licences, with what care."""
    lines = [
        "# Data card",
        "",
        f"Made by {manifest.made_by}, recipe {manifest.recipe_hash}. {manifest.train:,} rows for "
        f"training, {manifest.valid:,} for validation; {manifest.tokens:,} tokens, of which "
        f"{manifest.learned:,} are learned (tokenizer {manifest.recipe['tokenizer']}, layout "
        f"{manifest.recipe['layout']}).",
        "",
        "| corpus | source | licence | train | valid | tokens a row | learned |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
        *(_row(part) for part in manifest.parts),
        "",
        *_section("Read with care", _warnings(manifest)),
        *_section("Left out", _left_out(manifest)),
        *_section("Kept out of training", _held_out(manifest)),
        "Rows are JSON in parquet columns: `id`, `corpus`, `group`, `dialect`, `turns`, `tools`. "
        "Rows of one group come from one source dialogue and stay on one side of the split.",
    ]
    return "\n".join(lines) + "\n"


def _row(part: PartReport) -> str:
    mean = part.tokens / part.kept if part.kept else 0
    share = part.learned / part.tokens if part.tokens else 0
    cells = (
        part.corpus,
        f"{part.title} ({part.address})",
        ", ".join(part.licences),
        f"{part.train:,}",
        f"{part.valid:,}",
        f"{mean:,.0f}",
        f"{share:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def _warnings(manifest: Manifest) -> list[str]:
    found = []
    for part in manifest.parts:
        if part.origin == "miniature":
            found.append(f"{part.corpus}: the bundled MINIATURE, good for trying out only.")
        elif part.partial:
            found.append(f"{part.corpus}: partial, {part.partial}.")
        found += [
            f"{part.corpus}: {licence} forbids commercial use."
            for licence in part.licences
            if "-NC" in licence
        ]
        found += [
            f"{part.corpus}: {licence} asks for the same licence on what is made of it."
            for licence in part.licences
            if "-SA" in licence
        ]
    return list(dict.fromkeys(found))


def _left_out(manifest: Manifest) -> list[str]:
    return [
        f"{part.corpus}: {count:,} x {reason}"
        for part in manifest.parts
        for reason, count in (*part.skipped.items(), *part.dropped.items())
    ]


def _held_out(manifest: Manifest) -> list[str]:
    held: Mapping[str, Mapping[str, int]] = manifest.decontamination.get("benchmarks", {})
    ngram = manifest.decontamination.get("ngram", 0)
    return [
        f"{name}: {counts['texts']:,} texts compared by {ngram} words in a row; "
        f"{counts['dropped']:,} rows dropped"
        for name, counts in held.items()
    ] or ["Nothing was held out."]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""] if lines else []
