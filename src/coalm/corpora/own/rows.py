"""One row of a person's file -> a sample, or everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from coalm import store
from coalm.corpora.own import chat, order, schema, sharegpt
from coalm.corpora.own.faults import Faults
from coalm.errors import DataError, unknown
from coalm.types import Dialogue, Sample

Style = Literal["openai", "sharegpt", "coalm"]

STYLES: tuple[Style, ...] = ("openai", "sharegpt", "coalm")
"""OpenAI chat with tools, ShareGPT in its kinds, and our own schema."""

_OWN_CALLS = ("tool_call", "function_call", "tool_response", "function_response", "observation")
"""Roles that OpenAI's layout does not have: a call or a result is a message of its own."""


NAMELESS = "own/"
"""How the ids begin of rows that have none; the conversation's hash follows."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A row, read as far as it can be."""

    sample: Sample | None
    """None where something is wrong."""
    style: str
    faults: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    """What is allowed but seldom meant."""


def style_named(name: str) -> Style | None:
    """A style that a person stated; None for the empty name, which means: see for yourself."""
    if not name:
        return None
    found = next((style for style in STYLES if style == name), None)
    if found is None:
        raise DataError(unknown("style", name, STYLES))
    return found


def recognise(row: Mapping[str, Any]) -> tuple[Style, str]:
    """The style of a row and the key of its turns, by content; a `DataError` if it has none."""
    for key in ("turns", "messages", "conversations", "conversation"):
        if key not in row:
            continue
        if key == "turns":
            return "coalm", key
        turns = row[key]
        said = [m for m in turns if isinstance(m, dict)] if isinstance(turns, list) else []
        if any("from" in m and "role" not in m for m in said):
            return "sharegpt", key
        if any(m.get("role") in _OWN_CALLS for m in said):
            return "sharegpt", key
        if any("role" in m for m in said):
            return "openai", key
        return ("openai" if key == "messages" else "sharegpt"), key
    raise DataError(
        "holds no conversation: neither 'messages' (OpenAI), 'conversations' (ShareGPT) "
        f"nor 'turns' (our own schema), but {', '.join(map(repr, list(row)[:6])) or 'nothing'}"
    )


def examine(row: Mapping[str, Any], style: str = "") -> Examined:
    """A row as a sample, or all that is wrong with it."""
    faults = Faults()
    stated = style_named(style)
    try:
        seen, key = recognise(row)
    except DataError as e:
        return Examined(None, style, (str(e),))
    seen = stated or seen
    found, places = _dialogue(row, seen, key, faults)
    name = row.get("id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
        faults.add("id", "is neither a string nor a number")
    if not faults:
        faults += order.unsound(found, places, every_result=seen == "openai")
    if faults:
        return Examined(None, seen, tuple(dict.fromkeys(faults)))
    doubts = tuple(order.doubtful(found, places))
    return Examined(_sample(row, found, seen), seen, (), doubts)


def make(place: str, row: Mapping[str, Any], style: str = "") -> Sample:
    """The sample of a row; a `DataError` names the place and the first fault, and counts the rest.

    Safe to call in any process: it reads nothing but the row. Whether an id came before can
    only be seen by whoever sees all rows.
    """
    found = examine(row, style)
    if found.sample is None:
        more = f" (and {len(found.faults) - 1} more)" if len(found.faults) > 1 else ""
        raise DataError(f"{place}: {found.faults[0]}{more}")
    return found.sample


def _dialogue(
    row: Mapping[str, Any], style: Style, key: str, faults: Faults
) -> tuple[Dialogue, list[str]]:
    match style:
        case "openai":
            return chat.dialogue(row, faults, key)
        case "sharegpt":
            return sharegpt.dialogue(row, faults, key)
        case "coalm":
            return schema.dialogue(row, faults, key)


def _sample(row: Mapping[str, Any], found: Dialogue, style: Style) -> Sample:
    name = row.get("id")
    given = str(name) if name is not None and name != "" else f"{NAMELESS}{_hash(found)}"
    sample = Sample(given, "own", found, given)
    if style != "coalm":
        return sample
    return replace(
        sample,
        corpus=str(row.get("corpus") or "own"),
        group=str(row.get("group") or given),
        dialect=str(row.get("dialect") or ""),
    )


def _hash(found: Dialogue) -> str:
    """The same for the same conversation in whatever style, so that repetitions are seen."""
    return store.content_hash([store.dump_turns(found.turns), store.dump_tools(found.tools)])
