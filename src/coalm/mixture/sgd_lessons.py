"""SGD's dialogues as rows: states, ReAct states, calls, questions, single requests.

Each stream looks at one dialogue at a time. With `renamed`, some rows have services and
slots under other names; with `older`, the dialogues that are there in the annotation of
2019 only come as well.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from coalm.corpora import lessons, sgd, sgd_older, sgd_react_states, sgd_states
from coalm.corpora.chunks import Chunk, Fault
from coalm.corpora.masking import Row
from coalm.corpora.records import Record
from coalm.corpora.sgd import Service, SgdDialogue
from coalm.corpora.sgd_variants import Variant, variants
from coalm.cra import annotated
from coalm.cra.select import EVERYTHING, Selection
from coalm.errors import RecipeError
from coalm.mixture.settings import Part
from coalm.mixture.streams import Making, Stream, dialogues, services
from coalm.plus import sgd_calls, sgd_clarify, sgd_requests
from coalm.sources import Found
from coalm.types import Sample


@dataclass(frozen=True, slots=True)
class Known:
    """What all dialogues need to know."""

    services: dict[str, Service]
    others: tuple[Variant, ...]
    """The schema under other names; none where nothing is renamed."""
    around: lessons.Surroundings
    """Other requests and tools; empty where a lesson needs none."""
    selection: Selection
    """Which dialogues are kept: all of the miniature's where it lacks what is named."""


def _known(found: Found, part: Part) -> Known:
    schema = services(found, part)
    selection = selected(part)
    try:
        selection.known(schema)
    except RecipeError:
        if found.real:
            raise
        selection = EVERYTHING
    # The variants are few and the same for all seeds of a mixture; which row takes which is not.
    others = variants(schema, 42) if part.renamed else ()
    rows = _requests(found, part, schema) if part.lesson in {"joined", "irrelevant"} else ()
    return Known(schema, others, lessons.surroundings(rows), selection)


def _requests(found: Found, part: Part, schema: dict[str, Service]) -> Iterator[Row]:
    if part.corpus != "sgd-requests":
        return
    for one in sgd.dialogues(found.path(sgd.ARCHIVE)):
        row = sgd_requests.row_of(one, schema, distractors=part.distractors or 0)
        if row:
            yield row


def _older(found: Found, part: Part) -> Iterator[Chunk | Fault]:
    """The dialogues of 2019, if the part wants them and they are there."""
    path = found.path(sgd_older.ARCHIVE)
    return sgd_older.chunks(path) if part.older and path.exists() else iter(())


Make = Callable[[SgdDialogue, Making], Iterable[Sample]]


def selected(part: Part) -> Selection:
    """Which dialogues a part keeps."""
    return Selection(
        frozenset(part.services) or None,
        frozenset(part.domains) or None,
        frozenset(part.without_services),
        frozenset(part.without_domains),
    )


def _streams(make: Make, *, older: bool = False) -> tuple[Stream, ...]:
    def now(record: Record, making: Making) -> Iterable[Sample]:
        one = sgd.fitting(record, making.context.services)
        return make(one, making) if making.context.selection.keeps(one) else ()

    def then(record: Record, making: Making) -> Iterable[Sample]:
        one = sgd_older.upgraded(record)
        return make(one, making) if making.context.selection.keeps(one) else ()

    return (Stream(dialogues, now, _known), *([Stream(_older, then, _known)] if older else []))


def _states(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    asking = sgd_states.Asking(
        seed=making.seed, slots=part.slots, together=part.together, plain=part.plain
    )
    return sgd_states.make(
        dialogue,
        known.services,
        asking,
        copies=part.copies,
        others=known.others,
        renamed=part.renamed,
        name_open=part.name_open,
        skip=making.skip,
    )


def _react(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    return sgd_react_states.make(
        dialogue,
        known.services,
        seed=making.seed,
        copies=part.copies,
        tools=part.tools,
        others=known.others,
        renamed=part.renamed,
        skip=making.skip,
    )


def _cra(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    one = annotated.made(dialogue, making.context.services, making.part.turns)
    if isinstance(one, Sample):
        yield one
    else:
        making.skip(str(one[0]))


def _calls(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    return sgd_calls.make(
        dialogue,
        known.services,
        seed=making.seed,
        turns=part.turns,
        calls=part.calls,
        distractors=6 if part.distractors is None else part.distractors,
        thoughts=part.thoughts,
        others=known.others,
        renamed=part.renamed,
        skip=making.skip,
    )


def _clarify(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    return sgd_clarify.make(
        dialogue,
        known.services,
        seed=making.seed,
        answered=part.answered,
        distractors=4 if part.distractors is None else part.distractors,
        thoughts=part.thoughts,
        others=known.others,
        renamed=part.renamed,
        skip=making.skip,
    )


def _of(dialogue: SgdDialogue, sample: Sample) -> Sample:
    """The sample in the group of all that is made of its dialogue."""
    return replace(sample, group=f"sgd/train/{dialogue.id}")


def _request(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    row = sgd_requests.row_of(
        dialogue,
        known.services,
        distractors=3 if part.distractors is None else part.distractors,
        seed=making.seed,
    )
    if row is None:
        making.skip("a first request that is no call by itself")
        return
    for one in lessons.make(
        row, part.lesson, "sgd-requests", known.around, seed=making.seed, answered=part.answered
    ):
        yield _of(dialogue, one)


def _foreign(dialogue: SgdDialogue, making: Making) -> Iterator[Sample]:
    part, known = making.part, making.context
    row = sgd_requests.foreign_row(
        dialogue,
        known.services,
        most=6 if part.distractors is None else part.distractors,
        seed=making.seed,
    )
    if row is None:
        making.skip("a first request that says too little")
        return
    for one in lessons.make(row, "calls", "sgd-irrelevant", known.around, seed=making.seed):
        yield _of(dialogue, one)


CRA = _streams(_cra)
STATES = _streams(_states, older=True)
REACT = _streams(_react, older=True)
CALLS = _streams(_calls)
CLARIFY = _streams(_clarify)
REQUESTS = _streams(_request)
IRRELEVANT = _streams(_foreign)
