"""SNIPS utterances as single-turn state tracking (Paper 4.1, the TOD part of the mixture).

The operator's words name the seven domains and their 53 domain-slot pairs, collected
from the split itself; the answer is `{"domain": ..., "slot_values": {...}}`. The usual
split comes first, then the layout of the original repository.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.corpora.records import at, field, records
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
    rows = utterances(found)
    # Paper 4.1. Deviation D10: the instruction is ours and short, and answers carry no
    # `System: ` in front of the JSON, since the layout already says who speaks.
    told = System(instruction(pairs(rows)))
    for row in rows:
        said = answer(row.domain, row.slots)
        yield Sample(
            f"snips/train/{row.id}",
            "snips",
            Dialogue((told, User(row.text), Assistant(said))),
            f"snips/train/{row.id}",
        )


def utterances(found: Found) -> list[Utterance]:
    """The train split, from `dst_split` if it is there, else from the original files."""
    split = found.path(SPLIT)
    rows = list(_split(split) if split.exists() else _upstream(found.root / UPSTREAM))
    if not rows:
        raise DataError(f"{found.root / 'snips'}: no utterances; fetch snips/dst_split anew")
    return rows


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


def _split(path: Path) -> Iterator[Utterance]:
    seen: dict[str, int] = {}
    for place, row in records(path):
        with at(place):
            name = field(row, "dialog_id", str)
            slots = {str(k): str(v) for k, v in field(row, "slot_values", dict).items()}
            text = field(row, "utterance", str).strip()
            one = Utterance(name, text, field(row, "domain", str), slots)
        seen[name] = seen.get(name, 0) + 1
        again = f"#{seen[name]}" if seen[name] > 1 else ""
        yield Utterance(name + again, one.text, one.domain, one.slots)


def _upstream(folder: Path) -> Iterator[Utterance]:
    for path in sorted(folder.glob("*/train_*_full.json")):
        domain = path.parent.name
        for number, row in enumerate(_labelled(path, domain), 1):
            with at(f"{path}: record {number}"):
                parts = field(row, "data", list)
                text = "".join(field(part, "text", str) for part in parts).strip()
                slots = {
                    str(part["entity"]): part["text"].strip() for part in parts if "entity" in part
                }
            yield Utterance(f"{domain}-{number}", text, domain, slots)


def _labelled(path: Path, domain: str) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # as PlayMusic was published
    try:
        rows = json.loads(text)[domain]
    except (ValueError, KeyError, TypeError) as e:
        raise DataError(f"{path}: not readable as {{{domain!r}: [...]}}: {e}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: {domain!r} is not a list of objects; fetch the file anew")
    return rows
