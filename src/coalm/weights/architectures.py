"""What a checkpoint's config says of its architecture, in one vocabulary for all of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import store
from coalm.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = {"LlamaForCausalLM": "llama", "Qwen2ForCausalLM": "qwen2", "Qwen3ForCausalLM": "qwen3"}
"""The architectures that can be written as GGUF, and their names there."""

_CONTEXT = {"llama": 2048, "qwen2": 32768, "qwen3": 32768}
"""What transformers takes for a config that does not say."""
ROPES = ("default", "llama3", "linear", "yarn")
"""How rotary positions may be stretched."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of a decoder and how it turns positions."""

    kind: str
    """`llama`, `qwen2` or `qwen3`."""
    blocks: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    """The width of one head."""
    context: int
    epsilon: float
    """Of the RMS norm."""
    theta: float
    """The base of the rotary frequencies."""
    vocabulary: int
    tied: bool | None
    """Whether the output layer is the embedding; None where the config does not say."""
    attention_bias: bool = False
    """Whether queries, keys and values have a bias although the architecture needs none."""
    rope: str = "default"
    scaling: Mapping[str, Any] = field(default_factory=dict)
    """The numbers of the stretching, by transformers' names."""

    def frequencies(self) -> "NDArray[np.float64]":
        """The rotary frequencies, stretched as the model wants them."""
        import numpy as np

        plain = self.theta ** (-np.arange(0, self.head, 2, dtype=np.float64) / self.head)
        factors = self.rope_factors()
        if factors is not None:
            return plain / factors
        if self.rope == "linear":
            return plain / float(self.scaling["factor"])
        if self.rope == "default":
            return plain
        raise ModelError(f"rotary positions of type {self.rope!r} do more than change frequencies")

    def rope_factors(self) -> "NDArray[np.float32] | None":
        """What each rotary frequency is divided by where Llama 3.1's rule holds; else None."""
        if self.rope != "llama3":
            return None
        import numpy as np

        low, high = float(self.scaling["low_freq_factor"]), float(self.scaling["high_freq_factor"])
        factor = float(self.scaling["factor"])
        old = float(self.scaling["original_max_position_embeddings"])
        found = []
        for i in range(0, self.head, 2):
            turns = old * self.theta ** (-i / self.head) / (2 * math.pi)
            smooth = min(max((turns - low) / (high - low), 0.0), 1.0)
            found.append(1 / ((1 - smooth) / factor + smooth))
        return np.array(found, dtype=np.float32)


def check_whole(folder: Path) -> None:
    """A `ModelError` for a folder that holds an adapter without its model, or no model at all."""
    if (folder / "config.json").exists():
        return
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder} holds an adapter alone; merge it into its base model first (what "
            "`coalm train` leaves in a run folder is merged)"
        )
    raise ModelError(f"{folder} has no config.json; is it a model folder?")


def kind_of(folder: Path) -> str | None:
    """The GGUF name of a checkpoint's architecture; None for one that cannot be written."""
    names = store.read_json(folder / "config.json").get("architectures") or [""]
    return KINDS.get(str(names[0]))


def architecture_of(folder: Path) -> Architecture:
    """What `config.json` says; a `ModelError` for what GGUF files or this writer cannot hold."""
    config = store.read_json(folder / "config.json")
    kind = kind_of(folder)
    if kind is None:
        names = config.get("architectures") or [config.get("model_type", "nothing")]
        raise ModelError(
            f"{folder}: {names[0]} cannot be written as GGUF; there are {', '.join(KINDS)}"
        )
    _refuse(folder, config)
    rope = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    stretched = str(rope.get("rope_type") or rope.get("type") or "default")
    if stretched not in ROPES:
        raise ModelError(
            f"{folder}: rotary positions of type {stretched!r} cannot be written as GGUF; "
            f"there are {', '.join(ROPES)}"
        )
    try:
        heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
        # Qwen3's config class fills in 128 where the file says nothing.
        usual = 128 if kind == "qwen3" else width // heads
        found = Architecture(
            kind=kind,
            blocks=int(config["num_hidden_layers"]),
            width=width,
            feed_forward=int(config["intermediate_size"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head=int(config.get("head_dim") or usual),
            context=int(config.get("max_position_embeddings") or _CONTEXT[kind]),
            epsilon=float(config.get("rms_norm_eps") or 1e-6),
            theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
            vocabulary=int(config["vocab_size"]),
            tied=config.get("tie_word_embeddings"),
            attention_bias=bool(config.get("attention_bias")),
            rope=stretched,
            scaling=rope,
        )
        found.rope_factors()
    except (KeyError, TypeError, ValueError) as e:
        raise ModelError(f"{folder / 'config.json'} lacks a usable {e}") from None
    return found


def _refuse(folder: Path, config: Mapping[str, Any]) -> None:
    if config.get("quantization_config"):
        raise ModelError(f"{folder}: packed weights cannot be converted; save the model unpacked")
    act = config.get("hidden_act", "silu")
    if act != "silu":
        raise ModelError(f"{folder}: hidden_act {act!r} cannot be written as GGUF, only 'silu'")
    if config.get("use_sliding_window"):
        raise ModelError(f"{folder}: GGUF has no words for Qwen's sliding window")
