"""A checkpoint folder as one GGUF file, tensor by tensor, by the official `gguf` package."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coalm import store
from coalm.errors import MissingExtra, ModelError, RecipeError, unknown
from coalm.weights.architectures import Architecture, architecture_of, check_whole
from coalm.weights.tensors import Tensors, open_tensors
from coalm.weights.vocabulary import Vocabulary, vocabulary_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Note = Callable[[str], None]
Number = Literal["f16", "q8_0"]
NUMBERS: tuple[Number, ...] = ("f16", "q8_0")
"""How weights can be written: 16 bits each, or 8 bits and a scale for 32 of them."""
VERSION = 1
"""Goes up whenever the same checkpoint would be written otherwise."""

_ROPE = "rope_freqs.weight"
_AT_ONCE = 1 << 24
"""Numbers that are converted together, so that a large tensor is in memory about once."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A tensor of the file: its name there, where it comes from, how it is written."""

    name: str
    source: str
    shape: tuple[int, ...]
    kind: Literal["f32", "f16", "q8_0"]
    heads: int = 0
    """Heads whose rows are put into GGUF's order; 0 leaves them as they are."""


def write_gguf(
    folder: Path,
    out: Path,
    dtype: str = "f16",
    *,
    words: bool = True,
    note: Note = lambda _: None,
) -> Path:
    """Write the checkpoint in `folder` as the file `out`, whole or not at all.

    Needs memory for about one tensor. `words` puts the tokenizer into it; without one only
    a reader that is given ids can use the file. A `ModelError` says what of the checkpoint
    cannot be written: an adapter alone, another architecture, a sentencepiece tokenizer.
    """
    if dtype not in NUMBERS:
        raise RecipeError(unknown("dtype", dtype, NUMBERS))
    number: Number = "q8_0" if dtype == "q8_0" else "f16"
    check_whole(folder)
    try:
        from gguf import GGUFWriter
    except ImportError:
        raise MissingExtra("openvino", "writing GGUF") from None
    arch = architecture_of(folder)
    vocabulary = vocabulary_of(folder, arch.vocabulary) if words else None
    if vocabulary is not None and vocabulary.pre == "default":
        note("llama.cpp has no name for how this tokenizer cuts text; it may cut otherwise")
    tensors = open_tensors(folder)
    planned = list(_planned(folder, arch, tensors, number))
    with store.atomic(out, "wb") as file:
        writer = GGUFWriter(file.name, arch.kind)
        try:
            _describe(writer, folder, arch, number)
            if vocabulary is not None:
                _speak(writer, folder, vocabulary)
            _announce(writer, planned)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for tensor in planned:
                writer.write_tensor_data(_converted(tensor, arch, tensors))
        except OSError as e:
            # numpy says only how much it could write where a disk is full.
            raise ModelError(f"cannot write {out}: {e}; is there room for it?") from None
        finally:
            writer.close()
    return out


def _describe(writer: Any, folder: Path, arch: Architecture, number: Number) -> None:
    """The sizes of the model."""
    import gguf

    writer.add_type("model")
    writer.add_name(folder.resolve().name)
    file_type = gguf.LlamaFileType.MOSTLY_F16 if number == "f16" else gguf.LlamaFileType.MOSTLY_Q8_0
    writer.add_file_type(int(file_type))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(arch.blocks)
    writer.add_context_length(arch.context)
    writer.add_embedding_length(arch.width)
    writer.add_feed_forward_length(arch.feed_forward)
    writer.add_head_count(arch.heads)
    writer.add_head_count_kv(arch.kv_heads)
    writer.add_key_length(arch.head)
    writer.add_value_length(arch.head)
    writer.add_layer_norm_rms_eps(arch.epsilon)
    writer.add_rope_freq_base(arch.theta)
    writer.add_rope_dimension_count(arch.head)
    writer.add_vocab_size(arch.vocabulary)
    if arch.rope in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(arch.rope))
        writer.add_rope_scaling_factor(float(arch.scaling["factor"]))
    if arch.rope == "yarn":
        old = arch.scaling.get("original_max_position_embeddings") or arch.context
        writer.add_rope_scaling_orig_ctx_len(int(old))


