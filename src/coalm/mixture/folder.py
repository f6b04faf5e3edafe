"""Building a data folder: choose, split, shuffle, write, and say what was done.

The same recipe on the same files gives the same bytes, whatever the number of processes:
there is no clock and no machine in them. The folder appears whole under its name or not
at all, and memory does not grow with it: see `work` for how rows wait on disk.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import coalm
from coalm import models, recipe, store
from coalm.corpora.chunks import Fault
from coalm.crew import Crew
from coalm.errors import DataError, RecipeError
from coalm.formats import format_of
from coalm.mixture import lengths, near, writing
from coalm.mixture import manifest as paper
from coalm.mixture.choice import Choice, Chooser, Progress
from coalm.mixture.decontaminate import HeldOut, hold_out
from coalm.mixture.manifest import Manifest, PartReport
from coalm.mixture.readers import corpus, files, licences, located
from coalm.mixture.settings import DataSettings, Part
from coalm.mixture.work import Plan, within
from coalm.sources import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Note = Callable[[str], None]

LEFT_OUT, ERRORS = "left_out.jsonl", "errors.jsonl"
"""The rows that were looked at and left out, and the records that were broken."""


def build(
    settings: DataSettings,
    out: Path,
    *,
    held_out: Mapping[str, Iterable[str]] | None = None,
    processes: int = 1,
    progress: Progress | None = None,
    note: Note = lambda _: None,
) -> Manifest:
    """Build the data folder `out`; returns what its manifest says.

    `held_out` gives the texts of each benchmark that must not be trained on. A folder that
    is no data folder is never replaced.
    """
    check(settings)
    _free(out)
    found = [located(part, settings, note) for part in settings.parts]
    for said in dict.fromkeys(one.describe() for one in found):
        note(said)
    held = hold_out(held_out or {}, settings.decontaminate_ngram)
    plan = Plan(settings, _tokenizer(settings.tokenizer, note), held, _contexts(settings, found))
    silent = progress or _silent
    with store.appearing(out) as folder, Crew(plan, processes) as crew:
        spills = folder / "spills"
        spills.mkdir()
        chooser = Chooser(plan, crew, spills, silent)
        choices = [_chosen(chooser, n, one, note) for n, one in enumerate(found)]
        sides = _split([choice.index for choice in choices], settings)
        for split, index in sides.items():
            plans = writing.planned(split, index, folder, spills, settings.shard_rows)
            for done, _ in enumerate(crew.map(writing.written, plans), 1):
                silent(f"{split}: files", done, len(plans))
        shutil.rmtree(spills)
        _write_lists(folder, chooser, choices)
        reports = tuple(
            _report(part, one, choice, chooser, sides["valid"])
            for part, one, choice in zip(settings.parts, found, choices, strict=True)
        )
        made = _manifest(settings, held, reports, choices, folder, len(chooser.faults))
        paper.write(folder, made)
    return made


def _chosen(chooser: Chooser, number: int, found: Found, note: Note) -> Choice:
    choice = chooser.choose(number, found)
    part = chooser.settings.parts[number]
    if part.rows is not None and len(choice.index) < part.rows:
        note(f"{part.corpus}: {len(choice.index):,} rows, not the {part.rows:,} asked for")
    return choice


def _contexts(settings: DataSettings, found: Sequence[Found]) -> dict[tuple[int, int], object]:
    """What each reader must know of the whole of its source; read once for a part's streams."""
    contexts: dict[tuple[int, int], object] = {}
    for number, part in enumerate(settings.parts):
        made: dict[object, object] = {}
        for stream, one in enumerate(corpus(part.corpus).streams(part)):
            if one.context not in made:
                made[one.context] = one.context(found[number], part)
            contexts[number, stream] = made[one.context]
    return contexts


