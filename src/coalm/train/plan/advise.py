"""What to change where a run does not fit, by trying it in the plan."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from coalm.errors import CoalmError
from coalm.train.architectures import describe
from coalm.train.plan.memory import memory_of
from coalm.train.plan.plan import Plan, layout_of
from coalm.train.plan.shape import Shape, shape_of
from coalm.train.plan.work import PAPER, Data
from coalm.train.settings import Fsdp, TrainSettings

MOST = 64
"""Devices beyond which no advice goes."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Changes with which a run fits, and what one device then holds."""

    changes: tuple[str, ...]
    """As overrides of the recipe, or options of the plan."""
    bytes: int

    def __str__(self) -> str:
        return f"{' '.join(self.changes)} ({self.bytes / 2**30:.1f} GiB)"


@dataclass(frozen=True, slots=True)
class _State:
    settings: TrainSettings
    devices: int


_Change = tuple[str, Callable[[_State], _State]]


def changes_for(plan: Plan) -> Advice | None:
    """The mildest changes with which a plan fits; None where none of them helps."""
    start = _State(plan.settings, plan.devices)
    return _search(plan.shape, start, plan.data, plan.room, many=True)


def advice(settings: TrainSettings, model: Path) -> str:
    """What to say when memory has run out on this machine."""
    room = _room()
    try:
        shape = shape_of(describe(str(model)), settings)
    except CoalmError as e:
        return f"take a smaller batch or checkpointing=true (no plan can be made: {e})"
    needed = memory_of(shape, settings, layout_of(settings, PAPER, 1)).device
    said = f"the plan puts {needed / 2**30:.1f} GiB on this device of {room / 2**30:.1f} GiB"
    start = _State(settings, 1)
    found = _search(shape, start, PAPER, min(room, needed - 1), many=False)
    if found is None:
        return f"{said}, and no smaller batch helps; method=qlora or more devices might"
    return f"{said}; try {found}; `coalm train --plan` shows the parts"


def _room() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[1])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _search(shape: Shape, start: _State, data: Data, room: int, *, many: bool) -> Advice | None:
    """Make changes, the mildest first, until the run fits; then take back what was not needed."""

    def needed(taken: list[_Change]) -> int:
        state = start
        for _, change in taken:
            state = change(state)
        layout = layout_of(state.settings, data, state.devices)
        return memory_of(shape_for(state), state.settings, layout).device

    def shape_for(state: _State) -> Shape:
        if start.settings.method == "full" and state.settings.adapted:
            # An adapter of rank 16 has about 0.5% of the weights; its exact size hardly matters.
            return replace(shape, trainable=shape.total // 200)
        return shape

    taken: list[_Change] = []
    for change in _changes(start, many=many):
        taken.append(change)
        if needed(taken) <= room:
            for one in list(taken):
                rest = [other for other in taken if other is not one]
                if needed(rest) <= room:
                    taken = rest
            return Advice(tuple(name for name, _ in _last_of_each(taken)), needed(taken))
    return None


def _last_of_each(taken: list[_Change]) -> list[_Change]:
    """Of several changes to one setting the last, which holds."""
    return list({name.partition("=")[0]: (name, change) for name, change in taken}.values())


def _changes(start: _State, *, many: bool) -> Iterator[_Change]:
    settings = start.settings
    if not settings.checkpointing:
        yield "checkpointing=true", _set(checkpointing=True)
    batch = settings.batch
    while batch > 1:
        batch //= 2
        yield f"batch={batch}", _set(batch=batch)
    if many and start.devices > 1:
        if settings.fsdp is None:
            yield "fsdp.sharding=full", _set(fsdp=Fsdp())
        if settings.fsdp is None or not settings.fsdp.offload:
            yield "fsdp.offload=true", _set(fsdp=replace(settings.fsdp or Fsdp(), offload=True))
    if settings.method == "full":
        yield "method=lora", _set(method="lora")
    if settings.method != "qlora":
        yield "method=qlora", _set(method="qlora")
    devices = start.devices
    while many and devices < MOST:
        devices *= 2
        yield f"--gpus={devices}", _on(devices)


def _set(**changed: object) -> Callable[[_State], _State]:
    return lambda state: replace(state, settings=replace(state.settings, **changed))  # type: ignore[arg-type]


def _on(devices: int) -> Callable[[_State], _State]:
    def change(state: _State) -> _State:
        fsdp = state.settings.fsdp or Fsdp()
        return _State(replace(state.settings, fsdp=fsdp), devices)

    return change
