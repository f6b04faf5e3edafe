"""A stand-in for `vllm` 0.33.0: the names that it takes, and a tiny model behind them.

The keyword arguments are those of its `LLM`, `EngineArgs` and `SamplingParams`, read off the
wheel's source; any other is a `TypeError`, as there. It decodes one prompt after the other
with transformers, and leaves the token or the stop string that ended a completion in
`token_ids`, as vLLM does.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

LLM_TAKES = frozenset(
    [
        "model",
        "runner",
        "convert",
        "tokenizer",
        "tokenizer_mode",
        "skip_tokenizer_init",
        "trust_remote_code",
        "allowed_local_media_path",
        "allowed_media_domains",
        "tensor_parallel_size",
        "dtype",
        "quantization",
        "revision",
        "tokenizer_revision",
        "chat_template",
        "seed",
        "gpu_memory_utilization",
        "cpu_offload_gb",
        "enforce_eager",
        "disable_custom_all_reduce",
        "hf_token",
        "hf_overrides",
        "kv_cache_memory_bytes",
        "compilation_config",
        "quantization_config",
        "logits_processors",
        "pipeline_parallel_size",
        "max_model_len",
        "max_num_seqs",
        "enable_prefix_caching",
        "generation_config",
        "logprobs_mode",
    ]
)
SAMPLING_TAKES = frozenset(
    [
        "n",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "stop_token_ids",
        "ignore_eos",
        "max_tokens",
        "min_tokens",
        "logprobs",
        "prompt_logprobs",
        "detokenize",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "include_stop_str_in_output",
        "output_kind",
        "logit_bias",
        "allowed_token_ids",
        "bad_words",
        "structured_outputs",
        "extra_args",
    ]
)


def _known(given: dict[str, Any], takes: frozenset[str]) -> dict[str, Any]:
    for name in given:
        if name not in takes:
            raise TypeError(f"unexpected keyword argument {name!r}")
    return given


class SamplingParams:
    def __init__(self, **given: Any) -> None:
        self.given = _known(given, SAMPLING_TAKES)


def TokensPrompt(*, prompt_token_ids: list[int]) -> dict[str, list[int]]:  # noqa: N802
    return {"prompt_token_ids": prompt_token_ids}


@dataclass
class Logprob:
    logprob: float


@dataclass
class CompletionOutput:
    token_ids: list[int]
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None


@dataclass
class RequestOutput:
    outputs: list[CompletionOutput]


@dataclass
class ModelConfig:
    max_model_len: int


class LLM:
    seen: ClassVar[list[dict[str, Any]]] = []
    """What each was opened with."""
    asked: ClassVar[list[SamplingParams]] = []
    """The sampling of each request."""
    ends: str = ""
    """How every request ends, where it is not left to the model."""

    def __init__(self, **given: Any) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        LLM.seen.append(_known(given, LLM_TAKES))
        self.model = AutoModelForCausalLM.from_pretrained(given["model"])
        self.tokenizer = AutoTokenizer.from_pretrained(given["model"])
        own = self.model.config.max_position_embeddings
        self.model_config = ModelConfig(given.get("max_model_len") or own)

    def generate(
        self,
        prompts: Sequence[dict[str, list[int]]],
        sampling_params: Sequence[SamplingParams],
        *,
        use_tqdm: bool = True,
    ) -> list[RequestOutput]:
        assert len(prompts) == len(sampling_params)
        assert not use_tqdm
        LLM.asked += sampling_params
        return [
            RequestOutput([self._one(prompt["prompt_token_ids"], params.given)])
            for prompt, params in zip(prompts, sampling_params, strict=True)
        ]

    def _one(self, ids: list[int], params: dict[str, Any]) -> CompletionOutput:
        import torch

        new: list[int] = []
        told: list[dict[int, Logprob]] = []
        reason = "length"
        while len(new) < params["max_tokens"] and reason == "length":
            with torch.no_grad():
                scores = self.model(torch.tensor([ids + new])).logits[0, -1]
            token = int(scores.argmax())
            new.append(token)
            told.append({token: Logprob(float(torch.log_softmax(scores, -1)[token]))})
            text = self.tokenizer.decode(new)
            if token in params["stop_token_ids"] or any(stop in text for stop in params["stop"]):
                reason = "stop"
        logprobs = None if params["logprobs"] is None else told
        return CompletionOutput(new, logprobs, LLM.ends or reason)


@contextmanager
def installed() -> Iterator[type[LLM]]:
    """With this, `import vllm` gives the stand-in."""
    module: Any = ModuleType("vllm")
    module.LLM, module.SamplingParams, module.TokensPrompt = LLM, SamplingParams, TokensPrompt
    before = sys.modules.get("vllm")
    sys.modules["vllm"] = module
    LLM.seen, LLM.asked, LLM.ends = [], [], ""
    try:
        yield LLM
    finally:
        if before is None:
            del sys.modules["vllm"]
        else:
            sys.modules["vllm"] = before
