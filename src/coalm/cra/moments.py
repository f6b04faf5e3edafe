"""A dialogue of SGD turn by turn, with all that a thought may know at each moment.

Nothing is looked up ahead of its turn: a moment holds what was said, called and shown up
to it, so that a thought written from it can be true and cannot be clairvoyant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coalm.corpora.sgd import Act, Exchange, Frame, Intent, Service, SgdDialogue
from coalm.types import ToolCall

ANY = "dontcare"
"""How SGD writes that the user has no preference."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One exchange, and what was known when it began."""

    key: str
    """Dialogue and turn; picks the phrasing."""
    asked: Frame
    """The user's words to the service that answers."""
    answer: Frame
    """What that service's system turn says and calls."""
    aside: tuple[Act, ...]
    """What the user said to another service in the same breath, such as settling on an offer."""
    intent: Intent | None
    """What the user is after, if that is one of the service's intents."""
    flags: frozenset[str]
    """The service's slots that are true or false."""
    tool: str
    """The tool of that intent; empty if there is none."""
    state: Mapping[str, str]
    """Slot to value, as calls have it, after the user's turn."""
    before: Mapping[str, str]
    """The same before the user's turn."""
    previous: frozenset[str]
    """The kinds of act of the system's turn before, in any service."""
    requested: frozenset[str]
    """The slots that the system asked for in its turn before."""
    earlier: ToolCall | None
    """The last call of the same tool."""
    last: Frame | None
    """The last call of any tool of this service, with its results."""
    entity: str
    """The name of what was last offered by this service; empty before that."""
    done: tuple[str, ...]
    """Tools that have succeeded in changing something, in order."""
    chosen: str
    """The name of what the user last settled on, of any service."""
    proposed: str
    """The tool that the system's turn before proposed to go on with; empty if it did not."""
    proposes: str
    """The same of this system turn."""

    @property
    def user(self) -> tuple[Act, ...]:
        """All acts of the user's turn."""
        return (*self.asked.acts, *self.aside)

    @property
    def heard(self) -> frozenset[str]:
        """The kinds of act of the user's turn."""
        return frozenset(a.act for a in self.user)

    @property
    def says(self) -> frozenset[str]:
        """The kinds of act of the system's turn."""
        return frozenset(a.act for a in self.answer.acts)


def moments(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    names: Mapping[tuple[str, str], str],
) -> Iterator[Moment]:
    """The moments of a dialogue; `names` holds the tool of each service and intent."""
    spelt: dict[str, str] = {}
    states: dict[str, Mapping[str, str]] = {}
    calls: dict[str, ToolCall] = {}
    last: dict[str, Frame] = {}
    entities: dict[str, str] = {}
    done: list[str] = []
    chosen, proposed, previous, requested = "", "", frozenset[str](), frozenset[str]()
    for number, exchange in enumerate(dialogue.exchanges):
        asked, answer, aside = _frames(exchange)
        if answer.call and (name := names.get((answer.service, answer.call.name))):
            answer = replace(answer, call=ToolCall(name, answer.call.arguments))
        _learn(spelt, (*asked.acts, *aside))
        service = answer.service or asked.service
        state = _state(asked, spelt)
        intent = services[service].intents.get(asked.intent) if service in services else None
        tool = names.get((service, intent.name), "") if intent else ""
        for act in (*asked.acts, *aside):
            if act.act == "SELECT":
                chosen = act.canonical[0] if act.canonical else entities.get(_place(exchange), "")
        yield Moment(
            key=f"{dialogue.id}/{number}",
            asked=asked,
            answer=answer,
            aside=aside,
            intent=intent,
            flags=_flags(services.get(service)),
            tool=tool,
            state=state,
            before=states.get(service, {}),
            previous=previous,
            requested=requested,
            earlier=calls.get(answer.call.name if answer.call else tool),
            last=last.get(service),
            entity=entities.get(service, ""),
            done=tuple(done),
            chosen=chosen,
            proposed=proposed,
            proposes=(proposes := _step(answer, names)),
        )
        _learn(spelt, answer.acts)
        previous = frozenset(a.act for a in answer.acts)
        requested = frozenset(a.slot for a in answer.acts if a.act == "REQUEST")
        proposed = proposes
        states[service] = state
        if answer.call:
            calls[answer.call.name] = answer.call
            last[service] = answer
        entities[service] = entity(answer.acts) or entities.get(service, "")
        if "NOTIFY_SUCCESS" in previous and tool:
            done.append(tool)


