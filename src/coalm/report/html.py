"""A report as one HTML file that needs nothing else: no script, no font, no request."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from coalm.formats.show import visible
from coalm.report import plots
from coalm.report.compare import DASH, title
from coalm.report.failures import RULE
from coalm.report.paper import SIZES, SOURCE
from coalm.report.trainings import Training
from coalm.report.view import Page

TEMPLATE, STYLE = "page.html.jinja", "page.css"


def set_page(template: str, values: Mapping[str, Any], filters: Mapping[str, Any]) -> str:
    """A page of this package's templates in this package's style; all values are escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    own = files("coalm.report")
    source = own.joinpath(template).read_text(encoding="utf-8")
    style = Markup(own.joinpath(STYLE).read_text(encoding="utf-8"))
    return visible(environment.from_string(source).render(style=style, **values))


def html(page: Page, trainings: Sequence[Training] = ()) -> str:
    """The whole report; everything that is not the template's own is escaped."""
    from markupsafe import Markup

    drawn = [
        (t.folder.as_posix(), Markup(_told(plots.losses(t, f"loss-{n}"), f"loss-{n}", _course(t))))
        for n, t in enumerate(trainings, 1)
    ]
    values = {
        "page": page,
        "plot": Markup(_told(plots.scores(page), "scores", _scores(page))),
        "referenced": any(r.counterpart for t in page.tables for r in plots.chosen(t.rows)),
        "curves": drawn,
        "sizes": SIZES,
        "source": SOURCE,
        "dash": DASH,
        "rule": RULE,
    }
    return set_page(TEMPLATE, values, {"benchmark": title})


def _told(svg: str, name: str, words: str) -> str:
    """The picture with its alternative text."""
    from markupsafe import escape

    attributes = f' role="img" class="{name.partition("-")[0]}" aria-labelledby="{name}-words"'
    told = f'<title id="{name}-words">{escape(words)}</title>'
    if not svg:
        return ""
    root, rest = svg.split(">", 1)
    return f"{root}{attributes}>{told}{rest}"


def _scores(page: Page) -> str:
    lines = []
    for table in page.tables:
        for row in plots.chosen(table.rows):
            values = [
                f"{label} {cell.value} {cell.interval}"
                for label, cell in zip(page.labels, row.cells, strict=True)
                if cell
            ]
            if row.counterpart:
                values.append(f"{SIZES[0]} in the paper {row.paper[0]}")
            lines.append(f"{table.title}, {row.metric}: {'; '.join(values)}.")
    return "Dot plot of scores with 95% intervals. " + " ".join(lines)


def _course(training: Training) -> str:
    (first, start), (last, end) = training.losses[0], training.losses[-1]
    return f"Line plot of the loss: {start:.2f} at step {first:.0f}, {end:.2f} at step {last:.0f}."
