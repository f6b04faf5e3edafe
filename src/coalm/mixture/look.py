"""Rows of a data folder to look at: chosen by corpus, id or words, or drawn at random."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import shards, store
from coalm.errors import DataError, unknown
from coalm.mixture.manifest import read_manifest
from coalm.mixture.stats import rows
from coalm.mixture.work import LeftOut
from coalm.types import Assistant, Sample, ToolCall


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows to show."""

    corpus: str = ""
    id: str = ""
    """The whole id, or how it begins."""
    words: str = ""
    """Text that a turn or a call must hold, whatever its case."""
    split: str = ""

    def fits(self, row: dict[str, Any]) -> bool:
        """Whether a raw row is wanted."""
        return (
            (not self.corpus or row.get("corpus") == self.corpus)
            and (not self.id or str(row.get("id")).startswith(self.id))
            and (not self.words or self._says(row))
        )

    def _says(self, row: dict[str, Any]) -> bool:
        words = self.words.casefold()
        # Cheap first: the longest word, which JSON writes as it is.
        longest = max(re.findall(r"\w+", words), key=len, default="")
        if longest not in str(row["turns"]).casefold():
            return False
        return words in spoken(store.load_sample(row)).casefold()


def spoken(sample: Sample) -> str:
    """All that is said, thought, called and observed in a row, one thing a line."""
    lines = []
    for turn in sample.dialogue.turns:
        if isinstance(turn, Assistant):
            lines += [turn.thought, *map(called, turn.calls)]
        lines.append(turn.text)
    return "\n".join(lines)


def look(folder: Path, wanted: Wanted, limit: int, seed: int | None = None) -> list[Sample]:
    """The first `limit` rows that are wanted, or with a seed that many drawn evenly from all.

    A `DataError` where none fits.
    """
    manifest = read_manifest(folder)
    if wanted.split and wanted.split not in shards.SPLITS:
        raise DataError(unknown("split", wanted.split, shards.SPLITS))
    splits = (wanted.split,) if wanted.split else shards.SPLITS
    found: list[tuple[str, dict[str, Any]]] = []
    dice, fitting = random.Random(seed), 0
    for place, row in rows(folder, splits):
        try:
            fits = wanted.fits(row)
        except (KeyError, DataError) as e:
            raise DataError(f"{place}: {e}") from None
        if not fits:
            continue
        fitting += 1
        if len(found) < limit:
            found.append((place, row))
        elif seed is None:
            break
        elif (at := dice.randrange(fitting)) < limit:
            found[at] = place, row  # every row that fits is as likely to stay
    if not found:
        raise DataError(_nothing(folder, wanted, {part.corpus for part in manifest.parts}))
    return [_loaded(place, row) for place, row in found]


def _loaded(place: str, row: dict[str, Any]) -> Sample:
    try:
        return store.load_sample(row)
    except DataError as e:
        raise DataError(f"{place}: {e}") from None


def _nothing(folder: Path, wanted: Wanted, corpora: set[str]) -> str:
    if wanted.corpus and wanted.corpus not in corpora:
        return f"{folder}: {unknown('corpus', wanted.corpus, corpora)}"
    asked = [
        f"{name} {value!r}"
        for name, value in (
            ("corpus", wanted.corpus),
            ("id", wanted.id),
            ("the words", wanted.words),
            ("split", wanted.split),
        )
        if value
    ]
    return f"{folder} has no row with {' and '.join(asked)}" if asked else f"{folder} has no rows"


def called(call: ToolCall) -> str:
    """A call as it is shown: `name(key="value", other=2)`, values as JSON."""
    said = [f"{key}={json.dumps(v, ensure_ascii=False)}" for key, v in call.arguments.items()]
    return f"{call.name}({', '.join(said)})"


# --- what was left out --------------------------------------------------------------------


def left_out(
    folder: Path, *, reason: str = "", corpus: str = "", id: str = ""
) -> Iterator[LeftOut]:
    """The rows that were left out, whose reason holds the words `reason`.

    A `DataError` where the folder keeps no list of them.
    """
    name = read_manifest(folder).left_out
    if not name:
        raise DataError(
            f"{folder} keeps no list of what was left out; README.md counts it by reason"
        )
    path = folder / name
    if not path.is_file():
        raise DataError(f"{path} is missing; build the folder anew")
    for number, row in store.read_jsonl(path):
        if missing := [n for n in ("id", "corpus", "reason") if n not in row]:
            raise DataError(f"{path}:{number}: a line lacks {missing[0]!r}")
        one = LeftOut(
            str(row["id"]),
            str(row["corpus"]),
            str(row["reason"]),
            _said(row.get("evidence")),
            _said(row.get("place")),
        )
        if (
            reason.casefold() in one.reason.casefold()
            and (not corpus or one.corpus == corpus)
            and one.id.startswith(id)
        ):
            yield one


def _said(value: Any) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""
    )
