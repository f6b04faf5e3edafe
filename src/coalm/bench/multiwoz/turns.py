"""MultiWOZ 2.4's test turns: the conversation up to a user turn, and the state after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import sources, store
from coalm.errors import DataError
from coalm.sources import Found

TEST = "multiwoz/mwz24/test_states.jsonl.gz"


@dataclass(frozen=True, slots=True)
class TurnCase:
    """One user turn of a test dialogue."""

    dialogue: str
    """The dialogue's id, such as `SNG0073`."""
    turn: int
    """Counted from 0."""
    history: tuple[tuple[str, str], ...]
    """What the system said and what the user answered, oldest first; the last pair is asked."""
    state: Mapping[str, str]
    """The gold state after the last user turn; `a|b` means that either is right."""


def read_turns(path: Path) -> Iterator[TurnCase]:
    """Every turn of a file of test dialogues, in order; a broken line is a `DataError`.

    The `data.json` of a release will do as well: then the states are those of its metadata.
    """
    if path.name == "data.json":
        from coalm.bench.multiwoz.upstream_states import turns

        yield from turns(path.parent)
        return
    for number, row in store.read_jsonl(path):
        try:
            yield from _turns(row)
        except (KeyError, TypeError, AttributeError) as e:
            raise DataError(f"{path}:{number}: not a MultiWOZ dialogue: {e!r}") from None


def held_out_texts(found: Found | None = None) -> Iterator[str]:
    """Every user utterance of the test set, to be kept out of a training mixture."""
    found = found or sources.find("multiwoz")
    for case in read_turns(found.path(TEST)):
        yield case.history[-1][1]


def _turns(row: Mapping[str, Any]) -> Iterator[TurnCase]:
    history: tuple[tuple[str, str], ...] = ()
    for turn in row["turns"]:
        history = (*history, (turn["system"], turn["user"]))
        state = {str(slot): str(value) for slot, value in turn["state_24"].items()}
        yield TurnCase(row["dialogue_id"], turn["turn_idx"], history, state)
