"""Schema-Guided Dialogue as frozen values: services with their schema, annotated dialogues.

Reads an archive `train.tar.gz` or a folder that holds `schema.json` and
`dialogues_NNN.json`. The older annotation of 2019 has no service calls and is not read.
"""

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.corpora.chunks import Chunk, Fault
from coalm.corpora.records import Record, at, field, parsed
from coalm.errors import DataError
from coalm.types import Json, ToolCall

ARCHIVE = "sgd/train.tar.gz"


@dataclass(frozen=True, slots=True)
class ServiceSlot:
    """A slot of a service."""

    name: str
    description: str
    values: tuple[str, ...]
    """What a categorical slot can be; empty for an open one."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that a service does, which is one API method."""

    name: str
    description: str
    transactional: bool
    """Whether it changes something, so that the user is asked to confirm first."""
    required: tuple[str, ...]
    optional: Mapping[str, str]
    """Slot to default value; `dontcare` stands for none."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service: `Restaurants_1` and what it knows and does."""

    name: str
    description: str
    slots: Mapping[str, ServiceSlot]
    intents: Mapping[str, Intent]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The slots that a user can settle, in the schema's order."""
        used = {s for i in self.intents.values() for s in (*i.required, *i.optional)}
        return tuple(name for name in self.slots if name in used)


@dataclass(frozen=True, slots=True)
class Act:
    """One dialogue act: `REQUEST(city)`, `OFFER(restaurant_name, 71 Saint Peter)`."""

    act: str
    slot: str
    values: tuple[str, ...]
    """As the turn says them."""
    canonical: tuple[str, ...] = ()
    """As calls and results have them: `19:30` for "7:30 pm"."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a turn says to one service."""

    service: str
    acts: tuple[Act, ...]
    intent: str = ""
    """The active intent, in a user's turn."""
    state: Mapping[str, tuple[str, ...]] | None = None
    """Slot to the spellings of its value, in a user's turn."""
    call: ToolCall | None = None
    results: tuple[Mapping[str, Json], ...] = ()
    """What the service gave back."""


@dataclass(frozen=True, slots=True)
class SgdTurn:
    """What one side said, with its annotation."""

    text: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A user's turn and the system's turn that answers it."""

    user: SgdTurn
    system: SgdTurn


@dataclass(frozen=True, slots=True)
class SgdDialogue:
    """A dialogue, user first, both sides in turn."""

    id: str
    services: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


def schema(path: Path) -> dict[str, Service]:
    """The services of a split, by name."""
    services = {}
    for chunk in chunks(path, "schema"):
        for record in _entries(chunk):
            with at(record.place):
                service = _service(record.value)
            services[service.name] = service
    return services


def dialogues(path: Path) -> Iterator[SgdDialogue]:
    """The dialogues of a split, in the files' order; the first fault raises."""
    for chunk in chunks(path):
        for record in _entries(chunk):
            yield dialogue(record)


def dialogue(record: Record) -> SgdDialogue:
    """The dialogue of a record of `chunks`."""
    with at(record.place):
        return _dialogue(record.value)


def fitting(record: Record, services: Mapping[str, Service]) -> SgdDialogue:
    """The dialogue of a record; a `DataError` where it does not fit the schema."""
    found = dialogue(record)
    for exchange in found.exchanges:
        for frame in (*exchange.user.frames, *exchange.system.frames):
            why = _misfit(frame, services)
            if why:
                raise DataError(f"{record.place}: {found.id}: {why}; schema and dialogues differ")
    missing = [name for name in found.services if name not in services]
    if missing:
        raise DataError(f"{record.place}: {found.id}: no service {missing[0]!r} in the schema")
    return found


def _misfit(frame: Frame, services: Mapping[str, Service]) -> str:
    service = services.get(frame.service)
    if service is None:
        return f"no service {frame.service!r} in the schema"
    if frame.call and frame.call.name not in service.intents:
        return f"calls {frame.call.name!r}, which the schema of {service.name} does not list"
    keys = [*(frame.state or ()), *(k for result in frame.results for k in result)]
    strange = next((key for key in keys if key not in service.slots), None)
    return "" if strange is None else f"no slot {strange!r} in the schema of {service.name}"


