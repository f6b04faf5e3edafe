"""Run folders in, `report.html` and `report.md` out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coalm.errors import RecipeError
from coalm.report.html import html
from coalm.report.markdown import markdown
from coalm.report.runs import find
from coalm.report.view import SummaryRow, page, summary_table
from coalm.store import write_text

TITLE = "CoALM: evaluation report"
"""The heading of a report that was given none."""


@dataclass(frozen=True, slots=True)
class Written:
    """The two files of a report, and what a terminal may show of it."""

    html: Path
    md: Path
    headline: tuple[str, ...]
    """What was compared, then a sentence for each main metric of each benchmark."""
    summary: tuple[SummaryRow, ...]
    """Every metric, in the order of the page."""


def build(runs: Sequence[Path], out: Path, title: str = TITLE) -> Written:
    """Write `report.html` and `report.md` into the folder `out` about some evaluations.

    A run is an evaluation folder (with `BENCHMARK.PROTOCOL` folders in it) or a folder of
    several; a training log beside them is drawn too. The first evaluation is what the last
    one is compared against; within a run, `base` comes first. A `CoalmError` says which
    file is missing, torn or at odds with another; then nothing is written.
    """
    if out.suffix in (".html", ".md") or out.is_file():
        raise RecipeError(f"{out}: name a folder; report.html and report.md are put into it")
    found = find(runs)
    shown = page(found, title)
    whole, plain = html(shown, found.trainings), markdown(shown)
    written = Written(out / "report.html", out / "report.md", shown.headline, summary_table(shown))
    write_text(written.html, whole)
    write_text(written.md, plain)
    return written
