"""SNIPS utterances as single-turn state tracking (Paper 4.1, the TOD part of the mixture).

The operator's words name the seven domains and their 53 domain-slot pairs, collected
from the split itself; the answer is `{"domain": ..., "slot_values": {...}}`. The usual
split comes first, then the layout of the original repository.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.corpora.chunks import Chunk, Fault, chunked
from coalm.corpora.records import Record, at, field, parsed
from coalm.errors import DataError
from coalm.sources import Found
from coalm.types import Assistant, Dialogue, Sample, System, User

SPLIT = "snips/dst_split/train.json.gz"
UPSTREAM = "snips/2017-06-custom-intent-engines"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled request."""

    id: str
    text: str
    domain: str
    slots: Mapping[str, str]
    """A slot that is filled twice keeps its last value, as in the usual split."""


def read(found: Found) -> Iterator[Sample]:
    """One sample for each utterance of the train split."""
    told = System(instruction(pairs(utterances(found))))
    for chunk in chunks(found):
        for record in [chunk] if isinstance(chunk, Fault) else parsed(chunk):
            if isinstance(record, Fault):
                raise DataError(str(record))
            yield from make(record, told)


def make(record: Record, told: System) -> Iterator[Sample]:
    """The sample of an utterance; `told` holds the slots of the whole split."""
    # Paper 4.1. Deviation D10: the instruction is ours and short, and answers carry no
    # `System: ` in front of the JSON, since the layout already says who speaks.
    row = utterance(record)
    name = f"snips/train/{row.id}"
    said = Assistant(answer(row.domain, row.slots))
    yield Sample(name, "snips", Dialogue((told, User(row.text), said)), name)


def utterance(record: Record) -> Utterance:
    """The labelled request of a record of `chunks`."""
    with at(record.place):
        slots = {str(k): str(v) for k, v in field(record.value, "slot_values", dict).items()}
        return Utterance(
            field(record.value, "dialog_id", str),
            field(record.value, "utterance", str).strip(),
            field(record.value, "domain", str),
            slots,
        )


def utterances(found: Found) -> list[Utterance]:
    """Every utterance that can be read; what cannot is told of where the samples are made."""
    rows = []
    for chunk in chunks(found):
        for record in () if isinstance(chunk, Fault) else parsed(chunk):
            if isinstance(record, Record):
                with suppress(DataError):
                    rows.append(utterance(record))
    if not rows:
        raise DataError(f"{found.root / 'snips'}: no utterances; fetch snips/dst_split anew")
    return rows


def chunks(found: Found) -> Iterator[Chunk | Fault]:
    """The train split, from `dst_split` if it is there, else from the original files."""
    split = found.path(SPLIT)
    return chunked(split) if split.exists() else _upstream(found.root / UPSTREAM)


def pairs(rows: Iterable[Utterance]) -> dict[str, list[str]]:
    """The slots of each domain that occur in these utterances, both in alphabetical order."""
    known: dict[str, set[str]] = {}
    for row in rows:
        known.setdefault(row.domain, set()).update(row.slots)
    return {domain: sorted(slots) for domain, slots in sorted(known.items())}


def instruction(slots: Mapping[str, Iterable[str]]) -> str:
    """What the model is told: the role, each domain with its slots, one sample output."""
    lines = "\n".join(f"{domain}: {', '.join(names)}" for domain, names in slots.items())
    sample = answer("RateBook", {"object_name": "Ulysses", "rating_value": "4"})
    return (
        "You track the state of a request. Name its domain and copy the value of each slot it "
        f"fills; use no slot that is not listed for the domain.\n{lines}\nExample output: {sample}"
    )


def answer(domain: str, slots: Mapping[str, str]) -> str:
    """The state as the model is to write it."""
    state = {"domain": domain, "slot_values": dict(slots)}
    return json.dumps(state, ensure_ascii=False)


def _upstream(folder: Path) -> Iterator[Chunk | Fault]:
    """The original files, a chunk each, as records of the usual split."""
    for path in sorted(folder.glob("*/train_*_full.json")):
        domain = path.parent.name
        try:
            labelled = _labelled(path, domain)
            rows = [_joined(f"{domain}-{n}", domain, row) for n, row in enumerate(labelled, 1)]
        except DataError as e:
            yield Fault(str(path), str(e))
            continue
        text = ",".join(map(store.compact, rows))
        yield Chunk(str(path), 1, len(rows), text.encode(), lines=False)


def _joined(name: str, domain: str, row: dict[str, Any]) -> dict[str, Any]:
    """An original record in the shape of the usual split; odd ones stay as they are."""
    try:
        parts = field(row, "data", list)
        slots = {part["entity"]: part["text"].strip() for part in parts if "entity" in part}
        text = "".join(field(part, "text", str) for part in parts).strip()
    except (KeyError, TypeError, AttributeError):
        return row
    return {"dialog_id": name, "domain": domain, "utterance": text, "slot_values": slots}


def _labelled(path: Path, domain: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(_decoded(path.read_bytes()))[domain]
    except (ValueError, KeyError, TypeError) as e:
        raise DataError(f"not readable as {{{domain!r}: [...]}}: {e}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{domain!r} is not a list of objects; fetch the file anew")
    return rows


def _decoded(raw: bytes) -> str:
    """The text of an original file; PlayMusic is no UTF-8 for one emoji alone.

    It is usually read as Latin-1, which garbles its 22 other titles with accents. In truth the
    emoji is written as two surrogates of three bytes each (CESU-8).
    """
    try:
        return (
            raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        )
    except UnicodeError:
        return raw.decode("latin-1")
