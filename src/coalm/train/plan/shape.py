"""The counts of a model: its modules are built on the meta device, which holds no numbers."""

from dataclasses import dataclass
from typing import Any

from coalm import models
from coalm.errors import MissingExtra, ModelError
from coalm.train.architectures import Description
from coalm.train.methods import adapter, check_targets, layer_classes
from coalm.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Shape:
    """What memory and work are counted from; weights are counted, bytes are not."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    """The width of one head."""
    vocabulary: int
    total: int
    """Weights of the model, the adapter left out."""
    trainable: int
    """Weights that are trained: the adapter's, or all of them."""
    linear: int
    """Weights of the linear layers but the output head: what QLoRA packs."""
    largest_linear: int
    output: int
    """Weights of the output head, its own or the embedding's."""
    largest_layer: int
    """Weights of the largest layer that FSDP gathers at once."""
    outside: int
    """Weights in none of those layers: embedding, output head, last norm."""
    wrapped: tuple[str, ...]
    """The classes of the layers that FSDP gathers."""
    adapted_in: int = 0
    """Inputs of the adapted linear layers, added up over one decoder layer."""
    adapted_out: int = 0
    """Their outputs."""
    adapted: int = 0
    """Adapted linear layers in one decoder layer."""


def shape_of(described: Description, settings: TrainSettings) -> Shape:
    """Build the model without its numbers, check the recipe's names against it, count."""
    try:
        import torch
        from peft import get_peft_model
        from transformers import AutoConfig, AutoModelForCausalLM
    except ImportError:
        raise MissingExtra("train", "planning a training run") from None
    with models.quiet(), torch.device("meta"):
        try:
            config = AutoConfig.for_model(**described.config)
            kind: Any = AutoModelForCausalLM
            model = kind.from_config(config, dtype=torch.bfloat16)
        except (KeyError, ValueError, TypeError, AttributeError) as e:
            said = str(e).strip().splitlines()
            raise ModelError(
                f"{described.source}: not a model that transformers can build: "
                f"{said[0] if said else type(e).__name__}"
            ) from None
        check_targets(model, settings)
        wraps = layer_classes(model, settings)
        counts = _counts(model, wraps)
        wanted = adapter(settings)
        if wanted is None:
            trained = {"trainable": counts["total"]}
        else:
            trained = _trained(get_peft_model(model, wanted), counts["layers"])
    return Shape(**counts, **trained, wrapped=wraps)


def _counts(model: Any, wraps: tuple[str, ...]) -> dict[str, int]:
    from torch import nn

    config = model.config.get_text_config()
    head = model.get_output_embeddings()
    linear = [m for m in model.modules() if isinstance(m, nn.Linear) and m is not head]
    wrapped = [m for m in model.modules() if type(m).__name__ in wraps]
    sizes = [sum(p.numel() for p in m.parameters()) for m in wrapped]
    total = sum(p.numel() for p in model.parameters())
    heads = config.num_attention_heads
    return {
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "feed_forward": config.intermediate_size,
        "heads": heads,
        "kv_heads": getattr(config, "num_key_value_heads", None) or heads,
        "head": getattr(config, "head_dim", None) or config.hidden_size // heads,
        "vocabulary": config.vocab_size,
        "total": total,
        "linear": sum(m.weight.numel() for m in linear),
        "largest_linear": max((m.weight.numel() for m in linear), default=0),
        "output": head.weight.numel(),
        "largest_layer": max(sizes, default=total),
        "outside": total - sum(sizes),
    }


def _trained(model: Any, layers: int) -> dict[str, int]:
    adapted = [m for m in model.modules() if hasattr(m, "lora_A") and hasattr(m, "base_layer")]
    return {
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "adapted_in": sum(m.base_layer.in_features for m in adapted) // layers,
        "adapted_out": sum(m.base_layer.out_features for m in adapted) // layers,
        "adapted": len(adapted) // layers,
    }
