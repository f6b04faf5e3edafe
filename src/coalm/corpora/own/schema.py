"""Our own rows (`store.dump_sample`), and the JSON Schema that says what they are."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from coalm import store
from coalm.corpora.own.faults import Faults, kind, listed, mapping, parsed
from coalm.corpora.own.tools import tools
from coalm.errors import DataError
from coalm.types import Dialogue, Turn

FIELDS: Mapping[str, tuple[str, ...]] = {
    "system": ("role", "text"),
    "user": ("role", "text"),
    "assistant": ("role", "text", "thought", "calls"),
    "tool": ("role", "text", "tool"),
}
"""What each kind of turn may hold."""

ROW = ("id", "corpus", "group", "dialect", "turns", "tools")


@cache
def schema() -> str:
    """The JSON Schema (2020-12) of a row, as text."""
    return Path(__file__).with_name("schema.json").read_text(encoding="utf-8")


def dialogue(
    row: Mapping[str, Any], faults: Faults, key: str = "turns"
) -> tuple[Dialogue, list[str]]:
    """The conversation of a row in our own schema, and where each turn stands."""
    specs = tools(row.get("tools"), faults)
    turns: list[Turn] = []
    for name in ("corpus", "group", "dialect"):
        if row.get(name) is not None and not isinstance(row[name], str):
            faults.add(name, f"is {kind(row[name])}, not a string")
    with faults.at(key):
        for number, one in enumerate(listed(parsed(row[key], "it"), "it")):
            with faults.at(f"{key}[{number}]"):
                turns.append(_turn(_known(mapping(one, "it"))))
    return Dialogue(tuple(turns), specs), [f"{key}[{n}]" for n in range(len(turns))]


def _turn(row: dict[str, Any]) -> Turn:
    try:
        return store.load_turns([row])[0]
    except DataError as e:
        # `turn 0.assistant.calls.0.name: ...`: the caller knows which turn and which role.
        where, _, why = str(e).partition(": ")
        field = ".".join(where.split(".")[2:])
        raise ValueError(f"{field}: {why}" if field else why) from None


def _known(turn: dict[str, Any]) -> dict[str, Any]:
    """The turn, if it holds only what its role may: a typo would be lost in silence."""
    role = turn["role"]
    if not isinstance(role, str) or role not in FIELDS:
        raise ValueError(f"the role {role!r} is none of {', '.join(FIELDS)}")
    for name in turn:
        if name not in FIELDS[role]:
            close = get_close_matches(name, FIELDS[role], n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"a turn of role {role!r} has no field {name!r}{hint}")
    calls = turn.get("calls")
    for number, call in enumerate(listed(calls if calls is not None else [], "calls")):
        extra = set(mapping(call, f"calls[{number}]")) - {"name", "arguments"}
        if extra:
            raise ValueError(f"calls[{number}] has no field {min(extra)!r}")
    return {name: value for name, value in turn.items() if value is not None}
