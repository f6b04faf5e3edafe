"""A plan: what a run holds, does, takes and costs on the machines that it is given."""

from dataclasses import dataclass, replace

from coalm.train.architectures import describe
from coalm.train.plan.memory import Layout, Memory, memory_of
from coalm.train.plan.shape import Shape, shape_of
from coalm.train.plan.work import Data, Machine, Work, hours_of, work_of
from coalm.train.settings import Fsdp, TrainSettings

COUNTS = (1, 2, 4, 8, 16, 32, 64)
"""Numbers of devices that a plan compares."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What CoALM's authors say that a run took."""

    record: str
    """paper or release: which of the two records it belongs to."""
    method: str
    epochs: float
    hours: float
    devices: int = 8
    """H100s; said of the 8B alone, and taken for the others as well."""


REPORTED = {
    "llama-3.1-8b": (Reported("paper", "lora", 3, 8.0),),
    "llama-3.1-70b": (Reported("paper", "lora", 3, 60.0), Reported("release", "full", 1, 24.0)),
    "llama-3.1-405b": (Reported("release", "qlora", 1, 6.5 * 24),),
}
"""By bundled description: the paper's text (4.2) and the released configurations' notes."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to lay the run on some devices."""

    devices: int
    how: str
    """copied, fsdp or offload."""
    bytes: int
    """On each device."""
    fits: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known of a run before it is started."""

    model: str
    source: str
    """Where the model's facts are from."""
    settings: TrainSettings
    shape: Shape
    data: Data
    work: Work
    machine: Machine
    devices: int
    mfu: float
    """Share of the machines' peak that model FLOPs get."""
    price: float
    """US dollars an hour for one device."""
    memory: Memory
    ways: tuple[Way, ...]
    reported: tuple[Reported, ...]

    @property
    def room(self) -> int:
        """Bytes of one device."""
        return round(self.machine.gigabytes * 2**30)

    @property
    def peak(self) -> float:
        """FLOPs a second of one device, in the precision of the run."""
        return self.machine.single if self.settings.dtype == "fp32" else self.machine.peak

    @property
    def fits(self) -> bool:
        """Whether the fullest device has room."""
        return self.memory.device <= self.room

    @property
    def hours(self) -> float:
        """Of the whole run, evaluation and checkpoints left out."""
        return hours_of(self.work.flops, self.devices, self.peak, self.mfu)

    @property
    def cost(self) -> float:
        """US dollars."""
        return self.hours * self.devices * self.price


def make_plan(
    settings: TrainSettings,
    data: Data,
    on: Machine,
    *,
    devices: int,
    mfu: float = 0.4,
    price: float | None = None,
) -> Plan:
    """Plan a run without its weights; a `CoalmError` for what the recipe cannot mean."""
    described = describe(settings.model)
    shape = shape_of(described, settings)
    return Plan(
        model=settings.model,
        source=described.source,
        settings=settings,
        shape=shape,
        data=data,
        work=work_of(shape, settings, data, devices),
        machine=on,
        devices=devices,
        mfu=mfu,
        price=on.price if price is None else price,
        memory=memory_of(shape, settings, layout_of(settings, data, devices)),
        ways=tuple(_ways(shape, settings, data, on, devices)),
        reported=REPORTED.get(described.bundled, ()),
    )


def layout_of(settings: TrainSettings, data: Data, devices: int) -> Layout:
    """How a run lies on so many devices; `dtype: auto` is bf16 on accelerators."""
    return Layout(devices, "fp32" if settings.dtype == "fp32" else "bf16", data.learned)


def _ways(
    shape: Shape, settings: TrainSettings, data: Data, on: Machine, devices: int
) -> list[Way]:
    sharded = settings.fsdp or Fsdp()
    found = []
    for count in sorted({*COUNTS, devices}):
        for how, fsdp in (
            ("copied", None),
            ("fsdp", replace(sharded, offload=False)),
            ("offload", replace(sharded, offload=True)),
        ):
            if fsdp and count == 1:
                continue  # there is nothing to share out
            layout = layout_of(settings, data, count)
            needed = memory_of(shape, replace(settings, fsdp=fsdp), layout).device
            found.append(Way(count, how, needed, needed <= on.gigabytes * 2**30))
    return found
