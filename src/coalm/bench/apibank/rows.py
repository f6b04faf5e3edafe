"""API-Bank in Hammer's conversion: a conversation, the tools at hand, the one call that is due.

Deviation D21: Hammer pastes the conversation into one message as lines of text. Here it is a
conversation: `user` lines are the user's turns, `agent` lines the assistant's words, fenced
JSON its calls, `tool` lines their results, so that each model reads its own turn markers.

Deviation D22: the data closes the last line with a cue to write the request, often inside
the agent's own words ("Let me look that up.\\nGenerate ..."). A chat prompt has to end before
the assistant's turn, so the words stay as a turn of the assistant and a short user turn asks
for the call. The same is done before every earlier call that follows the agent's words, so
the history shows what is wanted: after that turn, a call and nothing else. Where the user or
a tool spoke last, the cue is dropped, since nothing has to be said to make it the model's turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import sources, store
from coalm.errors import DataError
from coalm.formats.dialects import dialect
from coalm.sources import Found
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    System,
    ToolCall,
    ToolSpec,
    Turn,
    User,
)

LEVELS: Mapping[str, str] = {
    "L-1": "apibank/hammer/apibank_l1.json",
    "L-2": "apibank/hammer/apibank_l2.json",
}
"""The file of each level: calling given tools, and finding a tool first (Paper 5.1)."""

SYSTEM = "You help a user by calling APIs. When a call is due, write the call alone."
CUE = "Go on and make the API call."

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


def read_level(path: Path, level: str) -> Iterator[CallCase]:
    """Every row of one level's file, in order; a broken one is a `DataError` with its number."""
    rows = store.read_json(path)
    if not isinstance(rows, list):
        raise DataError(f"{path}: not a list of API-Bank rows")
    for number, row in enumerate(rows):
        try:
            yield CallCase(level, number, _opening(row), _calls(row["answers"]))
        except (KeyError, TypeError, AttributeError, ValueError) as e:
            raise DataError(f"{path}: row {number} is not an API-Bank row: {e!r}") from None


def held_out_texts(found: Found | None = None) -> Iterator[str]:
    """Every user utterance of both levels, to be kept out of a training mixture."""
    found = found or sources.find("apibank")
    for level, file in LEVELS.items():
        for case in read_level(found.path(file), level):
            for turn in case.opening.turns:
                if isinstance(turn, User) and turn.text != CUE:
                    yield turn.text


def _opening(row: Mapping[str, Any]) -> Dialogue:
    turns: list[Turn] = [System(SYSTEM)]
    for line in row["query"]:
        text = line["content"].strip().removesuffix(_MARK).strip()
        last = turns[-1]
        match line["role"]:
            case "user":
                turns.append(User(text))
            case "agent" if not text:
                continue  # nothing but the cue
            case "agent" if isinstance(last, Assistant) and last.text:
                turns[-1] = Assistant(f"{last.text}\n{text}")
            case "agent":
                turns.append(Assistant(text))
            case "assistant":
                turns += [*_cue(last), Assistant(calls=_fenced(text))]
            case "tool":
                called = last.calls[-1].name if isinstance(last, Assistant) and last.calls else ""
                turns.append(Observation(text, called))
            case role:
                raise ValueError(f"a line by {role!r}")
    return Dialogue((*turns, *_cue(turns[-1])), _tools(row["tools"]))


def _cue(last: Turn) -> list[Turn]:
    """The turn that asks for a call where the assistant spoke last."""
    return [User(CUE)] if isinstance(last, Assistant) else []


def _fenced(text: str) -> tuple[ToolCall, ...]:
    found = dialect("json").read(text)
    if not isinstance(found, Assistant) or not found.calls:
        raise ValueError(f"a call that cannot be read: {text[:60]!r}")
    return found.calls


def _calls(rows: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(row["name"], dict(row["arguments"])) for row in rows)


def _tools(rows: Sequence[Mapping[str, Any]]) -> tuple[ToolSpec, ...]:
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
