"""Tokens, steps, FLOPs, hours and cost; and the machines that they are reckoned for."""

from dataclasses import dataclass
from pathlib import Path

from coalm import store
from coalm.errors import RecipeError, unknown
from coalm.train.plan.shape import Shape
from coalm.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Machine:
    """An accelerator: what fits on it and what it can do at most."""

    name: str
    gigabytes: float
    """GiB of memory that a process can have."""
    peak: float
    """FLOPs a second, dense bfloat16, by its maker's data sheet."""
    single: float
    """The same in float32, without the shortcut TF32, which PyTorch leaves off."""
    price: float
    """US dollars an hour: what clouds asked for one in 2025, roughly. Give your own."""


GPUS = {
    m.name: m
    for m in (
        Machine("h100-80gb", 79.6, 989e12, 67e12, 2.50),
        Machine("h200", 139.8, 989e12, 67e12, 3.50),
        Machine("b200", 178.4, 2250e12, 75e12, 5.50),
        Machine("a100-80gb", 79.3, 312e12, 19.5e12, 1.80),
        Machine("a100-40gb", 39.4, 312e12, 19.5e12, 1.30),
        Machine("l40s", 44.5, 362e12, 91.6e12, 1.00),
        Machine("a10g", 22.2, 70e12, 31.2e12, 0.75),
        Machine("rtx-4090", 23.5, 165e12, 82.6e12, 0.45),
    )
}
"""Accelerators by name."""


def machine(name: str) -> Machine:
    """The accelerator of that name; a `RecipeError` names the nearest one."""
    if name not in GPUS:
        same = [known for known in GPUS if known.startswith(name)]
        raise RecipeError(unknown("GPU", name, same or GPUS))
    return GPUS[name]


@dataclass(frozen=True, slots=True)
class Data:
    """How much there is to train on."""

    rows: int
    tokens: int
    learned: float
    """Share of the tokens that is learned."""
    source: str
    """Where the counts are from, in words."""


PAPER = Data(
    311_583,
    211_184_321,
    0.07,
    "Table 1 of the paper, since no data is built; that 7% is learned is what our own build has",
)
"""The paper's own count of CoALM-IT."""


def data_of(folder: Path | None) -> Data:
    """The counts of a data folder that is built, else the paper's."""
    if folder is None or not (folder / "manifest.json").exists():
        return PAPER
    manifest = store.read_json(folder / "manifest.json")
    rows, tokens = manifest.get("train", 0), manifest.get("tokens", 0)
    if not (rows and tokens):
        return PAPER
    # The manifest counts the tokens of both splits.
    share = rows / (rows + manifest.get("valid", 0))
    counted = f"{folder}/manifest.json, by the tokenizer {manifest['recipe']['tokenizer']}"
    return Data(rows, round(tokens * share), manifest.get("learned", 0) / tokens, counted)


@dataclass(frozen=True, slots=True)
class Work:
    """What a run amounts to."""

    rows: float
    tokens: float
    """Over all epochs, padding left out."""
    steps: int
    warmup: int
    global_batch: int
    flops: float
    """Model FLOPs: what the passes need, without what checkpointing recomputes."""
    recomputed: float
    """What checkpointing adds."""


def work_of(shape: Shape, settings: TrainSettings, data: Data, devices: int) -> Work:
    """The steps and FLOPs of a run on so many devices."""
    together = settings.batch * settings.accumulated(devices) * devices
    in_epoch = -(-data.rows // together)
    steps = settings.steps or max(1, int(-(-in_epoch * settings.epochs // 1)))
    rows = steps * together if settings.steps else data.rows * settings.epochs
    tokens = rows * data.tokens / data.rows
    forward = _forward(shape, data)
    update = 2.0 * shape.trainable
    # Backward: gradients of the activations cost one forward pass; gradients of the weights
    # another one, where they are trained.
    full = settings.method == "full"
    each = 3 * forward if full else 2 * forward + 3 * update
    again = forward + (0 if full else update)
    return Work(
        rows=rows,
        tokens=tokens,
        steps=steps,
        warmup=settings.warmup_steps(steps),
        global_batch=together,
        flops=tokens * each,
        recomputed=tokens * again if settings.checkpointing else 0.0,
    )


def _forward(shape: Shape, data: Data) -> float:
    """FLOPs a token: two for a weight of a product, and attention over half of the row."""
    mean = data.tokens / data.rows
    products = 2.0 * (shape.linear + shape.output * data.learned)
    return products + shape.layers * 2.0 * mean * shape.heads * shape.head


def hours_of(flops: float, devices: int, peak: float, mfu: float) -> float:
    """How long so many model FLOPs take at a share of the devices' peak, FLOPs a second."""
    return flops / (devices * peak * mfu) / 3600
