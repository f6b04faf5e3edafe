"""Building a data folder: choose, split, shuffle, write, and say what was done.

The same recipe on the same files gives the same bytes: there is no clock and no machine
in them. The folder appears whole under its name or not at all.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import coalm
from coalm import models, recipe, shards, store
from coalm.corpora.records import chance
from coalm.errors import DataError, RecipeError
from coalm.formats import Tokenizer, format_of
from coalm.formats.tokens import ByteTokenizer, open_tokenizer
from coalm.mixture import manifest as paper
from coalm.mixture.choice import Choice, Chooser, Measured, Progress
from coalm.mixture.decontaminate import hold_out
from coalm.mixture.manifest import Manifest, PartReport
from coalm.mixture.readers import files, licences, located
from coalm.mixture.settings import DataSettings, Part
from coalm.sources import Found

Note = Callable[[str], None]


def build(
    settings: DataSettings,
    out: Path,
    *,
    held_out: Mapping[str, Iterable[str]] | None = None,
    progress: Progress | None = None,
    note: Note = lambda _: None,
) -> Manifest:
    """Build the data folder `out`; returns what its manifest says.

    `held_out` gives the texts of each benchmark that must not be trained on. A folder that
    is no data folder is never replaced.
    """
    check(settings)
    _free(out)
    held = hold_out(held_out or {}, settings.decontaminate_ngram)
    chooser = Chooser(settings, _tokenizer(settings.tokenizer, note), held, progress or _silent)
    choices: list[tuple[Part, Found, Choice]] = []
    for part in settings.parts:
        found = located(part)
        note(found.describe())
        choice = chooser.choose(part, found)
        if part.rows is not None and len(choice.kept) < part.rows:
            note(f"{part.corpus}: {len(choice.kept):,} rows, not the {part.rows:,} asked for")
        choices.append((part, found, choice))
    rows = [row for _, _, choice in choices for row in choice.kept]
    if not rows:
        raise DataError("nothing is left of the mixture; see `longest` and the parts' rows")
    valid = _validation(rows, settings)
    with _appearing(out) as folder:
        for name, wanted in (("train", False), ("valid", True)):
            side = [r.sample for r in rows if (_group(r) in valid) == wanted]
            side.sort(key=lambda s: (s.id, s.dialect))
            random.Random(f"{settings.seed}/{name}").shuffle(side)
            shards.write_samples(folder / shards.shard_name(name, 0, 1), side)
        reports = tuple(_report(*one, valid) for one in choices)
        dropped = {
            name: {
                "texts": count,
                "dropped": sum(c.dropped[f"repeats {name}"] for _, _, c in choices),
            }
            for name, count in held.texts.items()
        }
        made = Manifest(
            made_by=_made_by(),
            recipe=recipe.resolved(settings),
            recipe_hash=recipe_hash(settings),
            parts=reports,
            train=sum(p.train for p in reports),
            valid=sum(p.valid for p in reports),
            tokens=sum(p.tokens for p in reports),
            learned=sum(p.learned for p in reports),
            decontamination={"ngram": settings.decontaminate_ngram, "benchmarks": dropped},
            files={p.name: store.sha256(p) for p in sorted(folder.glob("*.parquet"))},
        )
        paper.write(folder, made)
    return made


def is_current(out: Path, settings: DataSettings) -> bool:
    """Whether `out` already holds this recipe, made of these files by this version."""
    try:
        made = paper.read_manifest(out)
    except DataError:
        return False
    return (
        made.recipe_hash == recipe_hash(settings)
        and made.made_by == _made_by()
        and [dict(p.files) for p in made.parts]
        == [files(part, located(part)) for part in settings.parts]
        and all((out / name).is_file() for name in made.files)
    )


def recipe_hash(settings: DataSettings) -> str:
    """Changes with every setting but the folder's name."""
    plain = recipe.resolved(settings)
    return store.content_hash({name: plain[name] for name in plain if name != "out"})


def check(settings: DataSettings) -> None:
    """A `RecipeError` for what would only show after minutes of reading."""
    if not settings.parts:
        raise RecipeError("data: parts: the list is empty; name at least one corpus")
    format_of(settings.layout, settings.dialect)
    for part in settings.parts:
        located(part)
        for name in part.dialect.split(","):
            if name.strip():
                format_of(settings.layout, name.strip())


def _validation(rows: Sequence[Measured], settings: DataSettings) -> frozenset[str]:
    """The groups that go into validation: whole dialogues, at least one if any are wanted."""
    groups = sorted({_group(r) for r in rows}, key=lambda g: chance(settings.seed, g, "valid"))
    if not settings.valid_share or len(groups) < 2:
        return frozenset()
    return frozenset(groups[: max(1, round(settings.valid_share * len(groups)))])


def _group(row: Measured) -> str:
    return row.sample.group or row.sample.id


def _report(part: Part, found: Found, choice: Choice, valid: frozenset[str]) -> PartReport:
    subsets: dict[str, int] = {}
    for row in choice.kept:
        name = "/".join(row.sample.id.split("/")[:2])
        subsets[name] = subsets.get(name, 0) + 1
    held = sum(_group(row) in valid for row in choice.kept)
    return PartReport(
        corpus=part.corpus,
        title=found.source.title,
        address=found.source.address,
        licences=licences(part, found),
        origin=found.origin,
        partial=found.source.partial if found.real else "",
        files=files(part, found),
        read=choice.read,
        skipped=dict(sorted(choice.skipped.items())),
        dropped=dict(sorted(choice.dropped.items())),
        subsets=dict(sorted(subsets.items())),
        train=len(choice.kept) - held,
        valid=held,
        tokens=sum(row.tokens for row in choice.kept),
        learned=sum(row.learned for row in choice.kept),
    )


def _tokenizer(name: str, note: Note) -> Tokenizer:
    return ByteTokenizer() if name == "bytes" else open_tokenizer(models.folder(name, note))


def _made_by() -> str:
    return f"coalm {coalm.__version__}"


def _free(out: Path) -> None:
    if out.exists() and not (out / paper.NAME).exists() and (out.is_file() or any(out.iterdir())):
        raise DataError(f"{out} is there and is no data folder; choose another name")


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A folder that takes its name when the block ends well, and vanishes otherwise."""
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    draft.mkdir(parents=True)
    try:
        yield draft
        if out.exists():
            out.rename(old)
        draft.rename(out)
    finally:
        if old.exists() and not out.exists():
            old.rename(out)  # stopped between the two renames
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _silent(_what: str, _done: int, _of: int | None) -> None:
    """No progress bar."""
