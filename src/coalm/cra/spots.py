"""Where an error can be planted: an assistant's turn with what a plausible error needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coalm.corpora.sgd import Service, SgdDialogue
from coalm.cra.donors import Donors
from coalm.types import Assistant, Observation, Sample, ToolCall, ToolSpec, User


@dataclass(frozen=True, slots=True)
class Spot:
    """An assistant's turn of a sound sample."""

    place: int
    """Its number in the sample."""
    turn: Assistant
    sample: Sample
    services: Mapping[str, Service]
    donors: Donors
    after: bool
    """Whether a result stands before it."""
    says: Mapping[int, frozenset[str]]
    """Number of each assistant turn to the kinds of act of SGD's system turn there."""
    text: str
    """All that the sample says and shows anywhere, in lower case."""

    @property
    def call(self) -> ToolCall | None:
        """The turn's call, if it has one."""
        return self.turn.calls[0] if self.turn.calls else None

    @property
    def tool(self) -> ToolSpec | None:
        """The tool of that call."""
        name = self.call.name if self.call else ""
        return next((t for t in self.sample.dialogue.tools if t.name == name), None)


@dataclass(frozen=True, slots=True)
class Change:
    """What a turn becomes; words stay as they are."""

    thought: str
    call: ToolCall | None


def spots(
    sample: Sample,
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    donors: Donors,
) -> Iterator[Spot]:
    """Every assistant turn of a sample, in order."""
    turns = sample.dialogue.turns
    texts = [t.text for t in turns if isinstance(t, User | Assistant | Observation)]
    calls = [c for t in turns if isinstance(t, Assistant) for c in t.calls]
    texts += [str(value) for call in calls for value in call.arguments.values()]
    says = _says(sample, dialogue)
    for place, turn in enumerate(turns):
        if isinstance(turn, Assistant):
            after = isinstance(turns[place - 1], Observation)
            text = "\n".join(texts).lower()
            yield Spot(place, turn, sample, services, donors, after, says, text)


def _says(sample: Sample, dialogue: SgdDialogue) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    acts: frozenset[str] = frozenset()
    exchanges = iter(dialogue.exchanges)
    for place, turn in enumerate(sample.dialogue.turns):
        if isinstance(turn, User):
            exchange = next(exchanges)
            acts = frozenset(a.act for f in exchange.system.frames for a in f.acts)
        elif isinstance(turn, Assistant):
            found[place] = acts
    return found
