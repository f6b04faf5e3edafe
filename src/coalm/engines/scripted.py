"""An engine that says what it is told: for tests, documents and trying things out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.errors import ModelError
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


@dataclass
class Script(Scripted):
    """A script that says when it is over, for people who try things out without a model."""

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """The next answer of the script for each prompt; unanswered when it has run out."""
        self.answers += [Unanswered("the script is over")] * (len(prompts) - len(self.answers))
        return super().complete(prompts, sampling)


def read_script(path: Path) -> list[str]:
    """The replies of a file, with a line `---` between two; a `ModelError` if it has none."""
    try:
        parts = re.split(r"^---[ \t]*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except (OSError, UnicodeDecodeError) as e:
        raise ModelError(f"{path}: not readable as a script: {e}") from None
    replies = [part.strip() for part in parts if part.strip()]
    if not replies:
        raise ModelError(f"{path}: the script is empty")
    return replies


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
