"""Tiny random checkpoints of the architectures that can be written as GGUF."""

import json
from pathlib import Path
from typing import Any

from tests.tiny import tiny_model

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
"""Llama 3.1's way of stretching positions, with a context so short that it shows."""


def checkpoint(folder: Path, kind: str = "Llama", *, shards: bool = False, **config: Any) -> Path:
    """Write a random model of that kind; its weights are exact in 16 bits, its answers clear."""
    import torch
    import transformers

    from coalm import models

    tiny_model(folder)
    words = json.loads((folder / "tokenizer.json").read_text())
    words["model"]["merges"] = [["t", "h"], ["th", "e"]]
    words["model"]["vocab"] |= {"th": 259, "the": 260}
    (folder / "tokenizer.json").write_text(json.dumps(words))
    (folder / "model.safetensors").unlink()
    sizes = {
        "vocab_size": 264,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "bos_token_id": None,
        "eos_token_id": 258,
        "pad_token_id": 256,
    }
    made = getattr(transformers, f"{kind}Config")(**(sizes | config))
    torch.manual_seed(7)
    model = getattr(transformers, f"{kind}ForCausalLM")(made)
    with torch.no_grad(), models.quiet():
        for weight in model.parameters():
            spread = torch.randn_like(weight) * (0.2 if weight.dim() > 1 else 0.1)
            plain = spread if weight.dim() > 1 else weight + spread
            weight.copy_(plain.to(torch.float16).to(weight.dtype))
        model.save_pretrained(folder, max_shard_size="60KB" if shards else "1GB")
    return folder


def loaded(folder: Path, **how: Any) -> Any:
    """The model in float32, as transformers loads it."""
    import torch
    from transformers import AutoModelForCausalLM

    from coalm import models

    with models.quiet():
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **how)
    return model.eval()
