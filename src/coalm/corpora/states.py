"""Dialogue state tracking as one request and one JSON answer: written, and read again.

SGD's training rows and MultiWOZ's `dst-json` protocol are both built here, so a model
is asked in the very words it was trained on. The state is the flat JSON object of every
slot filled so far, written anew at each turn. `agent_request` asks an agent instead, whose
state is what the arguments of its calls add up to.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.types import Dialogue, System, ToolSpec, User

LONGEST = 20_000
"""Characters of one answer that are looked at."""
PATIENCE = 5 * LONGEST
"""Characters that may be read in vain: a nest of braces would be read again from each of them."""
MANY = 8
"""A slot with more values than these is shown without them."""


AGENT = (
    "Go on with the conversation below. As soon as the user settles or changes something, call "
    "the tool that looks it up, with all that is settled so far; book once every detail that "
    'the booking needs is known. Leave out what is open, and write "any" where the user takes '
    "anything. If nothing changed, answer the user."
)
"""What an agent is told whose state is read off its calls."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that a user can settle, as the model is told of it."""

    name: str
    """`domain-slot`, such as `hotel-area` or `restaurant-book time`."""
    description: str
    values: tuple[str, ...] = ()
    """All that it can be, where the slot is categorical; else empty."""


def state_request(
    slots: Sequence[Slot], history: Sequence[tuple[str, str]], *, name_open: bool = False
) -> Dialogue:
    """The question for the state after the last user turn; `read_state` reads the answer.

    `history` holds what the system said (empty before the first user turn) and what the
    user answered, oldest first. With `name_open` every slot is asked for, open ones as `none`.
    """
    return Dialogue((System(_instruction(slots, name_open)), User(as_lines(history))))


def as_lines(history: Sequence[tuple[str, str]]) -> str:
    """What was said, a line for each side's turn: `System: ...`, `User: ...`."""
    return "\n".join(
        f"{who}: {' '.join(text.split())}"
        for system, user in history
        for who, text in (("System", system), ("User", user))
        if text.strip()
    )


def _instruction(slots: Sequence[Slot], name_open: bool) -> str:
    listed = "\n".join(_line(slot) for slot in slots)
    blank = (
        'Name every slot, "none" where it is open'
        if name_open
        else "Leave out open slots, write {} if all are open"
    )
    return (
        "Read the conversation and write what the user has settled so far as one JSON object "
        f'from slot to value, such as {{"domain-slot": "value"}}. {blank}, and "dontcare" '
        "where the user takes anything.\n"
        f"Slots:\n{listed}"
    )


def agent_request(history: Sequence[tuple[str, str]], tools: Sequence[ToolSpec]) -> Dialogue:
    """The next step of an agent that is given a conversation it did not lead itself.

    `history` as in `state_request`. Its tools look up and book; the state of the
    conversation is what their arguments add up to.
    """
    return Dialogue((System(AGENT), User(as_lines(history))), tuple(tools))


def _line(slot: Slot) -> str:
    values = f" ({' / '.join(slot.values)})" if 0 < len(slot.values) <= MANY else ""
    return f"{slot.name}: {' '.join(slot.description.split())}{values}"


def write_state(state: Mapping[str, str]) -> str:
    """The state as one line of JSON, in its own order, unicode as it is; `{}` for none."""
    return json.dumps(dict(state), ensure_ascii=False)


def read_state(text: str) -> dict[str, str] | None:
    """The state in a model's answer: its first JSON object, whatever stands around it.

    Numbers and truth values become the words that a state has for them, null is an open
    slot. None when there is no object at all; never raises.
    """
    text = text[:LONGEST]
    decoder = json.JSONDecoder()
    place, left = text.find("{"), PATIENCE
    while place >= 0 and left > 0:
        try:
            value, _ = decoder.raw_decode(text, place)
            return {str(k): _word(v) for k, v in value.items() if v is not None}
        except json.JSONDecodeError as e:
            left -= e.pos - place
        except (ValueError, RecursionError):  # what nests too deep to be read, or to be written
            left -= len(text) - place
        place = text.find("{", place + 1)
    return None


def _word(value: object) -> str:
    match value:
        case str():
            return value.strip()
        case bool():
            return "yes" if value else "no"
        case _:
            return json.dumps(value, ensure_ascii=False)
