"""Pictures of a report as inline SVG, the same bytes for the same numbers.

Text keeps the page's font and colours come from the page's style sheet, so a picture
follows light and dark. Every series has a shape of its own beside its colour.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from coalm.errors import MissingExtra
from coalm.report.paper import SIZES
from coalm.report.trainings import Training
from coalm.report.view import Page, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#010203", "#010204"
SERIES = ("#010211", "#010212", "#010213", "#010214", "#010215", "#010216")
"""Colours that stand for the style sheet's own; `_themed` puts those in."""

SHAPES = ("o", "s", "^", "D", "v", "P")
WIDTH = 5.4
"""Inches: at a phone's width the text is still about 10 px high."""


def scores(page: Page) -> str:
    """Models against each other on the figures that matter, with intervals, as one SVG.

    See `chosen`. Empty where there is nothing to draw.
    """
    rows = [(t.title, row) for t in page.tables for row in chosen(t.rows)]
    if not rows:
        return ""
    step = 0.24 * len(page.labels) + 0.46
    with _drawing(step * len(rows) + 0.7 + 0.2 * len(page.labels), "scores") as (figure, out):
        axes = figure.add_subplot()
        for place, (_, row) in enumerate(rows):
            _dots(axes, place, row, len(page.labels))
        _labelled(axes, [f"{row.metric}\n{name}" for name, row in rows])
        axes.set_xlim(-2, 102)
        axes.set_xlabel("score, 0 to 100, with 95% interval")
        _legend(figure, axes, page.labels, any(_reference(row) is not None for _, row in rows))
        _save(figure, out)
    return _themed(out.getvalue(), "scores")


def chosen(rows: Sequence[Row]) -> list[Row]:
    """The rows of a benchmark that are drawn: its main ones, and the paper's headlines once.

    Where neither is in the paper, the first row that is.
    """
    drawn = [row for row in rows if row.main]
    known = {row.counterpart.column for row in drawn if row.counterpart}
    for row in rows:
        if row.counterpart and row.counterpart.leads and row.counterpart.column not in known:
            known.add(row.counterpart.column)
            drawn.append(row)
    if not known:
        drawn += [row for row in rows if row.counterpart][:1]
    return [row for row in rows if row in drawn]


def losses(training: Training, name: str) -> str:
    """The loss over the steps of a training as one SVG; `name` keeps its ids apart."""
    with _drawing(2.4, name) as (figure, out):
        axes = figure.add_subplot()
        axes.plot(*zip(*training.losses, strict=True), color=SERIES[1], label="training")
        if training.held_out:
            held = zip(*training.held_out, strict=True)
            axes.plot(*held, color=SERIES[2], marker="s", linestyle="none", label="held out")
            axes.legend(frameon=False, loc="upper right")
        axes.set_xlabel("step")
        axes.set_ylabel("loss")
        axes.grid(color=FAINT, linewidth=0.5)
        _save(figure, out)
    return _themed(out.getvalue(), name)


# --- parts of a picture -------------------------------------------------------------------


def _dots(axes: "Axes", place: int, row: Row, models: int) -> None:
    for number, measure in enumerate(row.measures):
        if measure:
            reach = [[measure.value - measure.low], [measure.high - measure.value]]
            axes.errorbar(
                [measure.value],
                [place + 0.62 * ((number + 0.5) / models - 0.5)],
                xerr=reach,
                fmt=SHAPES[number % len(SHAPES)],
                color=SERIES[number % len(SERIES)],
                markersize=6,
                capsize=3,
            )
    reference = _reference(row)
    if reference is not None:
        axes.plot([reference] * 2, [place - 0.4, place + 0.4], color=INK, linestyle=(0, (2, 2)))


def _reference(row: Row) -> float | None:
    there = row.counterpart
    return there.table.of(SIZES[0], there.column) if there else None


def _labelled(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.5)
    for between in range(1, len(names)):
        axes.axhline(between - 0.5, color=FAINT, linewidth=0.5)


def _legend(figure: "Figure", axes: "Axes", labels: Sequence[str], reference: bool) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=SHAPES[number % len(SHAPES)],
            color=SERIES[number % len(SERIES)],
            label=label if len(label) < 50 else f"{label[:48]}…",
        )
        for number, label in enumerate(labels)
    ]
    if reference:
        label = f"{SIZES[0]} in the paper"
        marks.append(Line2D([], [], color=INK, linestyle=(0, (2, 2)), label=label))
    abreast = 2 if max(map(len, labels)) < 20 else 1
    figure.legend(handles=marks, frameon=False, loc="outside upper left", ncols=abreast)


# --- matplotlib, kept still ---------------------------------------------------------------


@contextmanager
def _drawing(height: float, salt: str) -> Iterator[tuple["Figure", io.StringIO]]:
    """A figure of the page's width, and where its SVG goes."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("report", "drawing the report's pictures") from None

    settings: dict[str, Any] = {
        "svg.hashsalt": salt,
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.axisbelow": True,
    }
    with rc_context(settings), warnings.catch_warnings():
        # A label may be in any script; the reader's fonts draw it, not matplotlib's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield Figure(figsize=(WIDTH, height), layout="constrained"), io.StringIO()


def _save(figure: "Figure", out: io.StringIO) -> None:
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(out, format="svg", transparent=True, metadata=nothing)


def _themed(svg: str, name: str) -> str:
    """The drawing alone, for the middle of a page: no prolog, no ids that could clash."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<(metadata|style).*?</\1>\s*", "", svg, flags=re.DOTALL)
    # Within HTML neither the namespaces nor a size of its own is wanted.
    root, rest = svg.split(">", 1)
    root = re.sub(r'\s(xmlns(:\w+)?|width|height|version)="[^"]*"', "", root)
    svg = f"{root}>{rest.replace('xlink:href', 'href')}"
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{name}-", svg)
    svg = svg.replace("'DejaVu Sans'", "system-ui, sans-serif").replace(INK, "var(--ink)")
    for number, colour in enumerate(SERIES, 1):
        svg = svg.replace(colour, f"var(--series-{number})")
    return svg.replace(FAINT, "var(--faint)")
