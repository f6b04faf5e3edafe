"""What an engine is: prompts in, completions out.

A prompt is a list of pieces, so an in-process engine can keep data away from the
control keys and a text endpoint can join them. What the world did to a prompt
(time-out, killed process) is `Unanswered`: retried later, never scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from coalm.errors import RecipeError
from coalm.formats import Chat, Format, Malformed, Piece, Rows, plain
from coalm.formats.dialects import Dialect
from coalm.types import Assistant, Dialogue


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn."""

    max_tokens: int = 256
    """At most so many new tokens."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of the draw where the temperature is above 0."""
    end: str = ""
    """The marker that ends a turn; filled in from the format's layout."""
    stops: tuple[str, ...] = ()
    """Strings at which to stop; they are not part of the completion."""
    logprobs: bool = False
    """Ask for the log-probability of each token of the completion."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote, without the marker that ended it."""

    text: str
    ended: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    """Tokens up to the end: those of a stop string are counted, the end marker is not."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithms of the tokens' probabilities before any temperature, in their order;
    None where they were not asked for, or where an endpoint does not give them."""
    cached: bool = field(default=False, compare=False)
    """Whether it was given before and taken from the cache; no time was spent on it."""

    @property
    def logprob(self) -> float | None:
        """The log-probability of the whole completion, its end marker left out."""
        return None if self.logprobs is None else sum(self.logprobs)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A prompt that the world kept from being answered."""

    why: str


class Engine(Protocol):
    """A model that completes prompts; one answer for each, in order."""

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt, in the order of the prompts."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """A turn that a model took, and what it wrote to take it."""

    turn: Assistant | Malformed
    completion: Completion
    prompt: str
    """The prompt as text, markers included."""


class Speaker(Protocol):
    """Whoever can take the assistant's next turn in many dialogues at once."""

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """One turn for each dialogue, in order."""
        ...


@runtime_checkable
class Polyglot(Protocol):
    """A `Speaker` that can be asked in another dialect."""

    def in_dialect(self, dialect: Dialect) -> Speaker:
        """The same model, told of its tools and read in that dialect."""
        ...


@dataclass(frozen=True, slots=True)
class Model:
    """An engine and the format that its model was trained on: the usual `Speaker`."""

    engine: Engine
    format: Format

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """Write a prompt for each dialogue, complete them together, read what came back."""
        prompts = [self.format.prompt(dialogue) for dialogue in dialogues]
        drawn = replace(
            sampling, end=self.format.layout.stop, stops=(*sampling.stops, *self.format.stops)
        )
        return [
            answer
            if isinstance(answer, Unanswered)
            else Said(self.format.read(answer.text), answer, plain(prompt))
            for prompt, answer in zip(prompts, self.engine.complete(prompts, drawn), strict=True)
        ]

    def in_dialect(self, dialect: Dialect) -> Speaker:
        """The same engine and layout with that dialect."""
        if not isinstance(self.format, Chat | Rows):
            raise RecipeError(f"{self.format.name} cannot be asked in another dialect")
        return Model(self.engine, replace(self.format, dialect=dialect))
