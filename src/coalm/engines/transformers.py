"""The in-process engine: transformers, batched by length, shared prefixes computed once.

Prompts of a benchmark begin alike (the same instruction, often the same tools), so the
longest common beginning of a batch is run once and its cache repeated for every row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from coalm import models
from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.errors import MissingExtra
from coalm.formats import Encoded, Piece, encode
from coalm.formats.tokens import ModelTokenizer, open_tokenizer

if TYPE_CHECKING:
    import torch

_SHARED = 32
"""Tokens that a common beginning must have before it is worth a pass of its own."""


@dataclass(frozen=True)
class Transformers:
    """A causal language model in this process."""

    model: Any
    tokenizer: ModelTokenizer
    batch_tokens: int = 32_000
    """Prompt tokens that are run together, padding counted."""

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt; silence where a prompt does not fit the model's context.

        That is the model's own limit and not the world's, so it is scored as an answer.
        """
        encoded = [encode(prompt, self.tokenizer) for prompt in prompts]
        room = int(getattr(self.model.config, "max_position_embeddings", 1 << 30))
        answers: list[Completion | Unanswered] = [
            Completion("", "length", len(e.ids), 0) for e in encoded
        ]
        fitting = [i for i, e in enumerate(encoded) if len(e.ids) + sampling.max_tokens <= room]
        for group in self._batches(fitting, encoded):
            done = self._generate([encoded[i].ids for i in group], sampling)
            for i, answer in zip(group, done, strict=True):
                answers[i] = answer
        return answers

    def _batches(self, indices: list[int], encoded: list[Encoded]) -> list[list[int]]:
        """Indices in groups of like length that together stay under `batch_tokens`."""
        groups: list[list[int]] = []
        for i in sorted(indices, key=lambda i: -len(encoded[i].ids)):
            longest = len(encoded[groups[-1][0]].ids) if groups else 0
            if groups and longest * (len(groups[-1]) + 1) <= self.batch_tokens:
                groups[-1].append(i)
            else:
                groups.append([i])
        return groups

    def _generate(self, rows: list[tuple[int, ...]], sampling: Sampling) -> list[Completion]:
        import torch

        shared = _common(rows)
        with torch.inference_mode():
            cache = self._prefix(rows[0][:shared], len(rows)) if shared >= _SHARED else None
            ids, mask = self._padded(rows, shared if cache is not None else 0)
            torch.manual_seed(sampling.seed)
            end = self.tokenizer.control(sampling.end) if sampling.end else None
            out = self.model.generate(
                ids,
                attention_mask=mask,
                past_key_values=cache,
                max_new_tokens=sampling.max_tokens,
                do_sample=sampling.temperature > 0,
                **({"temperature": sampling.temperature} if sampling.temperature > 0 else {}),
                eos_token_id=end,
                pad_token_id=0 if end is None else end,
                stopping_criteria=self._stopping(sampling.stops, ids.shape[1]),
            )
        return [
            self._completion(new.tolist(), len(row), end, sampling)
            for row, new in zip(rows, out[:, ids.shape[1] :], strict=True)
        ]

    def _prefix(self, ids: tuple[int, ...], rows: int) -> Any:
        """The cache of a common beginning, once for each row."""
        import torch

        tensor = torch.tensor([ids], device=self.model.device)
        cache = self.model(tensor, use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(rows)
        return cache

    def _padded(
        self, rows: list[tuple[int, ...]], shared: int
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Ids and attention mask; padding stands between the shared beginning and the rest."""
        import torch

        width = max(map(len, rows))
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):
            rest = len(row) - shared
            ids[i, :shared] = torch.tensor(row[:shared], dtype=torch.long)
            ids[i, width - rest :] = torch.tensor(row[shared:], dtype=torch.long)
            mask[i, :shared] = 1
            mask[i, width - rest :] = 1
        return ids.to(self.model.device), mask.to(self.model.device)

    def _stopping(self, stops: tuple[str, ...], start: int) -> Any:
        if not stops:
            return None
        from transformers import StoppingCriteriaList

        return StoppingCriteriaList([_StopStrings(self.tokenizer, stops, start)])

    def _completion(
        self, new: list[int], prompt: int, end: int | None, sampling: Sampling
    ) -> Completion:
        ended: Literal["stop", "length"] = "length"
        if end is not None and end in new:
            new, ended = new[: new.index(end)], "stop"
        text = self.tokenizer.decode(new)
        for stop in sampling.stops:
            at = text.find(stop)
            if at >= 0:
                text, ended = text[:at], "stop"
        return Completion(text, ended, prompt, len(new))


class _StopStrings:
    """Marks the rows whose last few tokens spell a stop string."""

    def __init__(self, tokenizer: ModelTokenizer, stops: tuple[str, ...], start: int) -> None:
        self.tokenizer, self.stops, self.start = tokenizer, stops, start
        self.window = max(map(len, stops)) + 1

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import torch

        tails = ids[:, max(self.start, ids.shape[1] - self.window) :].tolist()
        texts = map(self.tokenizer.decode, tails)
        hits = [any(stop in text for stop in self.stops) for text in texts]
        return torch.tensor(hits, device=ids.device)


def _common(rows: list[tuple[int, ...]]) -> int:
    """How many ids all rows begin with alike, leaving at least one for each row itself."""
    shortest = min(map(len, rows)) - 1
    first = rows[0]
    return next(
        (i for i in range(shortest) if any(row[i] != first[i] for row in rows)), max(shortest, 0)
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
    return Transformers(weights.to(chosen.device).eval(), tokenizer)


def _bare(config: Any) -> Any:
    """A generation config without the model's own sampling defaults: `complete` decides all."""
    return type(config)(bos_token_id=config.bos_token_id, use_cache=True)
