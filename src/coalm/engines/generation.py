"""One padded batch through transformers' `generate`, its common beginning computed once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coalm.engines.base import Completion, Sampling
from coalm.engines.draws import Draws
from coalm.engines.ending import ended, stop_spelled, window
from coalm.formats.tokens import ModelTokenizer

if TYPE_CHECKING:
    import torch

_SHARED = 32
"""Tokens that a common beginning must have before it is worth a pass of its own."""

Rows = Sequence[tuple[int, ...]]


def generate(
    model: Any, tokenizer: ModelTokenizer, rows: Rows, sampling: Sampling
) -> list[Completion]:
    """One completion for each row of prompt ids, in their order."""
    import torch
    from transformers import LogitsProcessorList, StoppingCriteriaList

    shared = common(rows)
    with torch.inference_mode():
        cache = _prefix(model, rows[0][:shared], len(rows)) if shared >= _SHARED else None
        ids, mask = _padded(rows, shared if cache is not None else 0, model.device)
        end = tokenizer.control(sampling.end) if sampling.end else None
        draws = Draws(rows, sampling.temperature, sampling.seed, logprobs=sampling.logprobs)
        stops = _Stops(tokenizer, sampling.stops, ids.shape[1])
        out = model.generate(
            ids,
            attention_mask=mask,
            past_key_values=cache,
            max_new_tokens=sampling.max_tokens,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=0 if end is None else end,
            logits_processor=LogitsProcessorList([draws]),
            stopping_criteria=StoppingCriteriaList([stops] if sampling.stops else []),
        )
        told = draws.logprobs(out)
    return [
        ended(
            new[: stops.length(at)],
            len(row),
            tokenizer,
            sampling,
            None if told is None else told[at],
        )
        for at, (row, new) in enumerate(zip(rows, out[:, ids.shape[1] :].tolist(), strict=True))
    ]


def common(rows: Rows) -> int:
    """How many ids all rows begin with alike, leaving at least one for each row itself."""
    shortest = min(map(len, rows)) - 1
    first = rows[0]
    return next(
        (i for i in range(shortest) if any(row[i] != first[i] for row in rows)), max(shortest, 0)
    )


def _prefix(model: Any, ids: tuple[int, ...], rows: int) -> Any:
    """The cache of a common beginning, once for each row."""
    import torch

    tensor = torch.tensor([ids], device=model.device)
    cache = model(tensor, use_cache=True, logits_to_keep=1).past_key_values
    cache.batch_repeat_interleave(rows)
    return cache


def _padded(rows: Rows, shared: int, device: Any) -> "tuple[torch.Tensor, torch.Tensor]":
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
    return ids.to(device), mask.to(device)


class _Stops:
    """Marks the rows whose last few tokens spell a stop string, and notes where they did."""

    def __init__(self, tokenizer: ModelTokenizer, stops: tuple[str, ...], start: int) -> None:
        self._tokenizer, self._stops, self._start = tokenizer, stops, start
        self._window = window(stops)
        self._lengths: dict[int, int] = {}

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor", **_: Any) -> "torch.Tensor":
        import torch

        tails = ids[:, max(self._start, ids.shape[1] - self._window) :].tolist()
        hits = [stop_spelled(tail, self._tokenizer, self._stops) for tail in tails]
        for row, hit in enumerate(hits):
            if hit:
                self._lengths.setdefault(row, ids.shape[1] - self._start)
        return torch.tensor(hits, device=ids.device)

    def length(self, row: int) -> int | None:
        """The new tokens of a row up to its stop string; what follows is padding."""
        return self._lengths.get(row)
