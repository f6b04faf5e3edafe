"""What a training run is set by. Source of the values: docs/training.md."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from coalm.errors import RecipeError
from coalm.recipe import STRICT

Method = Literal["lora", "dora", "qlora", "full"]
BestBy = Literal["loss", "call_name", "call_arguments", "no_call", "state", "state_slots"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Lora:
    """Low-rank adaptation (Paper 4.2: rank 16, alpha 32, every linear layer)."""

    rank: PositiveInt = 16
    """Width of the low-rank update."""
    alpha: float = 32.0
    """The update is scaled by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the update's inputs that is dropped while training."""
    targets: tuple[str, ...] = ()
    """Names of the layers to adapt; empty means every linear layer but the output head."""
    rslora: bool = False
    """Scale the update by alpha / sqrt(rank) instead, for high ranks."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Quant:
    """How `method: qlora` keeps the weights that are not trained: four bits each."""

    kind: Literal["nf4", "fp4"] = "nf4"
    """The four-bit numbers: nf4 suits weights, which are spread like a bell."""
    storage: Literal["bf16", "uint8"] = "bf16"
    """What the packed numbers lie in; FSDP shards floating point alone."""
    compute: Literal["bf16", "fp32"] = "bf16"
    """What they are unpacked to for a product."""
    double: bool = False
    """Pack the blocks' scales as well: 0.37 bits a weight less."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fsdp:
    """The model's weights, gradients and optimizer state shared out over the devices."""

    version: Literal[1, 2] = 2
    """PyTorch's FSDP1, of the released configurations, or FSDP2, which replaced it."""
    sharding: Literal["full", "gradients"] = "full"
    """full frees gathered weights after a layer's forward pass; gradients keeps them."""
    offload: bool = False
    """Keep shards in the machine's memory: room on the device, time for the copying."""
    wrap: tuple[str, ...] = ()
    """Classes of the layers that are gathered one at a time; empty means the decoder's layer."""


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
    method: Method = "lora"
    """What is trained: an adapter (lora; dora, its magnitudes too; qlora, on four-bit weights)
    or every weight (full)."""
    lora: Lora = Lora()
    """The adapter; not used by `method: full`."""
    quant: Quant = Quant()
    """The four-bit weights; used by `method: qlora` alone."""
    max_length: PositiveInt = 4096
    """Tokens of the longest row (Paper 4.2: 4,096)."""
    shorten: bool = True
    """Longer dialogues drop their oldest turns, counted; false leaves them out whole, counted."""
    packing: bool | None = None
    """Put rows side by side, up to max_length tokens, none seeing another; `batch` then counts
    packed rows. Null: where attention: flash makes that free; else rows of a batch are of
    similar length."""
    pad: str = ""
    """The token that fills short rows, never learned; empty means the tokenizer's own."""
    epochs: PositiveFloat = 1.0
    """Passes over the data."""
    steps: PositiveInt | None = None
    """Optimizer steps; overrides epochs."""
    batch: PositiveInt = 8
    """Rows that one device takes at once."""
    accumulate: PositiveInt = 1
    """Batches whose gradients are added up before a step."""
    global_batch: PositiveInt | None = None
    """Rows in one optimizer step over all devices; sets accumulate. Null: batch x devices."""
    optimizer: Literal["adamw_torch_fused", "adamw_torch"] = "adamw_torch_fused"
    """AdamW, its arithmetic in one kernel or in several."""
    lr: PositiveFloat = 1e-4
    """Peak learning rate (Paper 4.2: 1e-4)."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    """How the learning rate falls after the warm-up."""
    warmup: NonNegativeFloat = 0.1
    """Share of the steps over which the learning rate rises (Paper 4.2: 0.1); from 1 on, steps."""
    weight_decay: NonNegativeFloat = 0.01
    """AdamW's weight decay."""
    max_grad_norm: NonNegativeFloat = 10.0
    """Gradients are scaled down to this norm; 0 leaves them as they are."""
    neftune: PositiveFloat | None = None
    """Strength of the noise on embeddings (NEFTune); null means none."""
    checkpointing: bool = False
    """Recompute activations in the backward pass (non-reentrant): less memory, more time."""
    attention: Literal["sdpa", "flash", "eager"] = "sdpa"
    """PyTorch's attention, the package flash-attn's, or plain products, slow and readable."""
    liger: bool = False
    """Triton kernels of the package liger-kernel for norms, rotations and feed-forward layers."""
    dtype: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision; auto is bf16 where this machine is faster with it."""
    master: bool = False
    """Keep the trained weights in float32 beside products in bf16; for `method: full`, since
    adapters are kept so in any event. Without it small updates are rounded away."""
    fsdp: Fsdp | None = None
    """Share the model out over the devices of a run; null copies it to each."""
    seed: int = 42
    """Seed of the adapter's first values, the data order and dropout."""
    log_every: PositiveInt = 5
    """Steps between two lines of metrics.jsonl."""
    report_to: tuple[Literal["tensorboard", "trackio", "wandb"], ...] = ()
    """Trackers that get the metrics as well; metrics.jsonl is written in any event."""
    eval_every: NonNegativeInt = 0
    """Steps between two looks at the validation rows; 0 means the loss alone, at the end."""
    eval_rows: NonNegativeInt = 64
    """Validation rows whose loss is looked at."""
    answer_rows: NonNegativeInt = 64
    """Turns of the validation rows that the model writes itself at each of these looks, for its
    calls and states to be compared; 0 means the loss alone."""
    answer_tokens: PositiveInt = 128
    """New tokens of such a turn, at most; a turn that takes more is not asked for."""
    keep: Literal["last", "best"] = "last"
    """Which step's model becomes `model/`: the last one's, or that of the best look."""
    best_by: BestBy = "loss"
    """What makes a look the best: the lowest loss, or the highest share of what was right."""
    patience: PositiveInt | None = None
    """Training stops after so many looks in a row that found nothing better; null means never."""
    save_every: PositiveInt = 25
    """Steps between two checkpoints to resume from."""

    def __post_init__(self) -> None:
        """A `RecipeError` for settings that contradict each other."""
        if self.global_batch is not None and self.accumulate != 1:
            raise RecipeError("train: set global_batch or accumulate, not both")
        if self.master and self.method != "full":
            raise RecipeError("train: master is for method=full; adapters are float32 already")
        if self.method == "qlora" and self.fsdp and self.quant.storage == "uint8":
            raise RecipeError("train: FSDP shards floating point alone: set quant.storage=bf16")
        self._check_looks()

    def _check_looks(self) -> None:
        compared = self.keep == "best" or self.patience is not None
        if compared and not self.eval_every:
            what = "keep=best" if self.keep == "best" else "patience"
            raise RecipeError(f"train: {what} compares looks: set eval_every, as eval_every=50")
        if self.eval_every and not self.eval_rows:
            raise RecipeError("train: eval_every looks at eval_rows rows: set that above 0")
        if self.best_by != "loss" and not compared:
            raise RecipeError("train: best_by is for keep=best or patience: set one of them")
        if self.best_by != "loss" and not self.answer_rows:
            raise RecipeError(f"train: best_by={self.best_by} needs answers: set answer_rows")
        if self.asks and self.fsdp and self.fsdp.version == 1:
            raise RecipeError("train: FSDP1 cannot write answers: set answer_rows=0")

    @property
    def asks(self) -> bool:
        """Whether the model writes answers while it trains."""
        return bool(self.eval_every and self.answer_rows)

    @property
    def packed(self) -> bool:
        """Whether rows are put side by side."""
        return self.attention == "flash" if self.packing is None else self.packing

    @property
    def adapted(self) -> bool:
        """Whether an adapter is trained and the model's own weights are not."""
        return self.method != "full"

    def accumulated(self, devices: int) -> int:
        """Batches in one optimizer step; a `RecipeError` where no number makes the global batch."""
        if self.global_batch is None:
            return self.accumulate
        together = self.batch * devices
        if self.global_batch % together:
            raise RecipeError(
                f"train: global_batch {self.global_batch} is no multiple of batch {self.batch} x "
                f"{devices} devices; set batch to a divisor of it"
            )
        return self.global_batch // together

    def warmup_steps(self, steps: int) -> int:
        """Steps of the warm-up in a run of so many."""
        return int(self.warmup) if self.warmup >= 1 else -int(-steps * self.warmup // 1)
