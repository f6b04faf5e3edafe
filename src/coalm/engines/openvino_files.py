"""What OpenVINO is given to read: a GGUF of the checkpoint, made once and kept in the cache.

GenAI builds its model from the GGUF. It passes over how a model stretches its rotary
positions (as Llama 3.1 does), so for such a model what it builds is saved, the frequencies
are put right, and that is what is kept.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import models, sources
from coalm.engines.openvino_machine import without_telemetry
from coalm.errors import CoalmError, ModelError, RecipeError, unknown
from coalm.weights import VERSION, Architecture, architecture_of, write_gguf


@dataclass(frozen=True, slots=True)
class Precision:
    """How weights are kept and how they are computed with."""

    weights: str
    """As `write_gguf` names it."""
    computed: str
    """As OpenVINO names it."""
    cached: str
    """How keys and values are kept, in the same words."""

    @property
    def cached_bytes(self) -> int:
        """Bytes of a number in the cache."""
        return 4 if self.cached == "f32" else 2


PRECISIONS: Mapping[str, Precision] = {
    "fp32": Precision("f16", "f32", "f32"),
    "bf16": Precision("f16", "bf16", "f16"),
    "q8_0": Precision("q8_0", "f32", "f16"),
}
"""What `dtype` may be; weights are never kept in 32 bits, which no checkpoint of today needs."""

KEPT = 8 * 2**30
"""Bytes of all that is kept together; what was used least lately goes first."""

_IR = "openvino_model.xml"
_GGUF = "model.gguf"
_STAND_IN = "stand-in-v1"


def resolved(dtype: str) -> str:
    """The precision that a `dtype` comes to; `auto` is the one that agrees with fp32."""
    if dtype == "auto":
        return "fp32"
    if dtype not in PRECISIONS:
        raise RecipeError(unknown("dtype of the engine 'openvino'", dtype, ("auto", *PRECISIONS)))
    return dtype


def refusal(folder: Path) -> str:
    """Why OpenVINO cannot run the checkpoint in a folder, for a person; empty where it can."""
    try:
        arch = architecture_of(folder)
    except CoalmError as e:
        return str(e)
    if arch.rope not in ("default", "linear", "llama3"):
        return f"{folder}: OpenVINO's reader does not know rotary positions of type {arch.rope!r}"
    if arch.kind == "llama" and arch.attention_bias:
        return f"{folder}: OpenVINO's reader does not know Llamas whose attention has a bias"
    return ""


def prepared(name: str, folder: Path, dtype: str, note: models.Note = lambda _: None) -> Path:
    """What the pipeline reads for a checkpoint: a GGUF, or a folder of OpenVINO's own files.

    Made on the first call and kept by the hash of the checkpoint's files, as long as there is
    room for it beside those used later.
    """
    without_telemetry()
    why = refusal(folder)
    if why:
        raise ModelError(f"{why}; take --engine transformers")
    number = PRECISIONS[dtype].weights
    sha = models.identity(name, folder)["sha256"]
    target = sources.cache() / "openvino" / f"{sha}-{number}-v{VERSION}"
    if not target.exists():
        note(f"writing {folder.name} for OpenVINO ({number} weights), once")
        _once(target, lambda draft: _make(folder, draft, number))
    os.utime(target)
    _prune(target)
    return target / _GGUF if (target / _GGUF).exists() else target


def _once(target: Path, make: Callable[[Path], None]) -> None:
    """Make a folder that appears whole; who comes second leaves the first one's in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        make(draft)
        draft.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _prune(used: Path) -> None:
    """Delete what was used least lately where all together is too large; never what is used now."""
    room = KEPT - _used_and_size(used)[1]
    others = [
        (*_used_and_size(path), path)
        for path in used.parent.iterdir()
        if path.is_dir() and path.name not in (used.name, _STAND_IN) and path.name[0] != "."
    ]
    for _, size, path in sorted(others, reverse=True):
        room -= size
        if room < 0:
            shutil.rmtree(path, ignore_errors=True)


def _used_and_size(folder: Path) -> tuple[float, int]:
    """When it was last used, and its bytes; nothing where another process has deleted it."""
    try:
        return folder.stat().st_mtime, sum(path.stat().st_size for path in folder.iterdir())
    except FileNotFoundError:
        return 0.0, 0


def _make(folder: Path, draft: Path, number: str) -> None:
    gguf = write_gguf(folder, draft / _GGUF, number, words=False)
    arch = architecture_of(folder)
    if arch.rope == "default":
        return
    from openvino_genai import ContinuousBatchingPipeline, SchedulerConfig, Tokenizer

    small = SchedulerConfig()
    small.num_kv_blocks = 1
    ContinuousBatchingPipeline(
        str(gguf), Tokenizer(str(stand_in())), small, "CPU", enable_save_ov_model=True
    )
    _stretch(draft / _IR, arch)
    gguf.unlink()


def _stretch(path: Path, arch: Architecture) -> None:
    """Put the model's own frequencies where OpenVINO's reader put those of a plain Llama."""
    import numpy as np
    import openvino

    model = openvino.Core().read_model(str(path))
    plain = arch.theta ** (-np.arange(0, arch.head, 2) / arch.head)
    places = [op for op in model.get_ops() if _holds(op, plain)]
    if len(places) != 1:
        raise ModelError(
            f"this version of OpenVINO ({openvino.__version__}) builds models in another way, and "
            "their rotary positions cannot be put right; take --engine transformers"
        )
    [place] = places
    values = np.asarray(arch.frequencies(), dtype=np.float32).reshape(place.get_output_shape(0))
    right = openvino.op.Constant(values)
    # The file keeps them in 16 bits and widens them: that is not exact enough.
    users = [user.get_node() for user in place.output(0).get_target_inputs()]
    widened = users[0] if len(users) == 1 and users[0].get_type_name() == "Convert" else place
    for user in widened.output(0).get_target_inputs():
        user.replace_source_output(right.output(0))
    new = path.with_name("right.xml")
    openvino.save_model(model, str(new), compress_to_fp16=False)
    del model
    for old in (path, path.with_suffix(".bin")):
        old.unlink()
        new.with_suffix(old.suffix).rename(old)


def _holds(op: Any, values: Any) -> bool:
    """Whether a node is a constant of these values, as exact as 16 bits are."""
    import numpy as np

    if op.get_type_name() != "Constant" or list(op.get_output_shape(0)) != [1, len(values), 1]:
        return False
    return bool(np.allclose(op.data.ravel().astype(np.float64), values, rtol=2e-3, atol=1e-7))


def stand_in() -> Path:
    """A file with a tokenizer of bytes, for the pipeline: it wants one, and ours does the work."""
    target = sources.cache() / "openvino" / _STAND_IN
    if not target.exists():
        _once(target, lambda draft: _bytes(draft / _GGUF))
    return target / _GGUF


def _bytes(path: Path) -> None:
    """A GGUF with the 256 bytes as its words, one merge and one special token."""
    import numpy as np
    from gguf import GGUFWriter, LlamaFileType, TokenType
    from gguf.vocab import bytes_to_unicode

    tokens = [*bytes_to_unicode().values(), "th", "<|end|>"]
    kinds = [TokenType.NORMAL] * (len(tokens) - 1) + [TokenType.CONTROL]
    writer = GGUFWriter(path, "llama")
    writer.add_file_type(int(LlamaFileType.MOSTLY_F16))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([kind.value for kind in kinds])
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(len(tokens) - 1)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_tensor("token_embd.weight", np.zeros((len(tokens), 32), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
