"""Shards of one evaluation become the run that a single machine would have left.

Each shard's folder holds one folder a benchmark. What is merged must be one run: the same
model, data, format and settings, each share there and finished, each case answered once and
by the share that it belongs to. Only then are the scores made, of all cases together.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from coalm import store
from coalm.bench.base import Benchmark
from coalm.bench.outcomes import (
    FREE,
    OUTCOMES,
    RUN,
    SCORES,
    UNANSWERED,
    Scores,
    outcomes,
    tally,
    write_scores,
)
from coalm.bench.runner import sample
from coalm.bench.split import Shard
from coalm.bench.table import full_name, open_benchmark
from coalm.engines.journal import ANSWERS
from coalm.errors import DataError, RecipeError

C = TypeVar("C")
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One shard's run of one benchmark."""

    folder: Path
    shard: Shard
    run: Mapping[str, Any]
    """`run.json`: whose run it is."""
    scores: Mapping[str, Any]
    """`scores.json`; empty where the share is not finished."""
    rows: Sequence[Mapping[str, Any]]
    """The answered cases."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What one benchmark came to."""

    name: str
    """`BENCHMARK:PROTOCOL`."""
    folder: Path
    scores: Scores


def merge(
    runs: Sequence[Path],
    out: Path,
    *,
    partial: bool = False,
    note: Note = lambda _: None,
    opens: Callable[[str], Benchmark[Any]] = open_benchmark,
) -> list[Merged]:
    """Merge evaluation folders of shards into `out`, a folder for each benchmark.

    With `partial`, shares may be missing or unfinished: their cases count as not answered,
    and are asked when the evaluation is taken up in `out`. Nothing is written unless
    everything agrees.
    """
    if not runs:
        raise RecipeError("name the folders of the shards, such as runs/eval/MODEL.shard-*")
    names = sorted({folder.parent.name for run in runs for folder in _benches(run)})
    if not names:
        raise DataError(f"{runs[0]}: no run of a benchmark in it; `coalm eval --shard` makes them")
    planned = []
    for name in names:
        parts = [_part(run / name) for run in runs if (run / name / RUN).is_file()]
        home = out / name
        if home.exists() and any(home.iterdir()):
            raise RecipeError(f"{home} holds something already; choose another --out")
        planned.append(_planned(home, parts, partial, opens))
    return [_written(*plan, note) for plan in planned]


def _benches(run: Path) -> list[Path]:
    if not run.is_dir():
        raise DataError(f"{run}: no such folder")
    return sorted(run.glob(f"*/{RUN}"))


def _part(folder: Path) -> Part:
    run = store.read_json(folder / RUN)
    if "shard" not in run:
        raise DataError(f"{folder} is no shard: it was run without --shard")
    scores = store.read_json(folder / SCORES) if (folder / SCORES).is_file() else {}
    return Part(folder, Shard.read(str(run["shard"])), run, scores, outcomes(folder))


def _planned(
    home: Path,
    parts: Sequence[Part],
    partial: bool,
    opens: Callable[[str], Benchmark[Any]],
) -> tuple[Path, Sequence[Part], Benchmark[Any], list[Any], dict[str, Mapping[str, Any]]]:
    """What is to be written for one benchmark, all of it checked."""
    _same(parts)
    _all_there(home.name, parts, partial)
    first = parts[0].run
    benchmark = opens(full_name(f"{first['benchmark']}:{first['protocol']}"))
    if benchmark.about.version != first["version"]:
        raise DataError(
            f"{parts[0].folder}: was run on data {first['version']!r}, and here there is "
            f"{benchmark.about.version!r}"
        )
    limit = next((part.scores["limit"] for part in parts if part.scores), None)
    chosen = sample(benchmark, benchmark.cases(), limit, first["seed"])
    rows = _rows(parts, {benchmark.id(case) for case in chosen})
    return home, parts, benchmark, chosen, rows


def _same(parts: Sequence[Part]) -> None:
    """A `RecipeError` unless all are parts of one run."""
    first = parts[0]
    for part in parts[1:]:
        for name in sorted({*first.run, *part.run} - FREE - {"shard"}):
            if first.run.get(name) != part.run.get(name):
                raise RecipeError(
                    f"{part.folder} is of another run than {first.folder}: {name} is "
                    f"{part.run.get(name)!r} and {first.run.get(name)!r}"
                )
        if part.shard.of != first.shard.of:
            raise RecipeError(
                f"{part.folder} is shard {part.shard} and {first.folder} is {first.shard}: "
                "the shares are cut differently"
            )
    limits = {part.scores["limit"] for part in parts if part.scores}
    if len(limits) > 1:
        raise RecipeError(f"{first.folder.name}: the shards have different limits: {limits}")