def _speak(writer: Any, folder: Path, words: Vocabulary) -> None:
    """The tokenizer, special tokens and chat template."""
    from gguf import SpecialVocab

    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(words.pre)
    writer.add_token_list(list(words.tokens))
    writer.add_token_types(list(words.kinds))
    special = SpecialVocab(folder, load_merges=bool(words.merges), n_vocab=len(words.tokens))
    special.add_special_token.setdefault("bos", False)
    special.add_to_gguf(writer, quiet=True)


def _planned(
    folder: Path, arch: Architecture, tensors: Tensors, number: Number
) -> Iterator[_Planned]:
    """Every tensor of the file, in the order of the checkpoint's names."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    kinds = {name: kind for kind, name in MODEL_ARCH_NAMES.items()}
    table = get_tensor_name_map(kinds[arch.kind], arch.blocks)
    if arch.rope == "llama3":
        yield _Planned(_ROPE, "", (arch.head // 2,), "f32")
    found = set()
    for source in tensors.names():
        if source.endswith("rotary_emb.inv_freq") or (arch.tied and source == "lm_head.weight"):
            continue
        name = table.get_name(source, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise ModelError(f"{folder}: GGUF has no place for the tensor {source!r}")
        found.add(name)
        shape = tensors.shape(source)
        yield _Planned(name, source, shape, _kind(shape, number), _turned(arch, name))
    wanted = {"token_embd.weight", "output_norm.weight"} | {
        f"blk.{i}.{part}.weight"
        for i in range(arch.blocks)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down", "ffn_gate")
    }
    if not arch.tied:
        wanted.add("output.weight")
    if wanted - found:
        raise ModelError(f"{folder}: the checkpoint lacks {min(wanted - found)!r}")


def _kind(shape: tuple[int, ...], number: Number) -> Literal["f32", "f16", "q8_0"]:
    """Vectors stay exact; rows that are no multiple of a block of 32 cannot be Q8_0."""
    if len(shape) < 2:
        return "f32"
    return "q8_0" if number == "q8_0" and shape[-1] % 32 == 0 else "f16"


def _turned(arch: Architecture, name: str) -> int:
    """Llama's files pair neighbouring numbers of a head, where a checkpoint pairs its halves."""
    if arch.kind != "llama":
        return 0
    if ".attn_q." in name:
        return arch.heads
    return arch.kv_heads if ".attn_k." in name else 0


def _announce(writer: Any, planned: list[_Planned]) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import quant_shape_to_byte_shape

    for tensor in planned:
        if tensor.kind == "q8_0":
            packed = quant_shape_to_byte_shape(tensor.shape, GGMLQuantizationType.Q8_0)
            size = math.prod(packed)
            kind = GGMLQuantizationType.Q8_0
            writer.add_tensor_info(tensor.name, packed, np.dtype(np.uint8), size, raw_dtype=kind)
            continue
        number = np.dtype(np.float32 if tensor.kind == "f32" else np.float16)
        size = math.prod(tensor.shape) * number.itemsize
        writer.add_tensor_info(tensor.name, tensor.shape, number, size)


def _converted(tensor: _Planned, arch: Architecture, tensors: Tensors) -> "NDArray[Any]":
    """The numbers of a tensor as the file holds them."""
    import numpy as np

    if not tensor.source:
        factors = arch.rope_factors()
        assert factors is not None
        return factors
    values: NDArray[Any] = tensors.read(tensor.source)
    if tensor.heads:
        halves = values.reshape(tensor.heads, 2, -1, *values.shape[1:])
        values = halves.swapaxes(1, 2).reshape(values.shape)
    if tensor.kind == "f32":
        return values.astype(np.float32)
    rows = max(1, _AT_ONCE // tensor.shape[-1])
    first = _packed(tensor, values[:rows])
    if len(first) == len(values):
        return first
    whole = np.empty((len(values), *first.shape[1:]), dtype=first.dtype)
    for at in range(0, len(values), rows):
        whole[at : at + rows] = _packed(tensor, values[at : at + rows])
    return whole


def _packed(tensor: _Planned, values: "NDArray[Any]") -> "NDArray[np.float16] | NDArray[np.uint8]":
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    if tensor.kind == "q8_0":
        packed: NDArray[np.uint8] = quantize(
            values.astype(np.float32, copy=False), GGMLQuantizationType.Q8_0
        )
        return packed
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise ModelError(
            f"{tensor.source} holds numbers that do not fit into 16 bits; try --dtype q8_0"
        )
    return narrow
