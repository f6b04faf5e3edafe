"""An engine that says what it is told: for tests, documents and trying things out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.formats import Piece, plain


@dataclass
class Scripted:
    """Gives the scripted answers in order, and remembers each prompt as text."""

    answers: list[str | Unanswered] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """The next answer of the script for each prompt; silence when it has run out."""
        said: list[Completion | Unanswered] = []
        for prompt in prompts:
            self.seen.append(plain(prompt))
            answer = self.answers.pop(0) if self.answers else ""
            said.append(answer if isinstance(answer, Unanswered) else _completion(answer, prompt))
        return said


@dataclass(frozen=True)
class Answering:
    """Gives `answer(prompt text)` for every prompt: gold, silence or garbage at will."""

    answer: Callable[[str], str]

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One computed answer a prompt."""
        return [_completion(self.answer(plain(prompt)), prompt) for prompt in prompts]


def _completion(text: str, prompt: Sequence[Piece]) -> Completion:
    return Completion(text, "stop", len(plain(prompt).split()), len(text.split()))