def entity(acts: Sequence[Act]) -> str:
    """The name of what an offer is about; empty where offers have no names (a time, a fare)."""
    for act in acts:
        if act.act == "OFFER" and act.canonical and act.slot.endswith(("name", "title")):
            return act.canonical[0]
    return ""


def changed(moment: Moment, call: ToolCall) -> dict[str, tuple[str, str]]:
    """Slot to its value in the last call of the same tool and in this one; empty is no value."""
    if moment.earlier is None:
        return {}
    old, new = moment.earlier.arguments, call.arguments
    return {
        slot: (str(old.get(slot, "")), str(new.get(slot, "")))
        for slot in dict.fromkeys((*new, *old))
        if old.get(slot) != new.get(slot)
    }


def given(moment: Moment) -> tuple[Act, ...]:
    """What the user said about slots, to the service that answers."""
    return tuple(a for a in moment.asked.acts if a.act == "INFORM" and a.canonical)


def carried(moment: Moment, call: ToolCall | None = None) -> dict[str, str]:
    """Slots that came into the state with this turn without being said in it.

    From another service, or from what was offered: "a bus going there".
    """
    said = {a.slot for a in moment.user if a.act in {"INFORM", "SELECT"}}
    return {
        slot: value
        for slot, value in moment.state.items()
        if slot not in moment.before
        and slot not in said
        and value != ANY
        and (call is None or slot in call.arguments)
    }


def missing(moment: Moment) -> tuple[str, ...]:
    """The required slots that have no value yet, in the schema's order."""
    required = moment.intent.required if moment.intent else ()
    return tuple(slot for slot in required if slot not in moment.state)


def result(moment: Moment, slots: Sequence[str]) -> Mapping[str, object] | None:
    """The result that the answer speaks of: the one with the values that it gives."""
    frame = moment.answer if moment.answer.call else moment.last
    told = {
        a.slot: a.canonical
        for a in moment.answer.acts
        if a.act in {"INFORM", "OFFER"} and a.canonical
    }
    for one in frame.results if frame else ():
        if all(str(one.get(slot)) in told[slot] for slot in slots if slot in told):
            return one
    return None


def _frames(exchange: Exchange) -> tuple[Frame, Frame, tuple[Act, ...]]:
    """The user's frame that is answered, the answer, and the acts of the other frames."""
    answer = next((f for f in exchange.system.frames if f.call), None)
    answer = answer or next(iter(exchange.system.frames), Frame("", ()))
    users = exchange.user.frames
    asked = next((f for f in users if f.service == answer.service), None)
    asked = asked or next(iter(users), Frame(answer.service, ()))
    return asked, answer, tuple(a for f in users if f is not asked for a in f.acts)


def _step(answer: Frame, names: Mapping[tuple[str, str], str]) -> str:
    """The tool that a turn proposes to go on with; empty if it proposes none."""
    for act in answer.acts:
        if act.act == "OFFER_INTENT" and act.canonical:
            return names.get((answer.service, act.canonical[0]), act.canonical[0])
    return ""


def _place(exchange: Exchange) -> str:
    """The service that the user's choice belongs to."""
    return next(
        (f.service for f in exchange.user.frames if any(a.act == "SELECT" for a in f.acts)), ""
    )


def _flags(service: Service | None) -> frozenset[str]:
    slots = service.slots.values() if service else ()
    return frozenset(s.name for s in slots if set(s.values) == {"True", "False"})


def _learn(spelt: dict[str, str], acts: Sequence[Act]) -> None:
    """How what was just said is written in calls."""
    for act in acts:
        if len(act.values) == len(act.canonical):
            spelt.update(zip(act.values, act.canonical, strict=True))


def _state(frame: Frame, spelt: Mapping[str, str]) -> dict[str, str]:
    """The state with each value as calls have it."""
    return {
        slot: next((spelt[v] for v in values if v in spelt), values[0])
        for slot, values in (frame.state or {}).items()
        if values
    }
