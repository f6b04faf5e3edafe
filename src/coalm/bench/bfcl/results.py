"""Result folders in the official layout: `DIR/MODEL/**/BFCL_v4_CATEGORY_result.json`.

Files of V3 are read as well, their categories and ids under today's names. A file holds
one object a line, or one list of objects; each has an `id` and a `result`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coalm.bench.bfcl.categories import ALL, today, today_id
from coalm.errors import DataError, unknown

_NAME = re.compile(r"BFCL_v[34]_(\w+?)_result\.json$")
_GROUPS = frozenset({"non_live", "live", "multi_turn", "agentic", "format_sensitivity"})
"""Folders that the official layout puts between a model's and its files."""


@dataclass(frozen=True, slots=True)
class Results:
    """What one model answered."""

    model: str
    """The name of its folder."""
    answers: Mapping[str, Mapping[str, object]]
    """By category and id, the raw answer."""
    problems: Sequence[str] = field(default_factory=tuple)
    """What could not be read, each with its place."""
    others: Sequence[str] = field(default_factory=tuple)
    """Categories with results that are not among those scored here."""
    wordings: Mapping[str, object] = field(default_factory=dict)
    """By id, the raw answers of the test of format sensitivity."""


def read_folder(folder: Path, model: str | None = None) -> list[Results]:
    """The results of every model below a folder, or of one, in the order of names.

    The folder may also be a model's own. A `DataError` if there is no result, or no such
    model; `/` in a model's name is `_` in its folder's, as the official harness has it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; --results takes the one that holds MODEL/...")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("BFCL_v*_result.json")):
        parts = path.relative_to(folder).parts
        own = len(parts) == 1 or parts[0] in _GROUPS
        found.setdefault(folder.resolve().name if own else parts[0], []).append(path)
    if not found:
        raise DataError(f"{folder} holds no BFCL_v4_CATEGORY_result.json, at any depth")
    if model is not None:
        name = model.replace("/", "_")
        if name not in found:
            raise DataError(f"{folder}: {unknown('model', name, found)}")
        found = {name: found[name]}
    return [_results(name, paths) for name, paths in sorted(found.items())]


def _results(model: str, paths: Sequence[Path]) -> Results:
    answers: dict[str, dict[str, object]] = {}
    problems: list[str] = []
    others: list[str] = []
    sources: dict[str, Path] = {}
    wordings: dict[str, object] = {}
    for path in paths:
        name = _NAME.search(path.name)
        category = today(name.group(1)) if name else ""
        if category == "format_sensitivity":
            wordings |= _answers(path, problems)
            continue
        if category not in ALL:
            others.append(category or path.name)
            continue
        if category in sources:
            raise DataError(
                f"{path} and {sources[category]} both hold {category} of {model}; remove one"
            )
        sources[category] = path
        answers[category] = _answers(path, problems)
    return Results(model, answers, tuple(problems), tuple(sorted(set(others))), wordings)


def _answers(path: Path, problems: list[str]) -> dict[str, object]:
    """By id the raw answers of a file; what cannot be read is added to `problems`."""
    found: dict[str, object] = {}
    for place, row in _rows(path, problems):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            problems.append(f"{place}: no object with an id")
            continue
        name = today_id(row["id"])
        if "result" not in row:
            problems.append(f"{place}: {name} has no result")
            continue
        if name in found:
            problems.append(f"{place}: {name} is there twice; the later one counts")
        found[name] = row["result"]
    return found


def _rows(path: Path, problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Place and value of each row of a file."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise DataError(f"{path}: {e.strerror}") from None
    if data.lstrip()[:1] == b"[":
        try:
            yield from ((f"{path}: row {n}", one) for n, one in enumerate(json.loads(data), 1))
        except (ValueError, RecursionError) as e:
            place = e.lineno if isinstance(e, json.JSONDecodeError) else 1
            problems.append(f"{path}:{place}: not JSON: {str(e)[:120]}")
        return
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as e:
            problems.append(f"{path}:{number}: not JSON: {str(e)[:120]}")
            continue
        yield f"{path}:{number}", row