def chunks(path: Path, prefix: str = "dialogues_") -> Iterator[Chunk | Fault]:
    """Each file of a split whose name begins so; in the archive or in the folder."""
    found = False
    try:
        for name, raw in _inside(path, prefix):
            found = True
            noun = "service" if prefix == "schema" else "dialogue"
            text, place = raw.strip(), f"{path}: {name}"
            if text[:1] != b"[" or text[-1:] != b"]":
                yield Fault(place, f"{_unlike_array(text)}; fetch the SGD split anew")
                continue
            count = max(1, text.count(b'"dialogue_id"'))
            yield Chunk(place, 1, count, text[1:-1], lines=False, noun=noun)
    except (tarfile.TarError, OSError, EOFError) as e:
        yield Fault(str(path), f"not readable as an archive: {e}; fetch it anew")
        return
    if not found:
        yield Fault(str(path), f"no {prefix}*.json inside; fetch the SGD split anew")


def _unlike_array(text: bytes) -> str:
    try:
        return f"not a JSON array but {type(json.loads(text)).__name__}"
    except ValueError as e:
        return f"not readable as JSON: {e}"


def _entries(chunk: Chunk | Fault) -> Iterator[Record]:
    for one in [chunk] if isinstance(chunk, Fault) else parsed(chunk):
        if isinstance(one, Fault):
            raise DataError(str(one))
        yield one


def _inside(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.glob(f"{prefix}*.json")):
            yield file.name, file.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in archive:
            name = Path(member.name).name
            opened = archive.extractfile(member) if member.isfile() else None
            if opened and name.startswith(prefix) and name.endswith(".json"):
                yield name, opened.read()


def _service(row: dict[str, Any]) -> Service:
    slots = [
        ServiceSlot(
            field(s, "name", str),
            field(s, "description", str),
            tuple(map(str, s["possible_values"])) if s["is_categorical"] else (),
        )
        for s in field(row, "slots", list)
    ]
    intents = [
        Intent(
            field(i, "name", str),
            field(i, "description", str),
            field(i, "is_transactional", bool),
            tuple(field(i, "required_slots", list)),
            field(i, "optional_slots", dict),
        )
        for i in field(row, "intents", list)
    ]
    return Service(
        field(row, "service_name", str),
        field(row, "description", str),
        {s.name: s for s in slots},
        {i.name: i for i in intents},
    )


def _dialogue(row: dict[str, Any]) -> SgdDialogue:
    turns = field(row, "turns", list)
    speakers = [turn["speaker"] for turn in turns]
    if not turns or speakers != ["USER", "SYSTEM"] * (len(turns) // 2):
        raise ValueError("user and system do not take turns")
    said = [_turn(turn) for turn in turns]
    pairs = zip(said[::2], said[1::2], strict=True)
    return SgdDialogue(
        field(row, "dialogue_id", str),
        tuple(map(str, field(row, "services", list))),
        tuple(Exchange(user, system) for user, system in pairs),
    )


def _turn(row: dict[str, Any]) -> SgdTurn:
    return SgdTurn(
        field(row, "utterance", str).strip(), tuple(map(_frame, field(row, "frames", list)))
    )


def _frame(row: dict[str, Any]) -> Frame:
    acts = tuple(
        Act(
            field(a, "act", str),
            field(a, "slot", str),
            tuple(map(str, a["values"])),
            tuple(map(str, a["canonical_values"])),
        )
        for a in field(row, "actions", list)
    )
    state, call = row.get("state"), row.get("service_call")
    return Frame(
        field(row, "service", str),
        acts,
        intent=field(state, "active_intent", str) if state else "",
        state={s: tuple(v) for s, v in field(state, "slot_values", dict).items()}
        if state
        else None,
        call=ToolCall(field(call, "method", str), field(call, "parameters", dict))
        if call
        else None,
        results=tuple(field(row, "service_results", list)) if call else (),
    )
