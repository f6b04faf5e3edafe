"""CRA samples from SGD's own annotations (Paper 4.1, Table 6).

The paper has GPT-4o write Thought, Action and Observation into each turn. Here the
actions are the service calls that SGD annotates, the observations are the real service
results, the words are the corpus's own, and only the thoughts are written, from the
dialogue acts: nothing can be made up. `check` goes over each sample once more.
"""

from collections.abc import Iterator, Mapping, Sequence

from coalm import store
from coalm.corpora.records import Skip, ignore
from coalm.corpora.sgd import (
    ARCHIVE,
    Exchange,
    Frame,
    Intent,
    Service,
    SgdDialogue,
    dialogues,
    schema,
)
from coalm.cra.check import check
from coalm.cra.thoughts import Moment, after_call, alone, before_call
from coalm.sources import Found
from coalm.types import (
    Assistant,
    Dialogue,
    Json,
    Observation,
    Sample,
    System,
    ToolCall,
    ToolSpec,
    Turn,
    User,
)

TODAY = "Today is Friday, 2019-03-01."
"""The day on which all of SGD plays; without it nobody could know what "the 8th" means."""
SHOWN = 2
"""Results that an observation shows, beside those that the system goes on to offer."""


def read(found: Found, *, max_turns: int | None = None, skip: Skip = ignore) -> Iterator[Sample]:
    """A checked sample for each dialogue; of those that fail, `skip` is told the reason.

    `max_turns` keeps the first user turns of a dialogue only.
    """
    path = found.path(ARCHIVE)
    services = schema(path)
    for dialogue in dialogues(path):
        sample = annotated(dialogue, services, max_turns)
        wrong = check(sample, dialogue, services)
        if wrong:
            skip(wrong[0])
            continue
        yield sample


def annotated(
    dialogue: SgdDialogue, services: Mapping[str, Service], max_turns: int | None = None
) -> Sample:
    """A dialogue as a conversation of thoughts, calls, results and words.

    The thought comes before its call, and a second one before the words that the result
    leads to. All assistant turns are learned.
    """
    # Deviation D16: no teacher model. Deviation D17: thoughts are learned; in the paper's
    # published rows none is. Deviation D18: the tools are those of the dialogue's services
    # rather than all 51 methods, and one dialogue is one row.
    earlier: dict[str, ToolCall] = {}
    kept = dialogue.exchanges[:max_turns]
    said = {f.service for e in kept for t in (e.user, e.system) for f in t.frames}
    turns: list[Turn] = [System(TODAY)]
    for number, exchange in enumerate(kept):
        moment = Moment(f"{dialogue.id}/{number}", exchange, _intent(exchange, services), earlier)
        turns.append(User(exchange.user.text))
        frame = next((f for f in exchange.system.frames if f.call), None)
        if frame is not None and frame.call is not None:
            text = observation(frame, _offers(dialogue.exchanges[number:], frame))
            turns.append(Assistant(thought=before_call(moment, frame.call), calls=(frame.call,)))
            turns.append(Observation(text, frame.call.name))
            turns.append(Assistant(exchange.system.text, after_call(moment, frame)))
            earlier = {**earlier, frame.call.name: frame.call}
        else:
            turns.append(Assistant(exchange.system.text, alone(moment)))
    return Sample(
        f"sgd-cra/train/{dialogue.id}",
        "sgd-cra",
        Dialogue(tuple(turns), tools([n for n in dialogue.services if n in said], services)),
        f"sgd/train/{dialogue.id}",
        "react",
    )


def tools(names: Sequence[str], services: Mapping[str, Service]) -> tuple[ToolSpec, ...]:
    """Each intent of these services as a tool; its parameters are the intent's slots.

    A slot that several intents of a service share is described at the first of them.
    """
    found = []
    for service in (services[name] for name in names):
        described: set[str] = set()
        for intent in service.intents.values():
            slots = (*intent.required, *intent.optional)
            properties: dict[str, Json] = {
                slot: _parameter(
                    service, slot, intent.optional.get(slot, ""), known=slot in described
                )
                for slot in slots
            }
            described |= set(slots)
            required: list[Json] = [*intent.required]
            schema: dict[str, Json] = {
                "type": "object",
                "properties": properties,
                "required": required,
            }
            found.append(ToolSpec(intent.name, intent.description, schema))
    return tuple(found)


def observation(frame: Frame, offers: set[str]) -> str:
    """How many results there were, and some of them whole, as JSON.

    Deviation D19: the first two, and those that the system names before its next call of
    the service, in the service's order. So nothing is offered that was not seen, and a row
    stays short.
    """
    shown = [
        result
        for i, result in enumerate(frame.results)
        if i < SHOWN or offers & {str(v) for v in result.values()}
    ]
    return store.compact({"count": len(frame.results), "results": shown})


def _offers(rest: Sequence[Exchange], frame: Frame) -> set[str]:
    """The names that the system offers or confirms from these results, up to its next call."""
    named: set[str] = set()
    for number, exchange in enumerate(rest):
        for other in exchange.system.frames:
            if other.service != frame.service:
                continue
            if number and other.call:
                return named
            firsts = [a for a in other.acts if a.act == "OFFER"][:1]
            named |= {v for a in firsts for v in a.canonical}
    return named


def _intent(exchange: Exchange, services: Mapping[str, Service]) -> Intent | None:
    """What the user is after; the frame that the system answers counts most."""
    answered = {f.service for f in exchange.system.frames}
    frames = sorted(exchange.user.frames, key=lambda f: f.service not in answered)
    for frame in frames:
        service = services.get(frame.service)
        if service and frame.intent in service.intents:
            return service.intents[frame.intent]
    return None


def _parameter(service: Service, slot: str, default: str, *, known: bool) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": "string"}
    if not known:
        schema["description"] = service.slots[slot].description
        values: list[Json] = [*service.slots[slot].values]
        if values:
            schema["enum"] = values
    if default and default != "dontcare":
        schema["default"] = default
    return schema
