"""Drawing tokens so that a request's sample is its own, whoever is in its batch.

A token is drawn by adding Gumbel noise to the scaled logits and taking the largest: that is
a draw from the softmax of the logits over the temperature. The noise of a row comes from a
generator of its own, whose seed is made of the sampling's seed and the prompt's ids.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_of(ids: Sequence[int], seed: int) -> int:
    """The seed of a request: below 2**63, the same for the same prompt and sampling seed."""
    text = f"{seed}:{','.join(map(str, ids))}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Draws:
    """A logits processor for greedy decoding that draws, and tells the log-probabilities.

    Greedy decoding of what it gives back is sampling; with a temperature of 0 it gives the
    logits back as they are.
    """

    def __init__(
        self, rows: Sequence[Sequence[int]], temperature: float, seed: int, *, logprobs: bool
    ) -> None:
        import torch

        self._temperature, self._logprobs = temperature, logprobs
        seeds = [seed_of(row, seed) for row in rows] if temperature > 0 else []
        # On the CPU, whatever the device: so a seed means the same everywhere.
        self._generators = [torch.Generator().manual_seed(one) for one in seeds]
        self._last: torch.Tensor | None = None
        self._told: list[torch.Tensor] = []

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """The scores among which the largest is to be taken."""
        import torch

        if self._logprobs:
            self._note(ids)
            self._last = torch.log_softmax(scores.float(), dim=-1)
        if not self._generators:
            return scores
        noise = torch.stack(
            [
                torch.empty(scores.shape[-1]).exponential_(generator=generator)
                for generator in self._generators
            ]
        )
        return scores.float() / self._temperature - noise.log().to(scores.device)

    def logprobs(self, ids: "torch.Tensor") -> list[list[float]] | None:
        """Of each row, the log-probability of each new token; `ids` are the rows at the end."""
        import torch

        if not self._logprobs:
            return None
        self._note(ids)
        found: list[list[float]] = torch.stack(self._told, dim=1).tolist()
        return found

    def _note(self, ids: "torch.Tensor") -> None:
        """Keep what the last scores said of the tokens that were then taken."""
        if self._last is not None:
            self._told.append(self._last.gather(1, ids[:, -1:]).squeeze(1).cpu())
