"""The in-process engine: transformers, batched by length, shared prefixes computed once.

Prompts of a benchmark begin alike (the same instruction, often the same tools), so the
longest common beginning of a batch is run once and its cache repeated for every row. On a
GPU greedy completions go through continuous batching instead (`engines.paged`).

What a request gets does not depend on its neighbours: a sample is drawn with a seed of its
own. Where memory runs out the batch is halved, and stays small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coalm import models
from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.engines.generation import generate
from coalm.engines.memory import freed, ran_out
from coalm.engines.paged import Paged, PagedError
from coalm.errors import MissingExtra
from coalm.formats import Piece, encode
from coalm.formats.tokens import ModelTokenizer, open_tokenizer

Ids = tuple[int, ...]


@dataclass
class Transformers:
    """A causal language model in this process."""

    model: Any
    tokenizer: ModelTokenizer
    batch_tokens: int = 32_000
    """Prompt tokens that are run together, padding counted; less once memory has run out."""
    paged: Paged | None = None
    """Continuous batching for what is greedy; None once it has failed, or where it is no use."""
    note: models.Note = lambda _: None
    """Told what a person should know."""

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt; silence where a prompt does not fit the model's context.

        That is the model's own limit and not the world's, so it is scored as an answer. A
        prompt for which there is not enough memory even alone is `Unanswered`.
        """
        rows = [encode(prompt, self.tokenizer).ids for prompt in prompts]
        room = int(getattr(self.model.config, "max_position_embeddings", 1 << 30))
        answers: dict[int, Completion | Unanswered] = {
            at: Completion("", "length", len(row), 0, () if sampling.logprobs else None)
            for at, row in enumerate(rows)
            if len(row) + sampling.max_tokens > room
        }
        left = [at for at in range(len(rows)) if at not in answers]
        answers |= self._continuous(rows, left, sampling)
        # The longest first: where memory does not hold, it shows at once.
        left = sorted((at for at in left if at not in answers), key=lambda at: -len(rows[at]))
        while left:
            group = left[: self._fitting(rows, left)]
            done = self._batch([rows[at] for at in group], sampling)
            if done is None and len(group) > 1:
                self._halve(rows, group)
                continue
            if done is None:
                why = f"out of memory with one prompt of {len(rows[group[0]])} tokens"
                answers[group[0]] = Unanswered(why)
            else:
                answers |= zip(group, done, strict=True)
            left = left[len(group) :]
        return [answers[at] for at in range(len(rows))]

    def _continuous(
        self, rows: Sequence[Ids], wanted: Sequence[int], sampling: Sampling
    ) -> dict[int, Completion]:
        """By place, what continuous batching gives; nothing where it is no use or fails."""
        if self.paged is None or not wanted:
            return {}
        if sampling.temperature > 0:
            self.paged.close()  # its cache takes most of the memory
            return {}
        try:
            done = self.paged.complete([rows[at] for at in wanted], sampling)
        except PagedError as e:
            self.paged = None
            self.note(f"continuous batching failed ({e}): from here on in batches, and slower")
            return {}
        return dict(zip(wanted, done, strict=True))

    def _fitting(self, rows: Sequence[Ids], left: Sequence[int]) -> int:
        """How many of the prompts, the longest first, are run together.

        Those that stay under `batch_tokens` and are at least half as long as the longest, so
        that padding is never more than what it stands beside.
        """
        longest = len(rows[left[0]])
        room = max(1, self.batch_tokens // max(1, longest))
        return next(
            (n for n, at in enumerate(left[:room]) if 2 * len(rows[at]) < longest),
            min(room, len(left)),
        )

    def _batch(self, rows: list[Ids], sampling: Sampling) -> list[Completion] | None:
        """A completion a row; None where there is not enough memory."""
        try:
            return generate(self.model, self.tokenizer, rows, sampling)
        except Exception as e:
            if not ran_out(e):
                raise
        # Out here, where the error no longer holds on to the tensors of its frames.
        freed()
        return None

    def _halve(self, rows: Sequence[Ids], group: Sequence[int]) -> None:
        longest = len(rows[group[0]])
        self.batch_tokens = longest * (len(group) // 2)
        self.note(
            f"out of memory with {len(group)} prompts of up to {longest} tokens: "
            f"going on with {len(group) // 2} at once"
        )


def open_transformers(
    model: str, *, dtype: str = "auto", device: str = "auto", note: models.Note = lambda _: None
) -> Transformers:
    """Load a model by name, folder or hub id; bf16 where this machine is faster with it."""
    try:
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise MissingExtra("train", "running a model in this process") from None
    from coalm.devices import pick

    path = models.folder(model, note)
    tokenizer = open_tokenizer(path)
    chosen = pick(device, dtype)
    weights = models.load(AutoModelForCausalLM, path, chosen.dtype)
    weights.generation_config = _bare(weights.generation_config)
    weights = weights.to(chosen.device).eval()
    # A CPU has no kernel for pages: there it takes over twice the time of padded batches.
    paged = Paged(weights, tokenizer) if str(chosen.device).startswith("cuda") else None
    return Transformers(weights, tokenizer, paged=paged, note=note)


def _bare(config: Any) -> Any:
    """A generation config without the model's own sampling defaults: `complete` decides all."""
    return type(config)(bos_token_id=config.bos_token_id, use_cache=True)
