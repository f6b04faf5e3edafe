"""An engine that remembers: an answer that the same model gave before is taken from disk.

The key is a hash of the prompt (its pieces, markers told apart from data), the sampling and
what else decides the answer, such as engine and precision; the model is in the file's name.
What the world kept from being answered is not an answer and is never kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from coalm.engines.answers import Answers
from coalm.engines.base import Completion, Engine, Sampling, Unanswered
from coalm.engines.journal import key_of
from coalm.formats import Piece
from coalm.formats.pieces import merged


@dataclass(frozen=True)
class Cached:
    """An engine and the answers that it gave before."""

    engine: Engine
    answers: Answers
    decides: Mapping[str, Any] = field(default_factory=dict)
    """What an answer depends on beside model, prompt and sampling."""

    @property
    def shares_prefixes(self) -> bool:
        """As the engine does."""
        return bool(getattr(self.engine, "shares_prefixes", False))

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """As the engine completes; it is asked only what it has not answered before."""
        keys = [self._key(prompt, sampling) for prompt in prompts]
        known = self.answers.get(keys)
        left = [at for at, key in enumerate(keys) if key not in known]
        came = self.engine.complete([prompts[at] for at in left], sampling) if left else []
        new = dict(zip(left, came, strict=True))
        self.answers.put(
            {keys[at]: answer for at, answer in new.items() if isinstance(answer, Completion)}
        )
        return [new[at] if at in new else known[key] for at, key in enumerate(keys)]

    def _key(self, prompt: Sequence[Piece], sampling: Sampling) -> str:
        drawn = asdict(sampling)
        if sampling.temperature == 0:
            del drawn["seed"]  # nothing is drawn
        pieces = [[piece.text, piece.control] for piece in merged(prompt)]
        return key_of("complete", {"prompt": pieces, "sampling": drawn, **self.decides})
