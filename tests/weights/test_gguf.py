"""GGUF files: what is read back is the checkpoint, and what cannot be written is said."""

import json
import resource
import shutil
import signal
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coalm.errors import ModelError, RecipeError
from coalm.weights import write_gguf
from tests.checkpoints import LLAMA3, checkpoint, loaded

pytestmark = pytest.mark.slow

READABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "tied": ("Llama", {"tie_word_embeddings": True}),
    "untied": ("Llama", {"tie_word_embeddings": False}),
    "wide heads": ("Llama", {"head_dim": 32}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 128, "tie_word_embeddings": False}),
}
"""What transformers' own reader of GGUF understands."""


def read_back(path: Path) -> Any:
    from transformers import GgufConfig

    packed = GgufConfig(dequantize=True)
    return loaded(path.parent, gguf_file=path.name, quantization_config=packed)


def prompts(count: int = 4) -> list[Any]:
    import torch

    draw = np.random.default_rng(0)
    return [torch.tensor([draw.integers(0, 256, 20 + 40 * i).tolist()]) for i in range(count)]


def fields(path: Path) -> dict[str, Any]:
    from gguf import GGUFReader

    return {name: field.contents() for name, field in GGUFReader(path).fields.items()}


def tensors(path: Path) -> dict[str, Any]:
    from gguf import GGUFReader

    return {tensor.name: tensor for tensor in GGUFReader(path).tensors}


@pytest.mark.parametrize("name", READABLE)
def test_a_model_that_is_read_back_says_exactly_what_it_said(name: str, tmp_path: Path) -> None:
    import torch

    kind, config = READABLE[name]
    folder = checkpoint(tmp_path / "model", kind, **config)
    before, after = loaded(folder), read_back(write_gguf(folder, tmp_path / "m.gguf"))
    with torch.inference_mode():
        for ids in prompts():
            apart = (before(ids).logits - after(ids).logits).abs().max()
            assert apart < 1e-4
            one, other = (
                m.generate(ids, max_new_tokens=12, do_sample=False).tolist()
                for m in (before, after)
            )
            assert one == other


@pytest.mark.model
def test_the_embedded_model_says_the_same_from_its_gguf(embedded: Path, tmp_path: Path) -> None:
    import torch

    from coalm.formats import encode, format_of
    from coalm.formats.tokens import open_tokenizer
    from coalm.types import Dialogue, User

    before, after = loaded(embedded), read_back(write_gguf(embedded, tmp_path / "m.gguf"))
    tokenizer, form = open_tokenizer(embedded), format_of("chatml", "json")
    for text in ("Name three rivers.", "What is 7 times 8?", "Book a table for two."):
        ids = torch.tensor([encode(form.prompt(Dialogue((User(text),))), tokenizer).ids])
        with torch.inference_mode():
            # Its weights are bfloat16, which 16-bit floats hold but for the very smallest.
            assert (before(ids).logits - after(ids).logits).abs().max() < 1e-3
            one, other = (
                m.generate(ids, max_new_tokens=16, do_sample=False).tolist()
                for m in (before, after)
            )
        assert one == other


def test_the_stretching_of_llama_3_is_that_of_transformers(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", rope_parameters=LLAMA3)
    found = tensors(write_gguf(folder, tmp_path / "m.gguf"))["rope_freqs.weight"].data
    plain = LLAMA3["rope_theta"] ** (-np.arange(0, 16, 2) / 16)  # type: ignore[operator]
    theirs = loaded(folder).model.rotary_emb.inv_freq.numpy()
    assert np.allclose(plain / found, theirs, rtol=1e-6)
    assert len({round(float(value), 3) for value in found}) > 2  # kept, blended and divided


def test_sizes_and_stretching_are_told_by_their_names(tmp_path: Path) -> None:
    yarn = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}
    yarn["original_max_position_embeddings"] = 512
    folder = checkpoint(tmp_path / "model", "Qwen2", rope_parameters=yarn)
    told = fields(write_gguf(folder, tmp_path / "m.gguf", "q8_0"))
    assert told["general.architecture"] == "qwen2"
    assert told["general.file_type"] == 7
    assert told["qwen2.block_count"] == 3
    assert (told["qwen2.attention.head_count"], told["qwen2.attention.head_count_kv"]) == (4, 2)
    assert told["qwen2.rope.scaling.type"] == "yarn"
    assert told["qwen2.rope.scaling.factor"] == 4.0
    assert told["qwen2.rope.scaling.original_context_length"] == 512


