"""SGD's annotation of 2019, for the dialogues whose final one could not be had.

It has user states and the system's acts, but neither user acts nor service calls: enough
for state tracking, not for conversations with tools.
"""

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coalm.corpora.chunks import Chunk, Fault
from coalm.corpora.records import Record, at, field, parsed
from coalm.corpora.sgd import Service, SgdDialogue, dialogue
from coalm.errors import DataError

ARCHIVE = "sgd/older_annotation_2019.tar.gz"
FOLDER = "train_2019"
"""The archive also holds files of the development set, which are not trained on."""


def dialogues(path: Path) -> Iterator[SgdDialogue]:
    """The training dialogues of the archive, in the files' order; the first fault raises."""
    for chunk in chunks(path):
        for one in [chunk] if isinstance(chunk, Fault) else parsed(chunk):
            if isinstance(one, Fault):
                raise DataError(str(one))
            yield upgraded(one)


def chunks(path: Path) -> Iterator[Chunk | Fault]:
    """Each file of the archive's training folder."""
    found = False
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                inside = Path(member.name)
                opened = archive.extractfile(member) if member.isfile() else None
                if not opened or inside.suffix != ".json" or inside.parent.name != FOLDER:
                    continue
                found = True
                text, place = opened.read().strip(), f"{path}: {member.name}"
                if text[:1] != b"[" or text[-1:] != b"]":
                    yield Fault(place, "not a JSON array; fetch the archive anew")
                    continue
                count = max(1, text.count(b'"dialogue_id"'))
                yield Chunk(place, 1, count, text[1:-1], lines=False, noun="dialogue")
    except (tarfile.TarError, OSError, EOFError) as e:
        yield Fault(str(path), f"not readable as an archive: {e}; fetch it anew")
        return
    if not found:
        yield Fault(str(path), f"no {FOLDER}/*.json inside; fetch the archive anew")


def upgraded(record: Record) -> SgdDialogue:
    """The dialogue of a record, whose missing annotations are empty."""
    with at(record.place):
        turns = [
            {**turn, "frames": [_frame(frame) for frame in field(turn, "frames", list)]}
            for turn in field(record.value, "turns", list)
        ]
    return dialogue(Record(record.place, record.number, {**record.value, "turns": turns}))


def _frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    acts = [{"canonical_values": act["values"], **act} for act in frame.get("actions", [])]
    return {**frame, "actions": acts}


def misfit(dialogue: SgdDialogue, services: Mapping[str, Service]) -> str:
    """Why a dialogue does not fit the schema, or nothing where it does."""
    for exchange in dialogue.exchanges:
        for frame in exchange.user.frames:
            service = services.get(frame.service)
            if service is None or frame.service not in dialogue.services:
                return "a service that the schema does not have"
            if frame.state and not set(frame.state) <= set(service.slots):
                return "a slot that the schema does not have"
    return ""
