"""vLLM in this process: its own batching and paged cache, on one machine's GPUs.

Prompts go in as ids, so data cannot press a control key, and completions are cut as in the
other engines. Data parallelism is not to be had inside one process; see
`engines.vllm_serve` and `coalm eval --shard`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import models
from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.engines.draws import seed_of
from coalm.engines.ending import ended
from coalm.engines.memory import ran_out
from coalm.errors import MissingExtra, ModelError, RecipeError, unknown
from coalm.formats import Piece, encode
from coalm.formats.tokens import ModelTokenizer, open_tokenizer
from coalm.recipe import STRICT, build

DTYPES: Mapping[str, str] = {"auto": "bfloat16", "bf16": "bfloat16", "fp32": "float32"}
"""Our names of precisions as vLLM's."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class VllmOptions:
    """How vLLM runs the model; named as vLLM names them."""

    tensor_parallel_size: Annotated[int, Field(ge=1)] = 1
    """GPUs that each layer is split over."""
    pipeline_parallel_size: Annotated[int, Field(ge=1)] = 1
    """GPUs that the layers are dealt out to, one group after the other."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The share of each GPU's memory that may be taken."""
    max_model_len: Annotated[int, Field(ge=1)] | None = None
    """Tokens of prompt and completion together; the model's own limit if not given."""
    max_num_seqs: Annotated[int, Field(ge=1)] | None = None
    """At most so many requests side by side; vLLM's choice if not given."""
    quantization: str | None = None
    """How weights are quantised, such as `awq` or `fp8`; what the model says if not given."""
    dtype: Literal["", "float16", "bfloat16", "float32"] = ""
    """Precision in vLLM's words, such as float16 where a GPU has no bfloat16; else --dtype's."""
    enforce_eager: bool = False
    """Build no CUDA graphs: a quicker start, slower answers."""


DECIDE = ("max_model_len", "quantization", "dtype")
"""The options that decide what is answered; the others decide how fast."""


@dataclass(frozen=True)
class Vllm:
    """A model that vLLM has loaded."""

    llm: Any
    tokenizer: ModelTokenizer

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt; silence where a prompt does not fit the model's context."""
        from vllm import SamplingParams, TokensPrompt

        rows = [encode(prompt, self.tokenizer).ids for prompt in prompts]
        room = int(self.llm.model_config.max_model_len)
        answers: list[Completion | Unanswered] = [
            Completion("", "length", len(row), 0, () if sampling.logprobs else None) for row in rows
        ]
        fitting = [at for at, row in enumerate(rows) if len(row) + sampling.max_tokens <= room]
        if not fitting:
            return answers
        end = self.tokenizer.control(sampling.end) if sampling.end else None
        try:
            outputs = self.llm.generate(
                [TokensPrompt(prompt_token_ids=list(rows[at])) for at in fitting],
                [SamplingParams(**sampling_arguments(sampling, rows[at], end)) for at in fitting],
                use_tqdm=False,
            )
        except Exception as e:
            if not ran_out(e):
                raise
            lost = Unanswered(f"out of memory: {str(e).splitlines()[0]}")
            return [lost if at in fitting else answer for at, answer in enumerate(answers)]
        for at, output in zip(fitting, outputs, strict=True):
            answers[at] = self._completion(output.outputs[0], rows[at], sampling)
        return answers

    def _completion(
        self, output: Any, row: Sequence[int], sampling: Sampling
    ) -> Completion | Unanswered:
        if output.finish_reason not in ("stop", "length"):  # aborted, or failed on its own
            return Unanswered(f"vllm ended the request with {output.finish_reason!r}")
        told = None
        if sampling.logprobs:
            told = [
                float(place[id].logprob)
                for id, place in zip(output.token_ids, output.logprobs, strict=True)
            ]
        return ended(output.token_ids, len(row), self.tokenizer, sampling, told)


def engine_arguments(path: str, dtype: str, options: VllmOptions) -> dict[str, Any]:
    """What `vllm.LLM` is given for a model folder."""
    if dtype not in DTYPES:
        raise RecipeError(unknown("dtype", dtype, DTYPES))
    return {
        "model": path,
        "dtype": options.dtype or DTYPES[dtype],
        "tensor_parallel_size": options.tensor_parallel_size,
        "pipeline_parallel_size": options.pipeline_parallel_size,
        "gpu_memory_utilization": options.gpu_memory_utilization,
        "enforce_eager": options.enforce_eager,
        "trust_remote_code": False,
        "enable_prefix_caching": True,
        "generation_config": "vllm",  # not the model's own sampling defaults
        "logprobs_mode": "raw_logprobs",
        **{
            name: value
            for name in ("max_model_len", "max_num_seqs", "quantization")
            if (value := getattr(options, name)) is not None
        },
    }


def sampling_arguments(sampling: Sampling, row: Sequence[int], end: int | None) -> dict[str, Any]:
    """What `vllm.SamplingParams` is given for a prompt; a sample's seed is the request's own."""
    return {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": seed_of(row, sampling.seed) if sampling.temperature > 0 else None,
        "stop": list(sampling.stops),
        "stop_token_ids": [] if end is None else [end],
        "ignore_eos": True,  # a turn ends with the layout's marker, as in the other engines
        "logprobs": 0 if sampling.logprobs else None,  # that of the token taken, no others
        "skip_special_tokens": False,
    }


def open_vllm(
    model: str,
    *,
    dtype: str = "auto",
    options: Mapping[str, Any] | None = None,
    note: models.Note = lambda _: None,
) -> Vllm:
    """Load a model by name, folder or hub id onto this machine's GPUs."""
    chosen = build(VllmOptions, options or {}, "engine option")
    try:
        from vllm import LLM
    except ImportError:
        raise MissingExtra("vllm", "the engine 'vllm'") from None
    path = models.folder(model, note)
    tokenizer = open_tokenizer(path)
    try:
        llm = LLM(**engine_arguments(str(path), dtype, chosen))
    except Exception as e:  # no GPU, too little memory, an architecture it does not know ...
        said = str(e).strip().splitlines()
        raise ModelError(f"vllm cannot load {path}: {said[0] if said else repr(e)}") from None
    return Vllm(llm, tokenizer)