def _split(
    chosen: "Sequence[NDArray[np.void]]", settings: DataSettings
) -> "dict[str, NDArray[np.void]]":
    """The rows of training and of validation: whole groups, one at least if any are wanted."""
    import numpy as np

    index = np.concatenate(chosen)
    if not len(index):
        raise DataError("nothing is left of the mixture; see `longest` and the parts' rows")
    groups = np.unique(index["group"])  # seeded hashes, so their order is a shuffle
    wanted = 0
    if settings.valid_share and len(groups) > 1:
        wanted = max(1, round(settings.valid_share * len(groups)))
    valid = np.isin(index["group"], groups[:wanted])
    return {"train": index[~valid], "valid": index[valid]}


def _write_lists(folder: Path, chooser: Chooser, choices: Sequence[Choice]) -> None:
    gone = [asdict(one) for choice in choices for one in choice.left_out]
    store.append(folder / LEFT_OUT, gone)
    if chooser.faults:
        faults = [Fault(within(fault.place), fault.why) for fault in chooser.faults]
        store.append(folder / ERRORS, map(asdict, faults))


def _manifest(
    settings: DataSettings,
    held: HeldOut,
    parts: tuple[PartReport, ...],
    choices: Sequence[Choice],
    folder: Path,
    errors: int,
) -> Manifest:
    gone = Counter(one.reason for choice in choices for one in choice.left_out)
    return Manifest(
        made_by=_made_by(),
        recipe=recipe.resolved(settings),
        recipe_hash=recipe_hash(settings),
        parts=parts,
        train=sum(p.train for p in parts),
        valid=sum(p.valid for p in parts),
        tokens=sum(p.tokens for p in parts),
        learned=sum(p.learned for p in parts),
        decontamination={
            "ngram": settings.decontaminate_ngram,
            "benchmarks": {
                name: {"texts": count, "dropped": gone[f"repeats {name}"]}
                for name, count in held.texts.items()
            },
        },
        files={p.name: store.sha256(p) for p in sorted(folder.glob("*.parquet"))},
        errors=errors,
        left_out=LEFT_OUT,
    )


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
        == [files(part, located(part, settings)) for part in settings.parts]
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
    if settings.near_duplicates:
        near.available()
    for part in settings.parts:
        if not corpus(part.corpus).streams(part):
            raise RecipeError(
                f"data: parts: {part.corpus} is not in the paper's mixture; form: conversation"
            )
        located(part, settings)
        for name in part.dialect.split(","):
            if name.strip():
                format_of(settings.layout, name.strip())


def _report(
    part: Part, found: Found, choice: Choice, chooser: Chooser, valid: "NDArray[np.void]"
) -> PartReport:
    import numpy as np

    index = choice.index
    names = {number: name for name, number in chooser.subsets.items()}
    subsets = Counter(names[n] for n in index["subset"].tolist())
    bins = Counter(map(lengths.bin_of, index["tokens"].tolist()))
    held = int(np.isin(index["group"], np.unique(valid["group"])).sum())
    return PartReport(
        corpus=part.corpus,
        title=found.source.title,
        address=found.source.address,
        licences=licences(part, found),
        origin=found.origin,
        partial=found.lacking,
        files=files(part, found),
        read=choice.samples,
        skipped=dict(sorted(choice.skipped.items())),
        dropped=dict(sorted(Counter(one.reason for one in choice.left_out).items())),
        subsets=dict(sorted(subsets.items())),
        train=len(index) - held,
        valid=held,
        tokens=int(index["tokens"].sum()),
        learned=int(index["learned"].sum()),
        lesson="" if part.lesson == "calls" else part.lesson,
        lengths=dict(sorted(bins.items())),
    )


def _tokenizer(name: str, note: Note) -> Path | None:
    return None if name == "bytes" else models.folder(name, note)


def _made_by() -> str:
    return f"coalm {coalm.__version__}"


def _free(out: Path) -> None:
    if out.exists() and not (out / paper.NAME).exists() and (out.is_file() or any(out.iterdir())):
        raise DataError(f"{out} is there and is no data folder; choose another name")


def _silent(_what: str, _done: int, _of: int | None) -> None:
    """No progress bar."""
