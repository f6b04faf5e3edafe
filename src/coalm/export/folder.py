"""The folder of an export: rows, a card, what the readers want beside them, and a mark.

`export.json` marks it as ours: a folder that holds anything else is left alone. The whole
takes its name at once, or nothing of it does.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from coalm import shards, store
from coalm.errors import DataError, RecipeError, unknown
from coalm.export.base import Manner, Target, Unsaid
from coalm.export.page import page
from coalm.export.rowfile import FORMS, Form, rows_into

MARK = "export.json"

Progress = Callable[[int], None]
"""Samples written so far."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The data folder of an export, as its page speaks of it."""

    name: str
    made_by: str
    recipe_hash: str
    licences: Mapping[str, tuple[str, ...]]
    """Licence -> the corpora that it covers."""
    hub_licences: tuple[str, ...]
    """The same as a dataset card names them."""


@dataclass(slots=True)
class Exported:
    """What came of an export."""

    folder: Path
    files: dict[str, str] = field(default_factory=dict)
    """Split -> its file; a split without rows has none."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by split."""
    samples: Counter[str] = field(default_factory=Counter)
    """Samples that they were made of, by split."""
    unsaid: Counter[str] = field(default_factory=Counter)
    """Samples that the target has no words for, by reason."""
    remarks: Counter[str] = field(default_factory=Counter)
    """Samples about which a reader should know something, by what."""
    beside: tuple[str, ...] = ()
    """The other files."""


def export(
    data: Path,
    out: Path,
    target: Target,
    origin: Origin,
    *,
    manner: Manner | None = None,
    splits: Sequence[str] = shards.SPLITS,
    limit: int | None = None,
    form: Form = "jsonl",
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Exported:
    """Write `out` from the data folder `data`; returns what could be said and what not.

    `limit` is for each split. An `out` that is there is replaced if it is an earlier export as
    it was written; with `force` the export's files are put among whatever else it holds.
    """
    manner = manner or Manner()
    for split in splits:
        if split not in shards.SPLITS:
            raise DataError(unknown("split", split, shards.SPLITS))
        shards.shards(data, split)
    if form not in FORMS:
        raise RecipeError(unknown("file format", form, FORMS))
    foreign = _free(out, force=force)
    with store.appearing(out, last=MARK if foreign else "") as draft:
        made = Exported(out)
        for split in splits:
            _split(data, split, draft, made, target, manner, limit, form, progress)
        if not made.files:
            raise DataError(f"nothing of {data} can be said as {target.name}: {_why(made)}")
        _beside(draft, made, target, origin, manner)
    return made


def _split(
    data: Path,
    split: str,
    draft: Path,
    made: Exported,
    target: Target,
    manner: Manner,
    limit: int | None,
    form: Form,
    progress: Progress,
) -> None:
    """One split into one file; none where it holds no row, since no reader takes an empty one."""
    path = draft / f"{split}.{form}"
    with rows_into(path, form, target.columns) as take:
        for sample in islice(shards.read_split(data, split), limit):
            said = target.say(sample, manner)
            if isinstance(said, Unsaid):
                made.unsaid[said.reason] += 1
            else:
                for row in said.rows:
                    take(row)
                made.rows[split] += len(said.rows)
                made.samples[split] += 1
                made.remarks.update(said.remarks)
            done = made.samples.total() + made.unsaid.total()
            if done % 500 == 0:
                progress(done)
    if made.rows[split]:
        made.files[split] = path.name
    else:
        path.unlink()


def _beside(draft: Path, made: Exported, target: Target, origin: Origin, manner: Manner) -> None:
    """The page, what the readers want beside the rows, and the mark, which lists them all."""
    name = re.sub(r"\W+", "_", origin.name).strip("_") or "coalm"
    texts = {
        **target.beside(name, made.files),
        "README.md": page(
            target,
            origin.name,
            f"{origin.made_by}, recipe {origin.recipe_hash}",
            origin.licences,
            origin.hub_licences,
            made.files,
            made.rows,
            made.unsaid,
            made.remarks,
        ),
    }
    for file, text in texts.items():
        store.write_text(draft / file, text)
    made.beside = tuple(texts)
    store.write_json(
        draft / MARK,
        {
            "target": target.name,
            "from": {
                "folder": origin.name,
                "made_by": origin.made_by,
                "recipe": origin.recipe_hash,
            },
            "dialect": manner.dialect,
            "thoughts": manner.thoughts,
            "rows": dict(made.rows),
            "samples": dict(made.samples),
            "left_out": dict(made.unsaid.most_common()),
            "remarks": dict(made.remarks.most_common()),
            "files": {p.name: store.sha256(p) for p in sorted(draft.iterdir())},
        },
    )


def _why(made: Exported) -> str:
    reasons = [f"{reason} ({n:,})" for reason, n in made.unsaid.most_common(3)]
    return "; ".join(reasons) or "it has no rows"


# --- whose folder it is -------------------------------------------------------------------


def _free(out: Path, *, force: bool) -> bool:
    """Whether `out` holds what is not ours; a `DataError` if it does and nobody insists."""
    if out.suffix in {".jsonl", ".json", ".parquet"}:
        raise DataError(f"{out}: an export is a folder; its rows are in it as train{out.suffix}")
    if not out.parent.is_dir():
        raise DataError(f"{out.parent} is not there; make it first, or choose another --out")
    if not out.exists():
        return False
    if not out.is_dir():
        raise DataError(f"{out} is a file; an export is a folder")
    found = {path.name for path in out.iterdir()}
    if not found:
        return False
    why = _not_ours(out, found)
    if why and not force:
        raise DataError(f"{out} {why}; choose another --out, or --force to write into it")
    return bool(why)


def _not_ours(out: Path, found: set[str]) -> str:
    """Why a folder is not an earlier export as it was written; empty if it is one."""
    if MARK not in found:
        return f"is there and has no {MARK}, so it is not an earlier export"
    listed = store.read_json(out / MARK)
    files = listed.get("files") if isinstance(listed, dict) else None
    if not isinstance(files, dict):
        return f"has a {MARK} that is not ours"
    for name in sorted(found - {MARK}):
        if name not in files:
            return f"also holds {name!r}, which no export wrote"
        if store.sha256(out / name) != files[name]:
            return f"has a {name!r} that was changed since it was exported"
    return ""
