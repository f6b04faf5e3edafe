"""Answers as they come: for people who wait, and for servers that stream.

An engine that can tell what it has written so far is `Streaming`; `Heard` makes a speaker of
a model that tells what is already certain of its turn. An engine that cannot tell is silent
until it has finished: nothing else changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

from coalm.engines.base import Completion, Engine, Model, Said, Sampling, Speaker, Unanswered
from coalm.formats import Format, Piece, plain
from coalm.formats.glimpse import Glimpse, glimpse
from coalm.types import Dialogue

Growing: TypeAlias = Callable[[int, str], bool]
"""Told a prompt's number and its text so far; False stops that prompt's completion there."""
Done: TypeAlias = Callable[[Completion | Unanswered], None]
"""Told what a prompt has come to, once."""


@runtime_checkable
class Streaming(Protocol):
    """An `Engine` that tells what it writes while it writes."""

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        """As `complete`; `growing` is called from time to time, never after the return.

        A completion that was stopped by it ends with `stop`.
        """
        ...


@runtime_checkable
class Continuous(Protocol):
    """An `Engine` that a prompt may join at any moment. It belongs to one thread."""

    def join(
        self,
        prompt: Sequence[Piece],
        sampling: Sampling,
        growing: Callable[[str], bool],
        done: Done,
    ) -> None:
        """Take a prompt in; both functions are called from `step`, or at once if it is refused.

        A completion is cut where the model's context ends; one that `growing` stopped ends
        with `stop`.
        """
        ...

    def step(self) -> bool:
        """A step of all that are under way; False if there is nobody. What it raises ends all."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """A `Speaker` that tells what is certain of each turn while it is being written."""

    engine: Engine
    format: Format
    told: Callable[[int, Glimpse], bool]
    """Told a dialogue's number and what is seen; False stops the turn there."""

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """As `Model` does."""
        if not isinstance(self.engine, Streaming):
            return Model(self.engine, self.format).speak(dialogues, sampling)
        prompts = [self.format.prompt(dialogue) for dialogue in dialogues]
        drawn = replace(
            sampling, end=self.format.layout.stop, stops=(*sampling.stops, *self.format.stops)
        )

        def growing(number: int, text: str) -> bool:
            return self.told(number, glimpse(self.format.dialect, text))

        return [
            answer
            if isinstance(answer, Unanswered)
            else Said(self.format.read(answer.text), answer, plain(prompt))
            for prompt, answer in zip(
                prompts, self.engine.stream(prompts, drawn, growing), strict=True
            )
        ]


def heard(speaker: Speaker, told: Callable[[int, Glimpse], bool]) -> Speaker:
    """The speaker, telling what it writes if it can."""
    if isinstance(speaker, Model):
        return Heard(speaker.engine, speaker.format, told)
    return speaker
