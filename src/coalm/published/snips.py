"""SNIPS -> state tracking rows (Paper 4.1: the TOD part, 13,084 rows)."""

from collections.abc import Iterable, Iterator, Mapping

from coalm.corpora import snips
from coalm.corpora.chunks import Fault
from coalm.corpora.records import Record, parsed
from coalm.errors import DataError
from coalm.formats import Row
from coalm.published.row import paragraphs, sample
from coalm.sources import Found
from coalm.types import Sample


def read(found: Found) -> Iterator[Sample]:
    """A row for each utterance of the train split; the first fault raises."""
    told = instruction(snips.pairs(snips.utterances(found)))
    for chunk in snips.chunks(found):
        for record in [chunk] if isinstance(chunk, Fault) else parsed(chunk):
            if isinstance(record, Fault):
                raise DataError(str(record))
            yield from make(record, told)


def make(record: Record, told: str) -> Iterator[Sample]:
    """The row of an utterance; `told` is the instruction, which all rows share."""
    said = snips.utterance(record)
    output = f"System: {snips.answer(said.domain, said.slots)}"
    name = f"snips/train/{said.id}"
    yield sample(name, "snips", name, Row(told, f"User: {said.text}", output))


def instruction(pairs: Mapping[str, Iterable[str]]) -> str:
    """Role, domains, the slots of each domain on a line, the rule, the task, one sample output."""
    lines = "\n".join(f"{domain}: {', '.join(slots)}" for domain, slots in pairs.items())
    example = snips.answer("RateBook", {"object_name": "Ulysses", "rating_value": "4"})
    return paragraphs(
        "You are the part of a dialogue system that keeps track of its state: you notice what "
        "the user wants and which details have been given.",
        f"The request belongs to one of these {len(pairs)} domains: {', '.join(pairs)}.",
        f"The slots of each domain:\n{lines}",
        "Fill slots of the chosen domain only and capture no other slots. Leave out a slot that "
        "the user did not mention. Copy each value in the user's own words.",
        "Your task: read the user's line, name its domain, and write the domain and the slot "
        "values as one JSON object, as in the sample output.",
        f"Sample output:\nSystem: {example}",
    )
