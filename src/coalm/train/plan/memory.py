"""Bytes on one device: weights, gradients, optimizer state, activations. Every formula is here.

The activations are what PyTorch keeps for the backward pass of transformers' Llama, Qwen and
Mistral layers with sdpa; a test measures it. docs/training.md says the formulas in words.
"""

from dataclasses import dataclass

from coalm.train.plan.shape import Shape
from coalm.train.settings import Quant, TrainSettings

RESERVE = 2 * 2**30
"""CUDA's context, NCCL's buffers and what the allocator cannot use: our estimate."""
_BLOCK, _BLOCKS = 64, 256
"""bitsandbytes: weights to a scale, and scales to a scale of scales."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a run lies on its devices."""

    devices: int
    precision: str
    """bf16 or fp32."""
    learned: float
    """Share of the tokens that is learned."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device, and in the machine's memory for all of them."""

    weights: int
    gradients: int
    optimizer: int
    gathered: int
    """Weights in another form for a while: gathered by FSDP, unpacked, or in bfloat16."""
    activations: int
    logits: int
    reserve: int
    host: int
    """What `fsdp.offload` keeps in the machine's memory."""

    @property
    def device(self) -> int:
        """All that has to fit on one device."""
        state = self.weights + self.gradients + self.optimizer + self.gathered
        return state + self.activations + self.logits + self.reserve


def memory_of(shape: Shape, settings: TrainSettings, how: Layout) -> Memory:
    """What one of the devices has to hold at its fullest: a batch of the longest rows."""
    wide = 2 if how.precision == "bf16" else 4
    fsdp = settings.fsdp
    trained = _trained_bytes(settings, wide)
    base = 0 if settings.method == "full" else _base_bytes(shape, settings, wide)
    weights, gradients = base + shape.trainable * trained, shape.trainable * trained
    optimizer = 2 * gradients  # AdamW's two moments are as wide as what they are of
    host, share = 0, 1
    if fsdp:
        share = how.devices
        if fsdp.offload:
            host = weights + gradients + optimizer
            weights = gradients = optimizer = 0
    return Memory(
        weights=-(-weights // share),
        gradients=-(-gradients // share),
        optimizer=-(-optimizer // share),
        gathered=_gathered(shape, settings, wide),
        activations=_activations(shape, settings, wide),
        logits=_logits(shape, settings, wide, how.learned),
        reserve=RESERVE,
        host=host,
    )


def packed_bytes(quant: Quant) -> float:
    """Bytes of a weight in four bits, its share of the scales included."""
    scale = 1 / _BLOCK + 4 / (_BLOCK * _BLOCKS) if quant.double else 4 / _BLOCK
    return 0.5 + scale


def layer_activations(shape: Shape, settings: TrainSettings, wide: int) -> int:
    """Bytes that one decoder layer keeps for each token, nothing recomputed.

    Feed-forward: gate, its activation, up, their product. Norms: the inputs in float32, what
    the next layers take. Attention: queries, keys, values, the output, a float32 a head.
    """
    width, wider = shape.width, shape.feed_forward
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    attention = wide * (2 * queries + 2 * keys) + 4 * shape.heads + 8
    # Trained norms need their normalised input as well. Beside float32 weights the layers hand
    # on float32, and each product takes a copy in bfloat16.
    narrow = 4 if settings.method == "full" else 2
    norms = (16 + 5 * wide if _mixed(settings, wide) else 8 + narrow * wide) * width
    kept = 4 * wide * wider + norms + attention
    if settings.adapted:
        kept += shape.adapted * settings.lora.rank * wide
        if settings.lora.dropout:  # the input that is left and what was dropped, for each layer
            kept += wide * max(0, 2 * shape.adapted_in - 2 * width - wider)
        if settings.method == "dora":  # the output before and after it is scaled
            kept += 2 * wide * shape.adapted_out
    if settings.attention == "eager":
        kept += shape.heads * settings.max_length * (4 + wide)
    return kept


def _mixed(settings: TrainSettings, wide: int) -> bool:
    """Whether weights are float32 and products bfloat16."""
    return settings.master and wide == 2


def _trained_bytes(settings: TrainSettings, wide: int) -> int:
    if settings.fsdp or wide == 4 or settings.master:
        return 4  # accelerate lifts what is trained to float32 before it shares it out
    # Else PEFT keeps adapters in float32, TRL those of four-bit models in bfloat16.
    return 4 if settings.method in ("lora", "dora") else 2


def _base_bytes(shape: Shape, settings: TrainSettings, wide: int) -> int:
    """The weights that are not trained."""
    if settings.method != "qlora":
        return shape.total * wide
    packed = shape.linear * packed_bytes(settings.quant)
    return int(packed) + (shape.total - shape.linear) * wide


def _gathered(shape: Shape, settings: TrainSettings, wide: int) -> int:
    found = 0
    each = packed_bytes(settings.quant) if settings.method == "qlora" else wide
    if settings.method in ("qlora", "dora"):  # unpacked, or with the update added to it
        found += shape.largest_linear * (wide if settings.method == "qlora" else 2 * wide)
    if settings.fsdp is None:
        copied = _mixed(settings, wide) or (wide == 2 and settings.method in ("lora", "dora"))
        return found + (shape.trainable * wide if copied else 0)  # in bfloat16, for the products
    layers = int(shape.largest_layer * each)
    inner = int((shape.total - shape.outside) * each)
    # One layer in use and the next on its way; or all of them, kept until the backward pass.
    found += 2 * layers if settings.fsdp.sharding == "full" else inner
    found += shape.outside * wide
    if settings.method == "full":  # a layer's gradients before they are shared out
        found += shape.largest_layer * wide
    return found


def _activations(shape: Shape, settings: TrainSettings, wide: int) -> int:
    tokens = settings.batch * settings.max_length
    layer = layer_activations(shape, settings, wide)
    # The backward pass of a layer holds gradients of its widest activations.
    working = wide * (3 * shape.feed_forward + 3 * shape.width)
    if settings.checkpointing:
        stream = (4 if _mixed(settings, wide) else wide) * shape.width
        return tokens * (shape.layers * stream + layer + working)
    return tokens * (shape.layers * layer + working)


def _logits(shape: Shape, settings: TrainSettings, wide: int, learned: float) -> int:
    """Logits stand at each place where some row of the batch learns; three copies in float32."""
    tokens = settings.batch * settings.max_length
    places = min(1.0, learned * settings.batch)
    return int(tokens * shape.vocabulary * (2 * wide * places + 3 * 4 * learned))
