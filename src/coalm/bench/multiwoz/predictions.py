"""Prediction files: dialogue id -> turns, each a response and, if predicted, state and domains.

`{"sng0073": [{"response": ..., "state": {"taxi": {"leave": "17:15"}}, "active_domains": [...]}]}`
is the corpus evaluator's layout. Ids may be spelt `SNG0073.json`, states may be flat
(`{"hotel-book day": "monday"}`), a value may be a number, or a list of which the first counts.

Deviation D86: the evaluator stops with a traceback, or finds nothing, where a value is a
number or a list; where one single turn of a file lacks its state it takes gold states for
all of them without a word. Here the first two are read, and the third is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.bench.multiwoz.success.values import State
from coalm.errors import DataError


@dataclass(frozen=True, slots=True)
class Predicted:
    """One turn of a file."""

    response: str
    state: State | None
    """As the file has it, but with domains apart; None where there is none."""
    active: tuple[str, ...] | None
    """None where the file does not say."""


Predictions = Mapping[str, tuple[Predicted, ...]]
"""Turns by lower-case dialogue id."""


def read_predictions(path: Path) -> Predictions:
    """The file's dialogues; a `DataError` names the dialogue and the turn that is broken."""
    found: dict[str, tuple[Predicted, ...]] = {}
    for name, turns in _rows(path).items():
        if not isinstance(turns, list):
            raise DataError(f"{path}: {name!r}: must be a list of turns, is {_kind(turns)}")
        id = plain_id(name)
        if id in found:
            raise DataError(f"{path}: {name!r}: the dialogue is there twice")
        found[id] = tuple(
            _predicted(turn, f"{path}: {name!r}, turn {i}") for i, turn in enumerate(turns)
        )
    return found


def read_states(path: Path) -> dict[str, tuple[State, ...]]:
    """A file of states alone, `{"sng0073": [{"taxi": {...}}, ...]}`, for `--states FILE`."""
    found: dict[str, tuple[State, ...]] = {}
    for name, turns in _rows(path).items():
        if not isinstance(turns, list):
            raise DataError(f"{path}: {name!r}: must be a list of states, is {_kind(turns)}")
        found[plain_id(name)] = tuple(
            _state(turn, f"{path}: {name!r}, turn {i}") for i, turn in enumerate(turns)
        )
    return found


def plain_id(name: str) -> str:
    """`SNG0073.json` -> `sng0073`."""
    return name.strip().lower().removesuffix(".json")


def _rows(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        rows = store.read_json(path)
    except RecursionError:
        raise DataError(f"{path}: not readable as JSON: nested too deeply") from None
    if not isinstance(rows, dict):
        raise DataError(f"{path}: must be an object of dialogue ids, is {_kind(rows)}")
    if not rows:
        raise DataError(f"{path}: holds no dialogue")
    return rows


def _predicted(turn: object, where: str) -> Predicted:
    if not isinstance(turn, dict):
        raise DataError(f"{where}: must be an object with a response, is {_kind(turn)}")
    if "response" not in turn:
        raise DataError(f"{where}: has no response")
    response, state, active = turn["response"], turn.get("state"), turn.get("active_domains")
    if not isinstance(response, str):
        raise DataError(f"{where}: the response must be text, is {_kind(response)}")
    if active is not None and (
        not isinstance(active, list) or not all(isinstance(each, str) for each in active)
    ):
        raise DataError(f"{where}: active_domains must be a list of names, is {active!r:.60}")
    return Predicted(
        response,
        None if state is None else _state(state, where),
        None if active is None else tuple(active),
    )


def _state(raw: object, where: str) -> State:
    if not isinstance(raw, dict):
        raise DataError(f"{where}: the state must be an object, is {_kind(raw)}")
    state: dict[str, dict[str, str | None]] = {}
    for key, of in raw.items():
        if isinstance(of, dict):
            slots = state.setdefault(key, {})
            slots.update({s: _value(v, f"{where}: {key}, {s!r}") for s, v in of.items()})
            continue
        domain, dash, slot = key.partition("-")
        if not dash:
            raise DataError(f"{where}: in the state, {key!r} must be an object, is {_kind(of)}")
        state.setdefault(domain, {})[slot] = _value(of, f"{where}: {key!r}")
    return state


def _value(value: object, where: str) -> str | None:
    match value:
        case str() | None:
            return value
        case bool():
            raise DataError(f"{where}: must be text, is {value}")
        case int() | float():
            return str(value)
        case [str() as first, *_]:
            return first
        case []:
            return None
        case _:
            raise DataError(f"{where}: must be text, is {_kind(value)}")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "text"
        case _:
            return "a number"
