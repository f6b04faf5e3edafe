"""Prediction files of API-Bank: which text was predicted for which case.

One JSON object a line, in one of these layouts:

- ours: `{"id": "L-1/017", "predict": "..."}`, ids as `coalm eval` writes them;
- LLaMA-Factory's `generated_predictions.jsonl`: `{"prompt", "label", "predict"}`, in the order
  of the rows; where a label is one of ours, it must be the one of its row;
- API-Bank's own: `{"file", "id", "pred"}` for levels 1 and 2, `{"sample_id", "api_id", "pred"}`
  for the calls of level 3;

or ToolRL's `result.json`, one object whose keys are `Level1_0` and so on, with `raw_output`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from coalm import store
from coalm.errors import DataError

Layout = Literal["ids", "in order", "api-bank", "toolrl"]

_TOOLRL = re.compile(r"Level(\d)_(\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """A case as far as predictions must be told from each other."""

    id: str
    label: str
    """The gold text, by which a line's place is checked."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a file predicts."""

    layout: Layout
    texts: Mapping[str, str]
    """By case id, in the order of the cases."""
    missing: tuple[str, ...]
    """The ids of cases that it does not mention."""


def read_predictions(path: Path, rows: Sequence[Row]) -> Predictions:
    """The predictions for these cases; a `DataError` names a line that cannot be one of them."""
    lines = list(_lines(path))
    if not lines:
        raise DataError(f"{path}: no predictions in it")
    layout = _layout(path, *lines[0])
    known = {_alias(row.id, layout): row for row in rows}
    found: dict[str, tuple[int, str]] = {}
    for place, (number, line) in enumerate(lines):
        if layout == "in order":
            row = _next(path, number, line, place, rows)
        else:
            row = _named(path, number, _key(path, number, line, layout), known)
        if row.id in found:
            first = found[row.id][0]
            raise DataError(f"{path}:{number}: predicts {row.id} again, as line {first} does")
        found[row.id] = (number, _text(path, number, line, layout))
    texts = {row.id: found[row.id][1] for row in rows if row.id in found}
    return Predictions(layout, texts, tuple(row.id for row in rows if row.id not in found))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line; of ToolRL's one object, each entry with its place."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if path.name.endswith((".json", ".json.gz")):
        whole = store.read_json(path)
        if not isinstance(whole, dict) or not all(map(_TOOLRL.fullmatch, whole)):
            raise DataError(f"{path}: no result file of ToolRL's; other predictions end in .jsonl")
        for number, (key, value) in enumerate(whole.items(), 1):
            entry = value if isinstance(value, dict) else {}
            yield number, {"key": key, "raw_output": entry.get("raw_output")}
        return
    yield from store.read_jsonl(path)


def _layout(path: Path, number: int, line: Mapping[str, Any]) -> Layout:
    if "raw_output" in line:
        return "toolrl"
    if "pred" in line and ({"file", "id"} <= set(line) or {"sample_id", "api_id"} <= set(line)):
        return "api-bank"
    if "predict" in line:
        return "ids" if "id" in line else "in order"
    raise DataError(
        f"{path}:{number}: not a prediction: it has {', '.join(sorted(line)[:6]) or 'nothing'}, "
        "and needs id and predict, or predict alone in the order of the rows, or pred with file "
        "and id"
    )


def _key(path: Path, number: int, line: Mapping[str, Any], layout: Layout) -> str:
    """What a line calls its case."""
    try:
        match layout:
            case "ids":
                return str(line["id"])
            case "toolrl":
                level, number_there = _TOOLRL.fullmatch(line["key"]).groups()  # type: ignore[union-attr]
                return f"L-{level}/{int(number_there):03}"
            case _ if "sample_id" in line:
                return f"{int(line['sample_id']):03}#{int(line['api_id'])}"
            case _:
                return f"{str(line['file']).removesuffix('.jsonl')}#{int(line['id'])}"
    except (KeyError, TypeError, ValueError):
        said = json.dumps(line)[:80]
        raise DataError(f"{path}:{number}: does not say which case it is for: {said}") from None


def _alias(name: str, layout: Layout) -> str:
    """The id as a layout has it: API-Bank's own says no level."""
    return name.partition("/")[2] if layout == "api-bank" else name


def _named(path: Path, number: int, key: str, known: Mapping[str, Row]) -> Row:
    if key not in known:
        near = get_close_matches(key, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{path}:{number}: no case {key!r} in these levels{hint}")
    return known[key]


def _next(path: Path, number: int, line: Mapping[str, Any], place: int, rows: Sequence[Row]) -> Row:
    """The row at a line's place."""
    if place >= len(rows):
        raise DataError(
            f"{path}:{number}: line {place + 1} of predictions in order, and there are "
            f"{len(rows)} rows; choose the levels with --level"
        )
    row, label = rows[place], line.get("label")
    labels = {one.label for one in rows}
    if isinstance(label, str) and label != row.label and label in labels:
        raise DataError(f"{path}:{number}: its label is that of another row than {row.id}")
    return row


def _text(path: Path, number: int, line: Mapping[str, Any], layout: Layout) -> str:
    name = {"toolrl": "raw_output", "api-bank": "pred"}.get(layout, "predict")
    text = line.get(name)
    if not isinstance(text, str):
        raise DataError(f"{path}:{number}: {name} is not a text")
    return text
