"""Where each column's numbers come from, so that they can be made again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.report.compare import title
from coalm.report.runs import Evaluated, Result
from coalm.store import compact

TOLD = ("label", "model", "command", "seed", "limit")
"""What of an identity has a line of its own already."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """One benchmark: facts in rows, models in columns."""

    title: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """A fact's name, and its value for each model; empty where a model was not measured."""
    commands: tuple[tuple[str, str], ...]
    """The model, and the command that makes its numbers again."""


def provenance(columns: Sequence[Evaluated], name: str) -> Provenance:
    """What the runs say of themselves on one benchmark."""
    facts = [_facts(c.results[name]) if name in c.results else {} for c in columns]
    names = dict.fromkeys(fact for column in facts for fact in column)
    rows = tuple((fact, tuple(column.get(fact, "") for column in facts)) for fact in names)
    commands = tuple(
        (c.label, _command(c.results[name], c.folder)) for c in columns if name in c.results
    )
    return Provenance(title(name), rows, commands)


def _command(result: Result, folder: Path) -> str:
    """The command that the run kept, or one with the same settings."""
    s = result.scores
    if s.identity.get("command"):
        return _text(s.identity["command"])
    layout, _, rest = _text(s.identity.get("format", "")).partition("/")
    dialect, _, rows = rest.partition("/")
    options = {
        "bench": f"{s.benchmark}:{s.protocol}",
        "limit": s.limit,
        "seed": s.seed,
        "layout": layout,
        "dialect": dialect,
        **{name: s.identity.get(name) for name in ("engine", "dtype")},
        "label": s.label,
        "out": folder.as_posix(),
    }
    model = s.model if isinstance(s.model, str) else _text(s.model.get("name", ""))
    words = ["coalm", "eval", model]
    for option, value in options.items():
        words += [f"--{option}", str(value)] if value not in ("", None) else []
    return shlex.join([*words, "--rows"] if rows else words)


def _facts(result: Result) -> dict[str, str]:
    s = result.scores
    own = {
        **_model(s.model),
        "data": s.version,
        "cases scored": f"{s.cases:,} of {s.available:,}",
        "not answered": f"{s.not_answered:,}",
        "limit": "none" if s.limit is None else f"{s.limit:,}",
        "seed": "none" if s.seed is None else str(s.seed),
        "prompt tokens": f"{s.prompt_tokens:,}",
        "completion tokens": f"{s.completion_tokens:,}",
        "seconds": f"{s.seconds:,.1f}",
        "libraries": _pairs(s.libraries) or "none",
    }
    # Whatever else the run was told apart by (format, engine, revision ...) is shown as it is.
    rest = {
        str(k): _text(v) for k, v in s.identity.items() if k not in TOLD and v not in ("", None)
    }
    return (
        own
        | {k: v for k, v in rest.items() if k not in own}
        | {
            "folder": result.folder.as_posix(),
            "outcomes (sha256)": result.fingerprint[:16],
        }
    )


def _model(model: str | Mapping[str, Any]) -> dict[str, str]:
    if isinstance(model, str):
        return {"model": model}
    rest = {f"model {k}": _text(v) for k, v in model.items() if k != "name"}
    return {"model": _text(model.get("name", ""))} | rest


def _pairs(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {_text(v)}" for k, v in value.items())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values()):
        return _pairs(value)
    return compact(value)
