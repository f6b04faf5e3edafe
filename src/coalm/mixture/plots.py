"""Pictures of a data card as PNG: the same bytes for the same numbers and matplotlib."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coalm import store
from coalm.mixture.lengths import BIN, at_most, together

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from coalm.mixture.manifest import Manifest, PartReport

DEEP, PALE, INK, FAINT = "#2c5f8a", "#b9d3e8", "#222831", "#dfe3e8"
WIDTH = 8.0
"""Inches."""

COMPOSITION, LENGTHS = "composition.png", "lengths.png"


def draw(folder: Path, manifest: "Manifest") -> dict[str, str] | None:
    """Draw the folder's pictures; file names -> what each shows, None without matplotlib."""
    parts = [part for part in _merged(manifest.parts) if part.rows]
    try:
        import matplotlib  # noqa: F401  whether it is there
    except ImportError:
        return None
    shown = {}
    if parts:
        _composition(folder / COMPOSITION, parts)
        shown[COMPOSITION] = "Rows and tokens by corpus"
    measured = [part for part in parts if part.lengths]
    if measured:
        _lengths(folder / LENGTHS, measured)
        whole = together(part.lengths for part in measured)
        half, most = at_most(whole, 0.5), at_most(whole, 0.95)
        shown[LENGTHS] = f"Rows by length: half within {half:,} tokens, 95% within {most:,}"
    return shown


@dataclass(frozen=True, slots=True)
class _Corpus:
    """A corpus of the mixture, its parts put together."""

    name: str
    rows: int
    tokens: int
    learned: int
    lengths: Mapping[int, int]


def _merged(parts: "Sequence[PartReport]") -> list[_Corpus]:
    found = []
    for name in dict.fromkeys(part.corpus for part in parts):
        mine = [part for part in parts if part.corpus == name]
        found.append(
            _Corpus(
                name,
                sum(part.kept for part in mine),
                sum(part.tokens for part in mine),
                sum(part.learned for part in mine),
                together(part.lengths for part in mine),
            )
        )
    return found


def _composition(path: Path, parts: Sequence[_Corpus]) -> None:
    """Two panels side by side: rows, and tokens with those that are learned."""
    with _drawing(path, 0.9 + 0.34 * len(parts)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        places = range(len(parts))
        left.barh(places, [part.rows for part in parts], color=DEEP, height=0.62)
        right.barh(places, [part.tokens for part in parts], color=PALE, height=0.62, label="read")
        right.barh(
            places, [part.learned for part in parts], color=DEEP, height=0.62, label="learned"
        )
        left.set_yticks(places, [part.name for part in parts])
        left.set_ylim(len(parts) - 0.5, -0.5)
        left.set_title("rows", loc="left")
        right.set_title("tokens", loc="left")
        _labels(left, [part.rows for part in parts], sum(part.rows for part in parts))
        _labels(right, [part.tokens for part in parts], sum(part.tokens for part in parts))
        right.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderaxespad=0.2
        )


def _labels(axes: "Axes", values: Sequence[int], total: int) -> None:
    """Each bar's value and share behind its end; no axis is needed then."""
    axes.set_xlim(0, max(values) * 1.42)
    axes.xaxis.set_visible(False)
    for spine in ("top", "right", "bottom"):
        axes.spines[spine].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for place, value in enumerate(values):
        share = value / max(total, 1)
        said = f"{_short(value)}  {'<1%' if 0 < share < 0.005 else f'{share:.0%}'}"
        axes.annotate(said, (value, place), (4, 0), textcoords="offset points", va="center")


def _lengths(path: Path, parts: Sequence[_Corpus]) -> None:
    """One row a corpus on a common axis of tokens, each as high as its own highest bin."""
    end = max(at_most(part.lengths, 0.995) for part in parts) + 1
    with _drawing(path, 0.9 + 0.5 * len(parts)) as figure:
        rows = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
        for axes, part in zip(rows, parts, strict=True):
            edges = [edge for edge in part.lengths if edge < end]
            axes.bar(
                edges, [part.lengths[e] for e in edges], width=BIN * 0.92, align="edge", color=DEEP
            )
            _median(axes, at_most(part.lengths, 0.5))
            axes.set_xlim(0, end)
            axes.set_yticks([])
            axes.set_ylabel(part.name, rotation=0, ha="right", va="center")
            for spine in ("top", "right", "left"):
                axes.spines[spine].set_visible(False)
            axes.tick_params(axis="x", length=0 if axes is not rows[-1] else 3)
        rows[0].set_title(
            "rows by length; half of them lie left of ▼", loc="left", pad=12, fontsize=10
        )
        rows[-1].set_xlabel("tokens")


def _median(axes: "Axes", tokens: int) -> None:
    axes.plot(
        [tokens],
        [1.06],
        "v",
        color=INK,
        markersize=5,
        clip_on=False,
        transform=axes.get_xaxis_transform(),
    )


def _short(value: int) -> str:
    for size, sign in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return str(value)


# --- matplotlib, kept still ---------------------------------------------------------------

_STYLE: Mapping[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,
    "axes.titlesize": 10,
    "axes.edgecolor": FAINT,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def _drawing(path: Path, height: float) -> Iterator["Figure"]:
    """A figure of the card's width; written whole when the block ends well."""
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.figure import Figure

    with rc_context(), warnings.catch_warnings():
        # A corpus of one's own may be named in any script.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        rcdefaults()  # whatever the reader's own matplotlibrc says
        rcParams.update(_STYLE)
        figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=144)
        yield figure
        with store.atomic(path, "wb") as file:
            figure.savefig(file, format="png", facecolor="white", metadata={"Software": None})
