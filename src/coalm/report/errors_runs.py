"""Run folders as they are, finished or not, for whoever looks for what went wrong.

A report refuses a run that is not finished; here it is read as far as it goes, and what is
missing is said. The files are only read, because the run may be going on beside us.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coalm.bench.outcomes import OUTCOMES, RUN, SCORES, UNANSWERED
from coalm.errors import DataError
from coalm.report.runs import FIRST, Case, place, told_apart, valid
from coalm.store import read_json

FILES = (OUTCOMES, UNANSWERED, RUN, SCORES)
"""A folder that has one of these is a run."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A case that the world kept from being answered."""

    id: str
    part: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """One model on one benchmark, as far as it came."""

    folder: Path
    name: str
    """`BENCHMARK.PROTOCOL`."""
    label: str
    """The model's; unlike that of every other run of the same benchmark."""
    format: str
    """What the model was asked in, `chatml/json`; empty where the run does not say."""
    version: str
    """Of the data."""
    cases: tuple[Case, ...]
    lost: tuple[Lost, ...] = ()
    remarks: tuple[str, ...] = ()
    """What is missing or odd, for a person."""

    @property
    def dialect(self) -> str:
        """How calls were asked for."""
        return self.format.partition("/")[2].partition("/")[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that its cases are of, in alphabetical order."""
        every = {case.part for case in self.cases} | {case.part for case in self.lost}
        return tuple(sorted(every - {""}))

    def only(self, part: str) -> "Ran":
        """The same run with the cases of one part; an empty name keeps them all."""
        if not part:
            return self
        return replace(
            self,
            cases=tuple(case for case in self.cases if case.part == part),
            lost=tuple(case for case in self.lost if case.part == part),
        )


def read_runs(named: Sequence[Path]) -> tuple[Ran, ...]:
    """The runs in and just below some folders, in the order named; none twice.

    A `DataError` says which folder is missing or no run, and which line is broken, and
    that nothing was answered where all are empty.
    """
    folders: dict[Path, Path] = {}
    for run in named:
        for folder in _found(run):
            folders.setdefault(folder.resolve(), folder)
    runs = [_read(folder) for folder in folders.values()]
    if not any(run.cases or run.lost for run in runs):
        told = ", ".join(str(run.folder) for run in runs)
        raise DataError(f"{told}: nothing was answered yet; `coalm eval` goes on with it")
    return tuple(_labelled(runs))


def _found(run: Path) -> list[Path]:
    """The runs in a folder, in the folders below it, or below these."""
    if not run.exists():
        raise DataError(f"{run}: no such folder")
    if not run.is_dir():
        raise DataError(f"{run}: is a file; name the folder of a run, or of several")
    if _is_run(run):
        return [run]
    for depth in (1, 2):
        found = [folder for folder in _below(run, depth) if _is_run(folder)]
        if found:
            return found
    raise DataError(
        f"{run}: no run; looked for {OUTCOMES} in it and in the folders below it; "
        "`coalm eval` writes them"
    )


def _below(folder: Path, depth: int) -> list[Path]:
    inner = [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")]
    inner.sort(key=lambda f: (f.name not in FIRST, f.name))
    return inner if depth == 1 else [deep for f in inner for deep in _below(f, depth - 1)]


def _is_run(folder: Path) -> bool:
    # `run.json` alone might be anybody's; a run that has not begun has nothing else, though.
    return any((folder / name).is_file() for name in FILES)


def _read(folder: Path) -> Ran:
    about = _about(folder)
    rows, torn = _rows(folder / OUTCOMES)
    cases: dict[str, Case] = {}
    for number, row in rows:
        case = valid(Case, row, f"{folder / OUTCOMES}:{number}")
        cases[case.id] = case  # a case that was tried again: its last outcome counts
    rows, lost_torn = _rows(folder / UNANSWERED)
    lost = {
        one.id: one
        for number, row in rows
        if (one := valid(Lost, row, f"{folder / UNANSWERED}:{number}")).id not in cases
    }
    remarks = [
        f"the last line of {name} is cut off and left out"
        for name, cut in ((OUTCOMES, torn), (UNANSWERED, lost_torn))
        if cut
    ]
    told = f"{about.get('benchmark', '')}.{about.get('protocol', '')}".strip(".")
    return Ran(
        folder,
        told or folder.name,
        str(about.get("label") or folder.resolve().parent.name),
        str(about.get("format", "")),
        str(about.get("version", "")),
        tuple(cases.values()),
        tuple(lost.values()),
        (*_unfinished(folder, len(cases)), *remarks),
    )


def _about(folder: Path) -> dict[str, Any]:
    """What the run says of itself, whichever of its files says it."""
    said: dict[str, Any] = {}
    for name in (SCORES, RUN):
        if (folder / name).is_file():
            row = read_json(folder / name)
            if not isinstance(row, dict):
                raise DataError(f"{folder / name}: not a JSON object")
            identity = row.get("identity")
            said |= {**(identity if isinstance(identity, dict) else {}), **row}
    return said


def _unfinished(folder: Path, cases: int) -> list[str]:
    if not (folder / SCORES).is_file():
        return [f"not finished: {cases:,} answered so far; `coalm eval` goes on with it"]
    scored = read_json(folder / SCORES).get("cases")
    if scored != cases:
        return [f"{SCORES} counts {scored} cases and {OUTCOMES} holds {cases}: it went on since"]
    return []


def _rows(path: Path) -> tuple[list[tuple[int, Mapping[str, Any]]], bool]:
    """Line numbers and objects, and whether a last line was cut off by a kill."""
    if not path.is_file():
        return [], False
    *whole, rest = path.read_bytes().split(b"\n")
    rows = [(n, _object(line, path, n)) for n, line in enumerate(whole, 1) if line.strip()]
    return rows, bool(rest.strip())


def _object(line: bytes, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line.decode())
    except (ValueError, RecursionError) as e:
        raise DataError(f"{path}:{number}: not a JSON object: {e}") from None
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}: not a JSON object: found {type(row).__name__}")
    return row


def _labelled(runs: Sequence[Ran]) -> Iterator[Ran]:
    """Benchmarks in the order of the paper's tables; labels unlike within each."""
    names = dict.fromkeys(run.name for run in runs)
    for name in sorted(names, key=place):
        same = [run for run in runs if run.name == name]
        labels = told_apart([(run.label, run.folder.resolve().parent) for run in same])
        yield from (replace(run, label=label) for run, label in zip(same, labels, strict=True))
