"""Errors as Markdown, as one HTML page, and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from coalm.bench.kinds import MEANINGS
from coalm.formats.show import visible
from coalm.report.errors import Errors, Example, Section, Table, kinds_of
from coalm.report.errors_reading import lost, unread
from coalm.report.errors_runs import Ran
from coalm.report.html import set_page
from coalm.report.markdown import fenced, grid, plain
from coalm.report.moves import Moves
from coalm.report.runs import Case

TEMPLATE = "errors.html.jinja"

WIDEST, PROMPT = 1200, 700
"""Characters of an answer and of the end of a prompt that are shown."""
STEPS = 4
"""Steps of an answer that are shown, the last one among them."""
LISTED = 40
"""Ids that are listed."""


def texts(example: Example, *, full: bool = False) -> list[tuple[str, str]]:
    """What there is to see of a case, with a word on each: prompt, answers, gold.

    Cut to what can be taken in, unless all is wanted; every cut says how much it left out.
    """
    case, found = example.case, []
    prompt = case.prompt if full else _end(case.prompt, PROMPT)
    found.append(("asked" if prompt == case.prompt else "asked (the end of it)", prompt))
    found += _written(f"{example.label} wrote", case.raw, full)
    if not _said_already(case):
        found.append(("read as", case.answer if full else _start(case.answer, WIDEST)))
    found.append(("right would be", case.gold if full else _start(case.gold, WIDEST)))
    if example.before:
        was = example.before.kind or "right"
        found += _written(f"{example.before_label} wrote ({was})", example.before.raw, full)
    return found


def errors_markdown(found: Errors, *, full: bool = False) -> str:
    """The whole as GitHub's flavour of Markdown."""
    parts = ["# What went wrong"]
    for section in found.sections:
        parts += [f"## {plain(section.title)}", "\n".join(f"- {plain(e)}" for e in section.extents)]
        parts += [_markdown_table(one) for one in section.tables]
        parts += [_markdown_moves(one, full) for one in section.moves]
        parts += [_markdown_example(example, full) for example in section.examples]
    return visible("\n\n".join(parts) + "\n")


def errors_html(found: Errors, *, full: bool = False) -> str:
    """The whole as one HTML file that needs nothing else; what a model wrote is text there."""
    values = {
        "errors": found,
        "meanings": {str(kind): meaning for kind, meaning in MEANINGS.items()},
        "texts": lambda example: texts(example, full=full),
        "moved": lambda one: moved(one, full=full),
    }
    return set_page(TEMPLATE, values, {})


def errors_json(found: Errors) -> str:
    """The whole as ASCII JSON, nothing cut: control characters are written as escapes."""
    rows = {"sections": [_row(section) for section in found.sections], "asked": asdict(found.asked)}
    return json.dumps(rows, indent=2) + "\n"


def listed(ids: Sequence[str], *, full: bool = False) -> str:
    """Names of cases on one line."""
    shown = ids if full else ids[:LISTED]
    more = f" and {len(ids) - len(shown):,} more" if len(ids) > len(shown) else ""
    return ", ".join(shown) + more


# --- cutting ------------------------------------------------------------------------------


def _start(text: str, longest: int) -> str:
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]}\n[... {left:,} characters more]"


def _end(text: str, longest: int) -> str:
    left = len(text) - longest
    return text if left <= 0 else f"[... {left:,} characters before]\n{text[-longest:]}"


def _said_already(case: Case) -> bool:
    """Whether what was read adds nothing to what was written."""
    one = len(case.raw) == 1 and case.answer.startswith("unreadable (")
    return one or case.answer.strip() in ("", "\n".join(case.raw).strip())


def _written(who: str, raw: Sequence[str], full: bool) -> list[tuple[str, str]]:
    if len(raw) <= 1:
        text = raw[0] if raw else ""
        return [(who, (text if full else _start(text, WIDEST)) or "(nothing)")]
    steps = list(enumerate(raw, 1))
    kept = steps if full or len(steps) <= STEPS else [*steps[: STEPS - 1], steps[-1]]
    found = [
        (f"{who}, step {n}", (text if full else _start(text, WIDEST)) or "(nothing)")
        for n, text in kept
    ]
    if len(kept) < len(steps):
        found.insert(-1, ("", f"[... {len(steps) - len(kept):,} steps]"))
    return found


# --- Markdown -----------------------------------------------------------------------------


def _markdown_table(one: Table) -> str:
    rows = [[plain(cell) for cell in row] for row in one.rows]
    return f"### {plain(one.title)}\n\n{grid(one.header, rows)}"


def _markdown_moves(one: Moves, full: bool) -> str:
    return "\n".join(f"- {plain(line)}" for line in moved(one, full=full))


def moved(one: Moves, *, full: bool = False) -> list[str]:
    """What was fixed and what was broken, in sentences."""
    net = len(one.fixed) - len(one.broken)
    told = [
        f"{one.before} to {one.after}: {one.paired:,} cases asked of both, {len(one.fixed):,} "
        f"fixed, {len(one.broken):,} broken, {net:+,} in all"
    ]
    for what, ids in (("fixed", one.fixed), ("broken", one.broken)):
        told += [f"{what}: {listed(ids, full=full)}"] if ids else []
    if any(one.alone):
        told.append(
            f"asked of one alone: {one.alone[0]:,} of {one.before}, {one.alone[1]:,} of {one.after}"
        )
    return [*told, *one.remarks]


def _markdown_example(example: Example, full: bool) -> str:
    case = example.case
    parts = [
        f"### {plain(example.why)}: {plain(case.id)}",
        *([plain(case.note)] if case.note else []),
    ]
    for name, text in texts(example, full=full):
        parts += [f"{plain(name)}:" if name else "", fenced(text)]
    return "\n\n".join(part for part in parts if part)


# --- JSON ---------------------------------------------------------------------------------


def _row(section: Section) -> dict[str, Any]:
    return {
        "benchmark": section.name,
        "runs": [_run(run) for run in section.runs],
        "moves": [_moves(one) for one in section.moves],
        "examples": [_example(example) for example in section.examples],
    }


def _run(run: Ran) -> dict[str, Any]:
    parts = {
        part: dict(kinds_of([case for case in run.cases if case.part == part]).most_common())
        for part in run.parts
    }
    return {
        "label": run.label,
        "folder": run.folder.as_posix(),
        "format": run.format,
        "data": run.version,
        "answered": len(run.cases),
        "not_answered": len(run.lost),
        "kinds": dict(kinds_of(run.cases).most_common()),
        "parts": parts,
        "no_call": [
            {"kind": kind, "why": why, "dialect": run.dialect, "cases": n}
            for (kind, why), n in unread(run).most_common()
        ],
        "why_not_answered": dict(lost(run).most_common()),
        "remarks": list(run.remarks),
    }


def _moves(one: Moves) -> dict[str, Any]:
    return {
        "before": one.before,
        "after": one.after,
        "cases": one.paired,
        "fixed": list(one.fixed),
        "broken": list(one.broken),
        "kinds": [{"from": a, "to": b, "cases": n} for (a, b), n in one.kinds.items()],
        "alone": list(one.alone),
        "remarks": list(one.remarks),
    }


def _example(example: Example) -> Mapping[str, Any]:
    case = asdict(example.case)
    before = asdict(example.before) if example.before else None
    return {"why": example.why, "label": example.label, "case": case, "before": before}