def _all_there(name: str, parts: Sequence[Part], partial: bool) -> None:
    """A `DataError` for a share that is missing or not finished, unless that is wanted."""
    here = {part.shard.number for part in parts}
    of = parts[0].shard.of
    missing = [str(Shard(n, of)) for n in range(1, of + 1) if n not in here]
    open_ones = [str(part.folder) for part in parts if not part.scores]
    if partial:
        return
    if missing:
        raise DataError(f"{name}: shard {', '.join(missing)} is not there; or add --partial")
    if open_ones:
        raise DataError(f"{open_ones[0]} is not finished: run its command again, or add --partial")


def _rows(parts: Sequence[Part], wanted: set[str]) -> dict[str, Mapping[str, Any]]:
    """By id, each case's line; a `DataError` for two that differ, or one in the wrong place."""
    found: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        for row in part.rows:
            name = row["id"]
            if name not in wanted or not part.shard.holds(name):
                raise DataError(
                    f"{part.folder}: case {name!r} is none of shard {part.shard} of this run"
                )
            if name in found and _said(found[name]) != _said(row):
                raise DataError(f"{part.folder}: case {name!r} has another answer elsewhere")
            found.setdefault(name, row)
    return found


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line without what two runs of one answer may differ in."""
    return {k: v for k, v in row.items() if k not in ("seconds", "cached")}


def _written(
    home: Path,
    parts: Sequence[Part],
    benchmark: Benchmark[C],
    chosen: Sequence[C],
    found: Mapping[str, Mapping[str, Any]],
    note: Note,
) -> Merged:
    rows = [found[name] for case in chosen if (name := benchmark.id(case)) in found]
    total = len(benchmark.cases())
    scores = tally(benchmark, rows, available=total, missing=len(chosen) - len(rows))
    told = next((part for part in parts if part.scores), parts[0])
    with store.appearing(home) as draft:
        run = {name: value for name, value in parts[0].run.items() if name != "shard"}
        store.write_json(draft / RUN, run)
        _lines(draft / OUTCOMES, rows)
        lost = [row for row in _logged(parts, UNANSWERED) if row["id"] not in found]
        _lines(draft / UNANSWERED, lost)
        _lines(draft / ANSWERS, _logged(parts, ANSWERS))
        write_scores(
            draft,
            benchmark,
            scores,
            limit=told.scores.get("limit"),
            seed=run["seed"],
            identity=_identity(told, parts, home),
        )
    if scores.not_answered:
        note(f"{home.name}: {scores.not_answered} cases have no answer; they are not scored")
    return Merged(f"{benchmark.about.benchmark}:{benchmark.about.protocol}", home, scores)


def _logged(parts: Sequence[Part], name: str) -> list[Mapping[str, Any]]:
    """The lines of a log of all shards, each once."""
    rows = (row for part in parts for row in store.read_log(part.folder / name))
    return list({row.get("key") or row["id"]: row for row in rows}.values())


def _lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        store.write_text(path, "".join(store.compact(row) + "\n" for row in rows))


def _identity(told: Part, parts: Sequence[Part], home: Path) -> dict[str, Any]:
    """A shard's identity as the whole run's: the sums of what was used, the command for all."""
    found = dict(told.scores.get("identity", {})) or {
        name: value for name, value in told.run.items() if name in ("label", "model", "format")
    }
    found.pop("shard", None)
    if found.get("command"):
        words = shlex.split(found["command"])
        for option, value in (("--shard", None), ("--out", home.parent.as_posix())):
            if option in words:
                at = words.index(option)
                words[at : at + 2] = [option, value] if value else []
        found["command"] = shlex.join(words)
    spent: list[Mapping[str, Any]] = [
        one for part in parts if (one := part.scores.get("identity", {}).get("usage"))
    ]
    if spent:
        found["usage"] = _sum(spent)
    return found


def _sum(spent: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers added up; words as the first has them."""
    found: dict[str, Any] = {}
    for one in spent:
        for name, value in one.items():
            if isinstance(value, int | float):
                found[name] = round(found.get(name, 0) + value, 6)
            else:
                found.setdefault(name, value)
    return found
