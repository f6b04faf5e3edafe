"""A plan in words and figures, a line at a time."""

from collections.abc import Iterator

from coalm.train.plan.advise import changes_for
from coalm.train.plan.plan import Plan, Reported
from coalm.train.plan.work import GPUS, hours_of

_GIB = 2**30


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan as plain text."""
    yield from _model(plan)
    yield ""
    yield from _memory(plan)
    yield ""
    yield from _work(plan)
    if plan.reported:
        yield ""
        yield from (_reported(plan, one) for one in plan.reported)
    yield ""
    yield _verdict(plan)


def _model(plan: Plan) -> Iterator[str]:
    shape, settings = plan.shape, plan.settings
    yield f"model      {plan.model} ({plan.source})"
    yield (
        f"           {shape.layers} layers of {', '.join(shape.wrapped)}, width {shape.width:,}, "
        f"feed-forward {shape.feed_forward:,}, {shape.heads} heads, {shape.kv_heads} of keys, "
        f"vocabulary {shape.vocabulary:,}"
    )
    share = shape.trainable / shape.total
    yield (
        f"weights    {shape.total:,}; {shape.trainable:,} trained ({share:.3%}), "
        f"method {settings.method}"
    )
    if settings.adapted:
        targets = ", ".join(settings.lora.targets) or "every linear layer but the head"
        yield f"adapter    rank {settings.lora.rank}, alpha {settings.lora.alpha:g}, on {targets}"


def _memory(plan: Plan) -> Iterator[str]:
    settings, memory = plan.settings, plan.memory
    lies = "copied to each"
    if settings.fsdp:
        lies = f"FSDP{settings.fsdp.version}, sharding {settings.fsdp.sharding}"
        lies += ", offloaded" if settings.fsdp.offload else ""
    again = "recomputed" if settings.checkpointing else "kept"
    yield (
        f"memory     GiB on each of {plan.devices} x {plan.machine.name} "
        f"({plan.machine.gigabytes:g}), {lies}, batch {settings.batch} x "
        f"{settings.max_length:,} tokens"
    )
    for name, size in (
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimizer (AdamW)", memory.optimizer),
        ("gathered or converted", memory.gathered),
        (f"activations ({again})", memory.activations),
        ("logits", memory.logits),
        ("reserve", memory.reserve),
    ):
        yield f"           {name:<26}{size / _GIB:>9.1f}"
    yield f"           {'all':<26}{memory.device / _GIB:>9.1f}  {_fits(plan.fits)}"
    if memory.host:
        yield f"           {'on the host, for all':<26}{memory.host / _GIB:>9.1f}"
    yield ""
    yield "           GPUs     copied to each            FSDP   FSDP, offloaded"
    for count in sorted({way.devices for way in plan.ways}):
        cells = {way.how: way for way in plan.ways if way.devices == count}
        row = "".join(
            f"{way.bytes / _GIB:>9,.1f} {_fits(way.fits):<6}" if way else f"{'-':>9} {'':<6}"
            for way in (cells.get(how) for how in ("copied", "fsdp", "offload"))
        )
        yield f"           {count:>4}   {row}".rstrip()


def _work(plan: Plan) -> Iterator[str]:
    work, data, settings = plan.work, plan.data, plan.settings
    yield f"data       {data.rows:,} rows, {data.tokens:,} tokens: {data.source}"
    yield (
        f"work       {work.tokens:,.0f} tokens in {work.steps:,} steps of {work.global_batch} rows "
        f"({settings.batch} x {settings.accumulated(plan.devices)} x {plan.devices}), "
        f"{work.warmup:,} of them warm-up"
    )
    again = f", and {work.recomputed:.2e} recomputed" if work.recomputed else ""
    yield f"           {work.flops:.2e} FLOPs{again}"
    yield (
        f"time       {_hours(plan.hours)} at {plan.mfu:.0%} of {plan.peak / 1e12:,.0f} "
        f"TFLOP/s each (MFU: recomputation is not counted); "
        f"${plan.cost:,.0f} at ${plan.price:.2f} an hour"
    )
    if settings.fsdp and settings.fsdp.offload:
        yield "           copying to and from the host is not in it, and can take most of the time"


def _reported(plan: Plan, said: Reported) -> str:
    told = f"reported   {said.record}: about {_hours(said.hours)}"
    settings = plan.settings
    if (said.method, said.epochs) != (settings.method, settings.epochs) or settings.steps:
        return f"{told}, with {said.method} and epochs={said.epochs:g}, which this run is not"
    at_peak = hours_of(plan.work.flops, said.devices, GPUS["h100-80gb"].peak, 1.0)
    return (
        f"{told}; on {said.devices} x H100 this plan's FLOPs in that time are an MFU of "
        f"{at_peak / said.hours:.1%}"
    )


def _verdict(plan: Plan) -> str:
    if plan.fits:
        return f"It fits: {plan.memory.device / plan.room:.0%} of one {plan.machine.name}."
    found = changes_for(plan)
    if found is None:
        return "It does not fit, and no batch, method or number of these GPUs that was tried helps."
    return f"It does not fit. With these changes it does: {found}"


def _fits(fits: bool) -> str:
    return "fits" if fits else "no"


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"
