"""Sound values and thoughts of other dialogues, so that planted errors are plausible."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from coalm.cra.phrases import Draw
from coalm.types import Assistant, Json, Sample

_KEPT = 200


def _shelf() -> defaultdict[tuple[str, str], deque[str]]:
    return defaultdict(lambda: deque(maxlen=_KEPT))


@dataclass(slots=True)
class Donors:
    """What the latest sound dialogues held; bounded, so that any number may pass."""

    values: defaultdict[tuple[str, str], deque[str]] = field(default_factory=_shelf)
    """Tool and argument to the values that calls had."""
    thoughts: defaultdict[tuple[str, str], deque[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_KEPT))
    )
    """Tool and place (`before`, `after`) to thoughts, each with a value of its own call."""

    def take(self, sample: Sample) -> None:
        """Keep what a sound sample can give."""
        last: tuple[str, Mapping[str, Json]] | None = None
        for turn in sample.dialogue.turns:
            if not isinstance(turn, Assistant):
                continue
            if turn.calls:
                call = turn.calls[0]
                last = (call.name, call.arguments)
                for slot, value in call.arguments.items():
                    if isinstance(value, str):
                        self.values[call.name, slot].append(value)
            if last and (value := _own(turn.thought, last[1])):
                self.thoughts[last[0], "before" if turn.calls else "after"].append(
                    (turn.thought, value)
                )
            last = last if turn.calls else None

    def value(self, draw: Draw, tool: str, slot: str, unlike: str) -> str | None:
        """A value that the same argument had elsewhere, of which `unlike` holds no trace."""
        known = [v for v in dict.fromkeys(self.values[tool, slot]) if v.lower() not in unlike]
        return draw.one(known) if known else None

    def thought(self, draw: Draw, tool: str, place: str, unlike: str) -> str | None:
        """A thought about the same tool whose own value `unlike` does not hold."""
        known = [t for t, value in self.thoughts[tool, place] if value.lower() not in unlike]
        return draw.one(known) if known else None


def _own(thought: str, arguments: Mapping[str, Json]) -> str:
    """A value of the call that the thought names, long enough to be told from others."""
    return next((v for v in map(str, arguments.values()) if len(v) > 3 and v in thought), "")
