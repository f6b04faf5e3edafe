"""An engine that is opened when the first prompt comes: a finished run needs no model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coalm.engines.base import Completion, Engine, Sampling, Unanswered
from coalm.formats import Piece


@dataclass
class Lazy:
    """Whatever `open` gives, opened once and late."""

    open: Callable[[], Engine]
    shares_prefixes: bool = False
    """Whether it will be quickest with prompts that begin alike beside each other."""
    engine: Engine | None = field(default=None, init=False)

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """As the engine completes."""
        if self.engine is None:
            self.engine = self.open()
        return self.engine.complete(prompts, sampling)