def test_eight_bits_are_near_and_short_rows_stay_at_sixteen(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    folder = checkpoint(tmp_path / "model", "Qwen2", intermediate_size=72)
    exact = tensors(write_gguf(folder, tmp_path / "a.gguf", "f16"))
    near = tensors(write_gguf(folder, tmp_path / "b.gguf", "q8_0"))
    assert near["blk.0.ffn_down.weight"].tensor_type == GGMLQuantizationType.F16  # rows of 72
    assert near["blk.0.attn_norm.weight"].tensor_type == GGMLQuantizationType.F32
    up = near["blk.0.ffn_up.weight"]
    assert up.tensor_type == GGMLQuantizationType.Q8_0
    values = dequantize(up.data, GGMLQuantizationType.Q8_0)
    wanted = exact["blk.0.ffn_up.weight"].data.astype(np.float32)
    step = np.abs(wanted.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    assert (
        np.abs((values - wanted).reshape(-1, 32)) <= 0.57 * step
    ).all()  # the step itself has 11 bits


def test_shards_make_the_same_file_as_one(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "one" / "model")
    parts = checkpoint(tmp_path / "many" / "model", shards=True)
    assert len(list(parts.glob("*.safetensors"))) > 2
    one, other = write_gguf(whole, tmp_path / "a.gguf"), write_gguf(parts, tmp_path / "b.gguf")
    assert one.read_bytes() == other.read_bytes()


def test_bfloat16_weights_come_out_as_they_are(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = checkpoint(tmp_path / "model", "Qwen2")
    file = folder / "model.safetensors"
    narrow = {name: w.to(torch.bfloat16) for name, w in load_file(file).items()}
    save_file(narrow, file, {"format": "pt"})
    found = tensors(write_gguf(folder, tmp_path / "m.gguf"))
    theirs = narrow["model.layers.1.mlp.up_proj.weight"].float().numpy()
    assert np.array_equal(found["blk.1.ffn_up.weight"].data.astype(np.float32), theirs)
    assert found["blk.1.attn_norm.weight"].data.dtype == np.float32


def test_the_tokenizer_is_in_the_file(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    told = fields(write_gguf(folder, tmp_path / "m.gguf"))
    tokens, kinds = told["tokenizer.ggml.tokens"], told["tokenizer.ggml.token_type"]
    assert tokens[256:264] == [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "th", "the", "[PAD261]", "[PAD262]",
        "[PAD263]",
    ]  # fmt: skip
    assert kinds[255:264] == [1, 3, 3, 3, 1, 1, 5, 5, 5]
    assert told["tokenizer.ggml.merges"] == ["t h", "th e"]
    assert told["tokenizer.ggml.pre"] == "gpt-2"
    assert (told["tokenizer.ggml.eos_token_id"], told["tokenizer.ggml.padding_token_id"]) == (
        258,
        256,
    )
    assert told["tokenizer.ggml.add_bos_token"] is False
    assert told["tokenizer.chat_template"] == "{{ messages }}"
    bare = fields(write_gguf(folder, tmp_path / "bare.gguf", words=False))
    assert not [name for name in bare if name.startswith("tokenizer.")]


def test_only_about_one_tensor_is_in_memory(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", num_hidden_layers=12, intermediate_size=4096)
    whole = (folder / "model.safetensors").stat().st_size
    tracemalloc.start()
    write_gguf(folder, tmp_path / "m.gguf", words=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert whole > 30e6
    assert most < 6e6


# --- what a person can mend -----------------------------------------------------------------


def changed(folder: Path, **config: Any) -> None:
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | config))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("llama") / "model", tie_word_embeddings=True)


@pytest.fixture
def model(llama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(llama, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"architectures": ["MixtralForCausalLM"]}, "MixtralForCausalLM cannot be written"),
        ({"architectures": None, "model_type": "mamba"}, "mamba cannot be written"),
        ({"quantization_config": {"quant_method": "gptq"}}, "packed weights"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ({"use_sliding_window": True}, "sliding window"),
        ({"rope_parameters": {"rope_type": "longrope"}}, "type 'longrope'"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "lacks a usable 'low_freq_factor'"),
        ({"num_attention_heads": None}, "lacks a usable"),
        ({"num_hidden_layers": 4}, "the checkpoint lacks 'blk.3"),
        ({"tie_word_embeddings": False}, "the checkpoint lacks 'output.weight'"),
    ],
)
def test_what_a_file_cannot_hold_is_said_and_nothing_is_left(
    config: dict[str, Any], said: str, model: Path, tmp_path: Path
) -> None:
    changed(model, **config)
    with pytest.raises(ModelError, match=said):
        write_gguf(model, tmp_path / "out" / "m.gguf")
    assert not list(tmp_path.glob("out/*"))


def test_an_adapter_alone_must_be_merged_first(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds an adapter alone; merge it"):
        write_gguf(tmp_path, tmp_path / "m.gguf")


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        write_gguf(tmp_path, tmp_path / "m.gguf")


def test_a_sentencepiece_tokenizer_is_refused_and_left_out_on_request(
    model: Path, tmp_path: Path
) -> None:
    (model / "tokenizer.json").unlink()
    (model / "tokenizer.model").write_bytes(b"\n")
    with pytest.raises(ModelError, match=r"only tokenizer.model, a sentencepiece file"):
        write_gguf(model, tmp_path / "m.gguf")
    assert write_gguf(model, tmp_path / "m.gguf", words=False).exists()


@pytest.mark.parametrize("change", [{"type": "Unigram"}, {"byte_fallback": True}])
def test_a_converted_sentencepiece_vocabulary_is_refused(
    change: dict[str, Any], model: Path, tmp_path: Path
) -> None:
    words = json.loads((model / "tokenizer.json").read_text())
    words["model"] |= change
    (model / "tokenizer.json").write_text(json.dumps(words))
    with pytest.raises(ModelError, match="only byte-level BPE"):
        write_gguf(model, tmp_path / "m.gguf")


def test_a_token_without_a_row_is_said(model: Path, tmp_path: Path) -> None:
    changed(model, vocab_size=259)
    with pytest.raises(ModelError, match="has an id 260 and the model's embedding has only 259"):
        write_gguf(model, tmp_path / "m.gguf")


def test_a_file_that_was_cut_off_is_named(model: Path, tmp_path: Path) -> None:
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"model.safetensors: .* is cut off"):
        write_gguf(model, tmp_path / "m.gguf")
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        write_gguf(model, tmp_path / "m.gguf")


def test_a_lost_shard_is_named(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", shards=True)
    lost = sorted(folder.glob("*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(ModelError, match=f"such as {lost.name}"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_numbers_too_large_for_sixteen_bits_are_not_made_infinite(
    model: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    file = model / "model.safetensors"
    weights = load_file(file)
    weights["model.layers.0.mlp.up_proj.weight"][0, 0] = 1e5
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelError, match=r"up_proj.weight holds numbers .* --dtype q8_0"):
        write_gguf(model, tmp_path / "out" / "m.gguf")
    assert not list(tmp_path.glob("out/*"))


def test_a_disk_that_is_full_leaves_nothing_behind(model: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(ModelError, match="is there room for it"):
            write_gguf(model, tmp_path / "out" / "m.gguf")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert not list(tmp_path.glob("out/*"))


def test_a_number_that_nobody_writes_gets_a_suggestion(model: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'q8_0'"):
        write_gguf(model, tmp_path / "m.gguf", "q8")
