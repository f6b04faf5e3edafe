"""The town guide's dialogue state, as a page or a terminal shows it."""

from coalm.agent.state import entities_of, state_of
from coalm.agent.tracking import State
from coalm.types import Assistant, Dialogue


def town_state(dialogue: Dialogue) -> State:
    """What is settled in MultiWOZ's slots, what was offered, what was booked; a `Reader`."""
    slots: dict[str, dict[str, str]] = {}
    for name, value in state_of(dialogue).items():
        domain, _, slot = name.partition("-")
        slots.setdefault(domain, {})[slot] = value
    found = entities_of(dialogue)
    offered = {k.removesuffix("-offered"): v for k, v in found.items() if k.endswith("-offered")}
    booked = {k.removesuffix("-booked"): v for k, v in found.items() if k.endswith("-booked")}
    return State(_latest(dialogue), slots, offered, booked)


_NOUNS = ("restaurant", "hotel", "attraction", "train", "taxi")


def _latest(dialogue: Dialogue) -> str:
    """The domain of the last call."""
    names = [c.name for t in dialogue.turns if isinstance(t, Assistant) for c in t.calls]
    return next((noun for name in reversed(names) for noun in _NOUNS if noun in name), "")
