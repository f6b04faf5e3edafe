"""What a report says of errors: how often each kind, and why answers hold no call."""

from collections.abc import Sequence
from dataclasses import dataclass

from coalm.report.compare import DASH, title
from coalm.report.errors import kind_rows, kinds_of, share
from coalm.report.errors_reading import reading_rows
from coalm.report.errors_runs import Ran
from coalm.report.runs import Evaluated, Result


@dataclass(frozen=True, slots=True)
class KindTable:
    """What went wrong on one benchmark, and how often, by model."""

    title: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """`right`, then each kind, then `not answered`; or reasons. A cell says how many and their
    share."""
    what: str = "Kind"
    """What the first column holds."""


def kind_tables(columns: Sequence[Evaluated], name: str) -> list[KindTable]:
    """The kinds of errors on a benchmark, then why answers hold no call, if any do not."""
    results = [c.results.get(name) for c in columns]
    counts = [kinds_of(r.cases) if r else None for r in results]
    kinds = kind_rows(counts, [r.scores.not_answered if r else None for r in results])
    # A model that was not measured is an empty run here: nothing is counted in it.
    runs = [
        _ran(r) if r else Ran(c.folder, name, c.label, "", "", ())
        for r, c in zip(results, columns, strict=True)
    ]
    told = tuple(
        (f"{why} ({kind})", tuple(_cell(n, run) for n, run in zip(numbers, runs, strict=True)))
        for kind, why, numbers in reading_rows(runs)
    )
    unread = KindTable(
        f"{title(name)}: answers that could not be read, or hold no call", told, "Why"
    )
    return [KindTable(title(name), kinds), *([unread] if told else [])]


def _cell(n: int, run: Ran) -> str:
    return share(n, len(run.cases)) if run.cases else DASH


def _ran(result: Result) -> Ran:
    s = result.scores
    asked = str(s.identity.get("format", ""))
    return Ran(result.folder, s.name, s.label, asked, s.version, result.cases)
