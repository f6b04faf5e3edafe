"""The fast engine on a CPU: OpenVINO GenAI, continuous batching, beginnings computed once.

The model is a GGUF file that we write from the checkpoint (`engines.openvino_files`). Prompts
go in as our own ids, so data cannot press a control key; what comes back is cut and decoded
by us, as in the other engines. The pipeline takes one step at a time: so tokens can be
watched for stop strings, a request can wait for the beginning that it shares with another,
and Ctrl-C is heard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass as settings_class

from coalm import models
from coalm.engines.base import Completion, Sampling, Unanswered
from coalm.engines.openvino_files import PRECISIONS, prepared, resolved, stand_in
from coalm.engines.openvino_joined import Joined
from coalm.engines.openvino_machine import cores, free_memory, without_telemetry
from coalm.engines.openvino_order import BLOCK
from coalm.engines.openvino_steps import Steps, needed
from coalm.engines.streaming import Done, Growing
from coalm.errors import MissingExtra, ModelError, RecipeError
from coalm.formats import Piece, encode
from coalm.formats.tokens import ModelTokenizer, open_tokenizer
from coalm.recipe import STRICT, build
from coalm.weights import Architecture, architecture_of

_STEP_TOKENS = 1024
"""Tokens of one step, of prompts and answers together: with fewer the matrices get small."""
_MOST = 8.0
"""GB that the cache takes at most where nobody says how much."""


@settings_class(frozen=True, kw_only=True, config=STRICT)
class OpenVinoOptions:
    """How OpenVINO runs the model."""

    cache_gb: Annotated[float, Field(gt=0)] | None = None
    """Memory for keys and values in GB; a quarter of what is free if not given, at most 8."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads; one for each physical core that may be used if not given."""


@dataclass(frozen=True)
class OpenVino:
    """A model in an OpenVINO pipeline."""

    shares_prefixes: ClassVar[bool] = True
    """What was read is kept: prompts that begin alike are quickest beside each other."""

    pipeline: Any
    tokenizer: ModelTokenizer
    context: int
    """Tokens of prompt and completion together that the model was made for."""
    blocks: int
    """Blocks of `BLOCK` tokens for which the cache has room."""

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        """One completion a prompt; silence where a prompt does not fit the model's context.

        A prompt for whose keys and values there is not enough memory is `Unanswered`.
        """
        return self._completed(prompts, sampling, None)

    def stream(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing
    ) -> list[Completion | Unanswered]:
        """As `complete`; `growing` is told each prompt's completion so far, token by token."""
        return self._completed(prompts, sampling, growing)

    def join(
        self,
        prompt: Sequence[Piece],
        sampling: Sampling,
        growing: Callable[[str], bool],
        done: Done,
    ) -> None:
        """Take a prompt in beside those under way; not to be mixed with the other two ways."""
        row = encode(prompt, self.tokenizer).ids
        room = self.context - len(row)
        drawn = replace(sampling, max_tokens=min(sampling.max_tokens, room))
        if room < 1:
            done(Completion("", "length", len(row), 0, () if sampling.logprobs else None))
        elif needed(len(row), drawn) > self.blocks:
            done(_no_room(len(row), drawn.max_tokens))
        else:
            self._joined.join(row, drawn, growing, done)

    def step(self) -> bool:
        """A step of all that have joined; False if there is nobody."""
        return self._joined.step()

    @cached_property
    def _joined(self) -> Joined:
        return Joined(self.pipeline, self.tokenizer, self.blocks)

    def _completed(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling, growing: Growing | None
    ) -> list[Completion | Unanswered]:
        rows = [encode(prompt, self.tokenizer).ids for prompt in prompts]
        answers: dict[int, Completion | Unanswered] = {}
        for at, row in enumerate(rows):
            if len(row) + sampling.max_tokens > self.context:
                silent = () if sampling.logprobs else None
                answers[at] = Completion("", "length", len(row), 0, silent)
            elif needed(len(row), sampling) > self.blocks:
                answers[at] = _no_room(len(row), sampling.max_tokens)
        left = [at for at in range(len(rows)) if at not in answers]
        heard = None if growing is None else lambda n, text: growing(left[n], text)
        steps = Steps(self.pipeline, self.tokenizer, self.blocks, sampling, heard)
        answers |= zip(left, steps.complete([rows[at] for at in left]), strict=True)
        return [answers[at] for at in range(len(rows))]


def _no_room(prompt: int, new: int) -> Unanswered:
    return Unanswered(
        f"{prompt} tokens and {new} new ones need more memory than the cache has; give the "
        "engine option cache_gb"
    )


def open_openvino(
    model: str,
    *,
    dtype: str = "auto",
    options: Mapping[str, Any] | None = None,
    note: models.Note = lambda _: None,
) -> OpenVino:
    """Load a model by name, folder or hub id; the first time its GGUF is written."""
    chosen = build(OpenVinoOptions, options or {}, "engine option")
    name = resolved(dtype)
    precision = PRECISIONS[name]
    without_telemetry()
    try:
        import openvino
        import openvino_genai
    except ImportError:
        raise MissingExtra("openvino", "the engine 'openvino'") from None
    _check_computed(openvino, precision.computed)
    folder = models.folder(model, note)
    what = prepared(model, folder, name, note)
    arch = architecture_of(folder)
    plan = openvino_genai.SchedulerConfig()
    plan.num_kv_blocks = _blocks(arch, precision.cached_bytes, chosen.cache_gb)
    plan.enable_prefix_caching = True
    plan.max_num_batched_tokens = _STEP_TOKENS
    try:
        pipeline = openvino_genai.ContinuousBatchingPipeline(
            str(what),
            openvino_genai.Tokenizer(str(stand_in())),
            plan,
            "CPU",
            INFERENCE_PRECISION_HINT=precision.computed,
            KV_CACHE_PRECISION=precision.cached,
            INFERENCE_NUM_THREADS=chosen.threads or cores(),
        )
    except RuntimeError as e:  # a file that was damaged, memory that is not there ...
        said = str(e).strip().splitlines()
        raise ModelError(f"openvino cannot load {what}: {said[-1] if said else e!r}") from None
    return OpenVino(pipeline, open_tokenizer(folder), arch.context, plan.num_kv_blocks)


def _check_computed(openvino: Any, computed: str) -> None:
    """A `RecipeError` for a precision that the CPU would only pretend to compute in."""
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if computed == "bf16" and "BF16" not in able:
        raise RecipeError("this CPU does not compute in bf16; take --dtype fp32")


def _blocks(arch: Architecture, each: int, gigabytes: float | None) -> int:
    """How many blocks of keys and values there is memory for, or use, at so many bytes each."""
    size = BLOCK * arch.blocks * arch.kv_heads * arch.head * 2 * each
    given = gigabytes if gigabytes is not None else min(free_memory() / 4 / 1e9, _MOST)
    # More than so many whole contexts is of no use.
    most = 256 * -(-arch.context // BLOCK)
    return max(1, min(int(given * 1e9 / size), most))
