"""What a training run is set by."""

from typing import Literal

from pydantic.dataclasses import dataclass

from coalm.recipe import STRICT


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Lora:
    """Low-rank adaptation (Paper 4.2: rank 16, alpha 32, every linear layer)."""

    rank: int = 16
    """Width of the low-rank update."""
    alpha: float = 32.0
    """The update is scaled by alpha / rank."""
    dropout: float = 0.0
    """Share of the update's inputs that is dropped while training."""
    targets: tuple[str, ...] = ()
    """Names of the layers to adapt; empty means every linear layer but the output head."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainSettings:
    """A training run: which model, on what, and how."""

    data: str = ""
    """The data folder, as `coalm data build` leaves it; empty means the recipe's own."""
    model: str = "smollm2-135m"
    """The model to begin with: an embedded name, a folder or a hub id."""
    layout: str = ""
    """Turn markers; empty means those that the model's tokenizer knows."""
    dialect: str = "json"
    """How calls are written in rows that do not say themselves."""
    rows: bool = False
    """Write the paper's instruction / input / output rows, one for each assistant turn."""
    lora: Lora | None = Lora()
    """The adapter; null trains every weight."""
    max_length: int = 4096
    """Rows with more tokens are left out and counted (Paper 4.2: 4,096)."""
    epochs: float = 1.0
    """Passes over the data."""
    steps: int | None = None
    """Optimizer steps; overrides epochs."""
    batch: int = 8
    """Rows in one optimizer step on one device."""
    accumulate: int = 1
    """Batches whose gradients are added up before a step."""
    lr: float = 1e-4
    """Peak learning rate (Paper 4.2: 1e-4)."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    """How the learning rate falls after the warm-up."""
    warmup: float = 0.1
    """Share of the steps over which the learning rate rises (Paper 4.2: 0.1)."""
    weight_decay: float = 0.01
    """AdamW's weight decay."""
    max_grad_norm: float = 10.0
    """Gradients are scaled down to this norm."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, more time."""
    dtype: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision; auto is bf16 where this machine is faster with it."""
    seed: int = 42
    """Seed of the adapter's first values, the data order and dropout."""
    log_every: int = 5
    """Steps between two lines of metrics.jsonl."""
    eval_every: int = 0
    """Steps between two looks at the validation rows; 0 means only at the end."""
    eval_rows: int = 64
    """Validation rows that are looked at."""
    save_every: int = 25
    """Steps between two checkpoints to resume from."""
