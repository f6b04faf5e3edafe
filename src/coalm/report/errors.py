"""What went wrong in some runs: how often, why, what changed between them, and examples.

Everything is worked out here as values; `errors_pages` sets it as Markdown or HTML, the
command line on a terminal.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coalm.bench.kinds import MEANINGS
from coalm.errors import DataError, RecipeError, unknown
from coalm.report.compare import DASH, count, title
from coalm.report.errors_reading import RIGHT, lost, reading_rows
from coalm.report.errors_runs import Ran, read_runs
from coalm.report.moves import Moves, moves
from coalm.report.runs import Case

NOT_SCORED = "not answered (not scored)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which errors are looked at."""

    by_part: bool = False
    """Whether kinds are counted by part as well."""
    kind: str = ""
    """Examples of this kind alone; empty means of each."""
    part: str = ""
    """Cases of this part alone; empty means all."""
    examples: int = 1
    """Of each kind, and of what was fixed and broken."""
    seed: int = 0
    """Chooses the examples."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a header; the last columns hold what was counted."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    """How many columns, from the left, hold words rather than counts."""


@dataclass(frozen=True, slots=True)
class Example:
    """A case, as the last of the runs answered it."""

    why: str
    """What it is an example of: a kind, or `broken: ...`, `fixed: ...`."""
    label: str
    case: Case
    before: Case | None = None
    """What the first run made of it, where there are several."""
    before_label: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark."""

    name: str
    title: str
    runs: tuple[Ran, ...]
    extents: tuple[str, ...]
    """A sentence for each run: what it is, how many cases it has, what is odd about it."""
    tables: tuple[Table, ...]
    moves: tuple[Moves, ...]
    """From the first run to each other one."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Errors:
    """What went wrong, benchmark by benchmark."""

    sections: tuple[Section, ...]
    asked: Asked


def errors(named: Sequence[Path], asked: Asked | None = None) -> Errors:
    """What went wrong in the runs that these folders hold.

    A `RecipeError` for a kind or a part that there is none of, a `DataError` for a folder
    or a file that cannot be used.
    """
    asked = asked or Asked()
    if asked.kind and asked.kind not in MEANINGS:
        raise RecipeError(unknown("kind of error", asked.kind, MEANINGS))
    runs = read_runs(named)
    parts = {part for run in runs for part in run.parts}
    if asked.part and asked.part not in parts:
        raise RecipeError(unknown("part", asked.part, parts))
    by_name: dict[str, list[Ran]] = {}
    for run in runs:
        kept = run.only(asked.part)
        if kept.cases or kept.lost or not asked.part:
            by_name.setdefault(run.name, []).append(kept)
    sections = tuple(_section(name, same, asked) for name, same in by_name.items())
    if asked.kind and asked.examples and not any(section.examples for section in sections):
        told = f" in {asked.part}" if asked.part else ""
        raise DataError(f"no case of the kind {asked.kind!r}{told} in these runs")
    return Errors(sections, asked)


def kind_rows(
    counted: Sequence[Counter[str] | None], lost: Sequence[int | None]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """`right`, then each kind, the most frequent first, then what was not answered.

    `counted` has a run's cases by kind, None for a model that was not measured; a cell says
    how many and their share of the answered cases.
    """
    total = sum((c for c in counted if c), Counter[str]())
    kinds = [RIGHT, *(k for k, _ in sorted(total.items(), key=lambda p: (-p[1], p[0])))]
    rows = [
        (kind, tuple(DASH if c is None else share(c[kind], c.total()) for c in counted))
        for kind in dict.fromkeys(kinds)
    ]
    if any(lost):
        cells = (DASH if c is None else f"{n or 0:,}" for c, n in zip(counted, lost, strict=True))
        rows.append((NOT_SCORED, tuple(cells)))
    return tuple(rows)


def kinds_of(cases: Sequence[Case]) -> Counter[str]:
    """How many cases of each kind; the right ones are `right`."""
    return Counter(case.kind or RIGHT for case in cases)


# --- a benchmark --------------------------------------------------------------------------


def _section(name: str, runs: Sequence[Ran], asked: Asked) -> Section:
    tables = [_kinds("Cases by kind", runs)]
    if asked.by_part:
        tables += [_parts(run, alone=len(runs) == 1) for run in runs]
    tables += [table for table in (_reading(runs), _lost(runs)) if table.rows]
    changed = tuple(moves(runs[0], run) for run in runs[1:])
    tables += [_matrix(one) for one in changed]
    examples = tuple(_examples(runs, changed, asked)) if asked.examples else ()
    extents = tuple(_extent(run) for run in runs)
    return Section(name, title(name), tuple(runs), extents, tuple(tables), changed, examples)


def _extent(run: Ran) -> str:
    said = f"{run.label}: {count(len(run.cases))} answered"
    lacking = f", {len(run.lost):,} not answered" if run.lost else ""
    about = ", ".join(filter(None, (f"format {run.format}" if run.format else "", run.version)))
    told = [f"{said}{lacking}{f' ({about})' if about else ''}", *run.remarks]
    return "; ".join(told)


def _kinds(name: str, runs: Sequence[Ran]) -> Table:
    rows = kind_rows([kinds_of(run.cases) for run in runs], [len(run.lost) for run in runs])
    if len(runs) > 1:
        return Table(name, ("kind", *(run.label for run in runs)), _flat(rows))
    meant = {str(kind): meaning for kind, meaning in MEANINGS.items()}
    found = tuple((kind, meant.get(kind, ""), *cells) for kind, cells in rows)
    return Table(name, ("kind", "what it means", "cases"), found, words=2)


def _parts(run: Ran, *, alone: bool) -> Table:
    split = [run.only(part) for part in run.parts] or [run]
    rows = kind_rows([kinds_of(p.cases) for p in split], [len(p.lost) for p in split])
    name = "By part" if alone else f"By part: {run.label}"
    return Table(name, ("kind", *(run.parts or (DASH,))), _flat(rows))


def _reading(runs: Sequence[Ran]) -> Table:
    rows = tuple(
        (why, kind, *(share(n, len(run.cases)) for n, run in zip(each, runs, strict=True)))
        for kind, why, each in reading_rows(runs)
    )
    asked = (f"{run.label}, {run.dialect}" if run.dialect else run.label for run in runs)
    return Table(
        "Answers that could not be read, or hold no call, and why",
        ("why", "counted as", *asked),
        rows,
        words=2,
    )


def _lost(runs: Sequence[Ran]) -> Table:
    each = [lost(run) for run in runs]
    order = sorted(total := sum(each, Counter[str]()), key=lambda why: (-total[why], why))
    rows = tuple((why, *(f"{one[why]:,}" for one in each)) for why in order)
    return Table("Why cases were not answered", ("why", *(run.label for run in runs)), rows)


def _matrix(one: Moves) -> Table:
    went = [kind for kind in one.met if any(pair[0] == kind for pair in one.kinds)]
    came = [kind for kind in one.met if any(pair[1] == kind for pair in one.kinds)]
    cells = {pair: f"{n:,}" for pair, n in one.kinds.items()}
    rows = tuple((kind, *(cells.get((kind, to), "") for to in came)) for kind in went)
    name = f"From {one.before} (rows) to {one.after} (columns)"
    return Table(name, ("", *came), rows)


def _flat(rows: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *cells) for name, cells in rows)


def share(part: int, whole: int) -> str:
    """`12 (40%)`."""
    return f"{part:,} ({100 * part / whole:.0f}%)" if whole else "0"


# --- examples -----------------------------------------------------------------------------


def _examples(runs: Sequence[Ran], changed: Sequence[Moves], asked: Asked) -> Iterator[Example]:
    """Of the last run: some that were broken, some that were fixed, some of each kind."""
    first, last = runs[0], runs[-1]
    before = {case.id: case for case in first.cases} if changed else {}
    told: set[str] = set()

    def some(why: str, cases: Sequence[Case]) -> Iterator[Example]:
        fresh = [case for case in cases if case.id not in told]
        for case in sorted(fresh, key=lambda case: _draw(asked.seed, case.id))[: asked.examples]:
            told.add(case.id)
            yield Example(why, last.label, case, before.get(case.id), first.label)

    by_id = {case.id: case for case in last.cases}
    if changed and not asked.kind:
        for why, ids in (("broken", changed[-1].broken), ("fixed", changed[-1].fixed)):
            yield from some(why, [by_id[name] for name in ids])
    kinds = [kind for kind, _ in kinds_of(last.cases).most_common() if kind != RIGHT]
    for kind in [asked.kind] if asked.kind else kinds:
        yield from some(kind, [case for case in last.cases if case.kind == kind])


def _draw(seed: int, name: str) -> str:
    """By which cases are put into an order that is the same each time."""
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).hexdigest()
