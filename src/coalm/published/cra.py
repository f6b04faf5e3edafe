"""SGD -> CRA rows: an action row and a response row for a turn that calls (Paper 4.1).

Made from the annotated samples of `cra.annotated`. An action row has every method of SGD in
its instruction and the call as its output; a response row has no methods and the answer. In
both the thought stands in the input, and none is ever learned, as in the published rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from coalm.corpora.records import Skip, ignore
from coalm.corpora.sgd import ARCHIVE, Service, schema
from coalm.cra import annotated
from coalm.formats import Row
from coalm.formats.dialects.calls import write_calls
from coalm.published.row import paragraphs, sample
from coalm.sources import Found
from coalm.types import Assistant, Observation, Sample, System, Turn, User

TASK = (
    "You are a conversational assistant that reaches many services through API functions. Keep "
    "the conversation in mind and help the user with what is asked for."
)
ACT = (
    "The user has spoken and you have thought about what is needed. Call the one function that "
    "serves it; leave out arguments that are not needed."
)
ACT_FORMAT = (
    "Turns are written like this:\n"
    "User: [what the user says]\n"
    "Thought: [why a function is needed]\n"
    "Action: Function(argument='value', other='value')\n"
    "Write the Action line only."
)
ANSWER = (
    "The user has spoken and you have thought about it; where a function was called, its result "
    "is there. Answer the user now, naturally and with what is known."
)
ANSWER_FORMAT = (
    "Turns are written like this:\n"
    "User: [what the user says]\n"
    "Thought: [whether a function is needed]\n"
    "Action: [the call, if one is needed]\n"
    "Observation: [its result]\n"
    "Thought: [what the result means]\n"
    "System: [your answer]\n"
    "Write the System line only."
)


def read(found: Found, *, skip: Skip = ignore) -> Iterator[Sample]:
    """The rows of every dialogue whose annotated sample is sound."""
    listed = methods(schema(found.path(ARCHIVE)).values())
    for one in annotated.read(found, skip=skip, apart=False):
        yield from make(one, listed)


def signatures(services: Iterable[Service]) -> tuple[str, ...]:
    """`FindBus(from_location, to_location, leaving_date)`: each method with what it requires.

    Services that write the same signature share it, which leaves 51 of SGD's 53 train methods.
    """
    intents = (intent for service in services for intent in service.intents.values())
    return tuple(dict.fromkeys(f"{i.name}({', '.join(i.required)})" for i in intents))


def methods(services: Iterable[Service]) -> str:
    """The signatures as a numbered list, in the schema's order."""
    return "\n".join(f"{n}. {one}" for n, one in enumerate(signatures(services), 1))


def make(one: Sample, listed: str) -> Iterator[Sample]:
    """The rows of an annotated sample, in the order of its turns."""
    turns = one.dialogue.turns
    told = "\n".join(t.text for t in turns if isinstance(t, System))
    spoken = [t for t in turns if not isinstance(t, System)]
    start, number = 0, 0
    for place, turn in enumerate(spoken):
        if isinstance(turn, User):
            start = place
        if not isinstance(turn, Assistant):
            continue
        # Deviation D61: every answer of a sound dialogue makes its rows, and the instruction
        # says which day it is, as the sample does.
        history = "\n".join(line for t in spoken[:start] for line in lines(t))
        seen = [line for t in spoken[start:place] for line in lines(t)]
        thought, *output = lines(turn)
        about = (
            (ACT, f"Functions:\n{listed}", ACT_FORMAT) if turn.calls else (ANSWER, ANSWER_FORMAT)
        )
        so_far = f"Conversation so far:\n{history}" if history else ""
        row = Row(
            paragraphs(f"{TASK}\n{told}" if told else TASK, *about, so_far),
            "\n".join([*seen, thought]),
            "\n".join(output),
        )
        kind = "action" if turn.calls else "response"
        yield sample(f"{one.id}#{number}-{kind}", one.corpus, one.group, row)
        number += 1


def lines(turn: Turn) -> Sequence[str]:
    """A turn in the lines of Table 6; of an assistant turn the thought comes first."""
    match turn:
        case System(text):
            return [text]
        case User(text):
            return [f"User: {text}"]
        case Observation(text):
            return [f"Observation: {text}"]
        case Assistant(text, thought, calls):
            said = [f"System: {text}"] if text or not calls else []
            done = [f"Action: {write_calls((call,))}" for call in calls]
            return [f"Thought: {thought}", *said, *done]
        case _:
            assert_never(turn)
