"""The dialogue state, kept in sight: what is settled, what was offered, what was booked.

It is read off the conversation anew each time, so it can never disagree with it: an edited
turn changes the state, and nothing has to be undone. For any tools, what their calls ask for
is what is settled (Paper 5.1 reads the state the same way); a `Reader` of one's own can do
better, as `agent.state` does for Cambridge. `asked` has the model write its state instead.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from coalm.corpora.states import Slot, read_state, state_request
from coalm.engines import Said, Sampling, Speaker
from coalm.types import Assistant, Dialogue, Json, Observation, ToolCall, User

Table: TypeAlias = Mapping[str, Mapping[str, str]]
"""Domain -> name -> value."""

NAMES = ("name", "title", "id", "train_id", "reference")
"""What a result is called by, the first that it has."""
_MOST = 3
REMEMBERED = 1_000
"""Conversations whose state, as the model wrote it, is remembered."""


@dataclass(frozen=True, slots=True)
class State:
    """What a conversation has come to."""

    domain: str = ""
    """What it is about now: the domain of the last call."""
    slots: Table = field(default_factory=dict)
    """What the user has settled."""
    offered: Mapping[str, str] = field(default_factory=dict)
    """Per domain, what the last search found."""
    booked: Mapping[str, str] = field(default_factory=dict)
    """Per domain, what a tool that writes has done."""

    def as_json(self) -> dict[str, Json]:
        """The state as JSON."""
        return {
            "domain": self.domain,
            "slots": {name: dict(slots) for name, slots in self.slots.items()},
            "offered": dict(self.offered),
            "booked": dict(self.booked),
        }


Reader: TypeAlias = Callable[[Dialogue], State]


@dataclass(frozen=True, slots=True)
class Domains:
    """Which tools there are, for the state that their calls add up to."""

    of: Mapping[str, str]
    """Tool -> domain; a tool that is not here is a domain of its own."""
    writes: frozenset[str] = frozenset()
    """Tools whose success is something booked."""

    def __call__(self, dialogue: Dialogue) -> State:
        """The state of a conversation; itself a `Reader`."""
        slots: dict[str, dict[str, str]] = {}
        offered: dict[str, str] = {}
        booked: dict[str, str] = {}
        domain = ""
        for call, result in answered(dialogue):
            domain = self.of.get(call.name, call.name)
            if result is not None and result.text.startswith("error:"):
                continue  # what a tool refused is not settled
            given = {k: said(v) for k, v in call.arguments.items() if v not in (None, "")}
            slots.setdefault(domain, {}).update(given)
            if result is None:
                continue
            if call.name in self.writes:
                booked[domain] = _summary(result.text)
            elif found := _names(result.text):
                offered[domain] = found
        return State(domain, slots, offered, booked)


def answered(dialogue: Dialogue) -> Iterator[tuple[ToolCall, Observation | None]]:
    """Each call with what came back; None where nothing has yet."""
    waiting: list[ToolCall] = []
    for turn in dialogue.turns:
        if isinstance(turn, Assistant):
            yield from ((call, None) for call in waiting)
            waiting = list(turn.calls)
        elif isinstance(turn, Observation) and waiting:
            yield waiting.pop(0), turn
    yield from ((call, None) for call in waiting)


def asked(speaker: Speaker, slots: Sequence[Slot], max_tokens: int = 240) -> Reader:
    """A reader that has the model itself write the state, as in `multiwoz:dst-json`.

    What it writes that cannot be read leaves the state empty. It costs a prompt a user turn:
    what was read of a conversation is remembered.
    """
    known: dict[tuple[tuple[str, str], ...], State] = {}

    def read(dialogue: Dialogue) -> State:
        pairs = tuple(history(dialogue))
        if not pairs or pairs in known:
            return known.get(pairs, State())
        [answer] = speaker.speak([state_request(slots, pairs)], Sampling(max_tokens=max_tokens))
        if not isinstance(answer, Said):
            return State()
        table: dict[str, dict[str, str]] = {}
        for name, value in (read_state(answer.completion.text) or {}).items():
            domain, _, slot = name.partition("-")
            table.setdefault(domain, {})[slot or name] = value
        if len(known) >= REMEMBERED:
            known.clear()
        known[pairs] = State(next(reversed(table), ""), table)
        return known[pairs]

    return read


def history(dialogue: Dialogue) -> list[tuple[str, str]]:
    """What the system said before each user turn, and the turn; thoughts and tools aside."""
    pairs: list[tuple[str, str]] = []
    before = ""
    for turn in dialogue.turns:
        if isinstance(turn, User):
            pairs.append((before, turn.text))
            before = ""
        elif isinstance(turn, Assistant) and turn.text:
            before = turn.text
    return pairs


def said(value: Json) -> str:
    """A value as a person reads it."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(one, str | int | float) for one in value):
            return ", ".join(map(str, value))
        case _:
            return json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _names(text: str) -> str:
    """The names in a list of results: `Cow Pizza, Kymmoy and 2 more`; empty if there is none."""
    rows = _parsed(text)
    if isinstance(rows, dict):
        rows = next((v for v in rows.values() if isinstance(v, list)), [rows])
    names = [name for row in rows or () if (name := _name(row))] if isinstance(rows, list) else []
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _name(row: object) -> str:
    if isinstance(row, str):
        return row
    if not isinstance(row, dict):
        return ""
    return next((str(row[key]) for key in NAMES if isinstance(row.get(key), str | int)), "")


def _summary(text: str) -> str:
    """What a writing tool gave back, in short: its plain fields."""
    value = _parsed(text)
    if not isinstance(value, dict):
        return text[:80]
    plain = {k: v for k, v in value.items() if isinstance(v, str | int | float)}
    return ", ".join(f"{name} {said(v)}" for name, v in plain.items())[:200] or "done"
