"""Where a completion ends: at the turn's end marker, at a stop string, or where room ends.

All in-process engines cut here, so that a token or a stop string counts alike in each.
"""

from bisect import bisect_left
from collections.abc import Sequence

from coalm.engines.base import Completion, Sampling
from coalm.formats.tokens import ModelTokenizer


def ended(
    new: Sequence[int],
    prompt_tokens: int,
    tokenizer: ModelTokenizer,
    sampling: Sampling,
    logprobs: Sequence[float] | None = None,
) -> Completion:
    """The completion that some new tokens make, whatever an engine wrote beyond its end.

    `logprobs` holds one number for each of the new tokens.
    """
    ids = list(new)
    stopped = False
    if sampling.end and (end := tokenizer.control(sampling.end)) in ids:
        ids, stopped = ids[: ids.index(end)], True
    text = tokenizer.decode(ids)
    if hits := [at for stop in sampling.stops if (at := text.find(stop)) >= 0]:
        ids, stopped = ids[: _needed(ids, tokenizer, sampling.stops)], True
        text = text[: min(hits)]
    told = None if logprobs is None else tuple(logprobs[: len(ids)])
    return Completion(text, "stop" if stopped else "length", prompt_tokens, len(ids), told)


def stop_spelled(tail: Sequence[int], tokenizer: ModelTokenizer, stops: Sequence[str]) -> bool:
    """Whether the last tokens, at least `window` of them if there are, spell a stop string."""
    text = tokenizer.decode(tail)
    return any(stop in text for stop in stops)


def window(stops: Sequence[str]) -> int:
    """How many of the last tokens can take part in a stop string: a token a byte, and one more.

    The first token of a text may lose its blank when it is decoded, hence the one.
    """
    return max((len(stop.encode()) for stop in stops), default=0) + 1


def _needed(ids: list[int], tokenizer: ModelTokenizer, stops: Sequence[str]) -> int:
    """The fewest first tokens that hold a whole stop string."""
    return bisect_left(range(len(ids)), True, key=lambda n: stop_spelled(ids[:n], tokenizer, stops))
