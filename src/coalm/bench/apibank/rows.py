"""API-Bank in Hammer's conversion: a conversation, the tools at hand, the one call that is due.

As in Hammer's evaluation, the conversation is pasted into one user message, a line for each
speaker, and the model is to write the call and nothing else.

Deviation D21: the words around it are ours, the tools stand where the run's dialect puts them,
and the data's cue at the end of the last line ("Generate ...") becomes part of the system message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import sources, store
from coalm.errors import DataError
from coalm.formats.dialects.base import unfenced
from coalm.sources import Found
from coalm.types import Dialogue, Json, System, ToolCall, ToolSpec, User

LEVELS: Mapping[str, str] = {
    "L-1": "apibank/hammer/apibank_l1.json",
    "L-2": "apibank/hammer/apibank_l2.json",
}
"""The file of each level: calling given tools, and finding a tool first (Paper 5.1)."""

COUNTS: Mapping[str, int] = {"L-1": 399, "L-2": 127}
"""How many rows the real files have."""

SYSTEM = "Read the conversation and make the API call that is due now. Write the call alone."

SPEAKERS: Mapping[str, str] = {
    "user": "User",
    "agent": "System",
    "assistant": "Call",
    "tool": "Result",
}
"""How each role of the data is called in the pasted conversation."""

_MARK = "Generate API Request:"
_TYPES: Mapping[str, Json] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "dict": {"type": "object"},
    "list": {"type": "array"},
    "list(str)": {"type": "array", "items": {"type": "string"}},
}


@dataclass(frozen=True, slots=True)
class CallCase:
    """A conversation at a point where a call is due."""

    level: str
    """`L-1` or `L-2`."""
    number: int
    """The row's place in its file, from 0."""
    opening: Dialogue
    """The conversation and its tools, ready for the call."""
    calls: tuple[ToolCall, ...]
    """The gold calls; one in every row of the real files."""


def read_level(path: Path, level: str, count: int = 0) -> Iterator[CallCase]:
    """Every row of one level's file, in order; a broken one is a `DataError` with its number.

    So is another number of rows than `count`, unless that is 0.
    """
    rows = store.read_json(path)
    if not isinstance(rows, list):
        raise DataError(f"{path}: not a list of API-Bank rows")
    if count and len(rows) != count:
        raise DataError(f"{path}: {len(rows)} rows in place of {count}")
    for number, row in enumerate(rows):
        try:
            yield CallCase(level, number, _opening(row), _calls(row["answers"]))
        except (KeyError, TypeError, AttributeError, ValueError) as e:
            raise DataError(f"{path}: row {number} is not an API-Bank row: {e!r}") from None


def held_out_texts(found: Found | None = None) -> Iterator[str]:
    """Every user utterance of both levels, to be kept out of a training mixture."""
    found = found or sources.find("apibank")
    for file in LEVELS.values():
        for row in store.read_json(found.path(file)):
            yield from (_said(line["content"]) for line in row["query"] if line["role"] == "user")


def _opening(row: Mapping[str, Any]) -> Dialogue:
    lines = [_line(line["role"], line["content"]) for line in row["query"]]
    pasted = "\n".join(line for line in lines if line)
    return Dialogue((System(SYSTEM), User(pasted)), tools_of(row["tools"]))


def _said(content: str) -> str:
    """What was said, without the cue; empty where there was nothing else."""
    return content.strip().removesuffix(_MARK).strip()


def _line(role: str, content: str) -> str:
    """One speaker's line; empty where there was nothing but the cue."""
    text = _said(content)
    if role not in SPEAKERS:
        raise ValueError(f"a line by {role!r}")
    if role == "assistant":
        text = unfenced(text).strip()
    return f"{SPEAKERS[role]}: {text}" if text else ""


def _calls(rows: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(row["name"], dict(row["arguments"])) for row in rows)


def tools_of(rows: Iterable[Mapping[str, Any]]) -> tuple[ToolSpec, ...]:
    """The tools with their parameters as JSON Schema; none is said to be optional."""
    specs = []
    for row in rows:
        properties: dict[str, Json] = {
            name: {**_schema(given["type"]), "description": given["description"]}
            for name, given in row["parameters"].items()
        }
        schema: dict[str, Json] = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
        specs.append(ToolSpec(row["name"], row["description"], schema))
    return tuple(specs)


def _schema(kind: str) -> dict[str, Json]:
    known = _TYPES.get(kind, {})
    return dict(known) if isinstance(known, dict) else {}
