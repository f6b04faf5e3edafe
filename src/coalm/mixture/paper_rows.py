"""Corpora as the paper's rows: instruction, input and output, a row for each learned answer."""

from collections.abc import Iterator

from coalm.corpora import hammer as xlam
from coalm.corpora import sgd
from coalm.corpora import snips as utterances
from coalm.corpora import toolace as dialogues_of_toolace
from coalm.corpora.chunks import Chunk, Fault, chunked
from coalm.corpora.records import Record
from coalm.cra import annotated
from coalm.cra.check import check
from coalm.mixture.settings import Part
from coalm.mixture.streams import Making, Stream, dialogues, file
from coalm.published import cra, hammer, snips, toolace
from coalm.sources import Found
from coalm.types import Sample


def _xlam(name: str) -> Stream:
    def make(record: Record, making: Making) -> Iterator[Sample]:
        part = making.part
        return hammer.make(
            record,
            name,
            seed=making.seed,
            masked=part.masked,
            copies=part.copies,
            fence=part.fence,
        )

    return Stream(file(xlam.XLAM[name]), make)


def _ready(found: Found, _part: Part) -> Iterator[Chunk | Fault]:
    """Hammer's own masked rows, which stand in where xLAM's are not there."""
    return chunked(found.path(xlam.PUBLISHED)) if hammer.lacks_xlam(found) else iter(())


def _cra(record: Record, making: Making) -> Iterator[Sample]:
    services, listed = making.context
    dialogue = sgd.fitting(record, services)
    sample = annotated.annotated(dialogue, services, apart=False)
    wrong = check(sample, dialogue, services)
    if wrong:
        making.skip(str(wrong[0]))
        return
    yield from cra.make(sample, listed)


def _services(found: Found, _part: Part) -> tuple[dict[str, sgd.Service], str]:
    services = sgd.schema(found.path(sgd.ARCHIVE))
    return services, cra.methods(services.values())


SNIPS = (
    Stream(
        lambda found, _part: utterances.chunks(found),
        lambda record, making: snips.make(record, making.context),
        lambda found, _: snips.instruction(utterances.pairs(utterances.utterances(found))),
    ),
)
HAMMER = (
    _xlam("xlam"),
    _xlam("irrelevance"),
    Stream(_ready, lambda record, making: hammer.ready(record, fence=making.part.fence)),
)
TOOLACE = (
    Stream(
        file(dialogues_of_toolace.ROWS),
        lambda record, making: toolace.make(record, making.skip),
    ),
)
SGD_CRA = (Stream(dialogues, _cra, _services),)
