"""Calls and results: do they fit the schema, the conversation, and what SGD did?"""

from collections.abc import Iterator, Mapping

from coalm.corpora.sgd import Frame, Intent, Service, SgdDialogue
from coalm.cra.findings import Finding, Kind
from coalm.cra.walk import Known, Step, shown
from coalm.types import Assistant, Json, Observation, Sample, ToolCall, ToolSpec

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


def call_findings(
    step: Step,
    sample: Sample,
    known: Known,
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
) -> Iterator[Finding]:
    """What is wrong with the calls of an exchange."""
    made = [(p, c) for p, t in step.turns if isinstance(t, Assistant) for c in t.calls]
    for place, call in made:
        tool = next((t for t in sample.dialogue.tools if t.name == call.name), None)
        owner = _owner(call.name, step, dialogue, services)
        if tool is None or owner is None:
            why = "is not listed" if tool is None else "is no intent of the dialogue's services"
            yield Finding("undefined call", place, f"{call.name} {why}")
            continue
        service, intent = owner
        for kind, note in _misfits(call, tool, service, intent):
            yield Finding(kind, place, f"{call.name}: {note}")
        yield from _invented(step, place, call, service, intent, known)
    yield from _compared(step, made, dialogue, services)


def _compared(
    step: Step,
    made: list[tuple[int, ToolCall]],
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
) -> Iterator[Finding]:
    """Whether the calls are the ones that SGD annotates for this exchange."""
    real = step.answer.call
    last = step.turns[-1][0] if step.turns else -1
    if real is None and made:
        yield Finding(
            "not SGD's call", made[0][0], f"SGD calls nothing here, not {made[0][1].name}"
        )
    elif real is not None and not made:
        yield Finding("not SGD's call", last, f"SGD calls {real.name} here")
    elif real is not None:
        if len(made) > 1:
            yield Finding("not SGD's call", made[1][0], "SGD calls one thing only")
        place, call = made[0]
        owner = _owner(call.name, step, dialogue, services)
        name = owner[1].name if owner and owner[0].name == step.answer.service else call.name
        if name != real.name:
            yield Finding("not SGD's call", place, f"SGD calls {real.name}, not {call.name}")
        elif dict(call.arguments) != dict(real.arguments):
            slots = {*call.arguments, *real.arguments}
            other = [s for s in sorted(slots) if call.arguments.get(s) != real.arguments.get(s)]
            yield Finding("not SGD's call", place, f"SGD has other values: {', '.join(other)}")


def _owner(
    name: str, step: Step, dialogue: SgdDialogue, services: Mapping[str, Service]
) -> tuple[Service, Intent] | None:
    """The service and intent that a tool stands for, the answering service before others."""
    for service_name in (step.answer.service, *dialogue.services):
        service = services.get(service_name)
        if service is None:
            continue
        intent = service.intents.get(name.removeprefix(f"{service_name}_"))
        if intent is not None:
            return service, intent
    return None


def _misfits(
    call: ToolCall, tool: ToolSpec, service: Service, intent: Intent
) -> Iterator[tuple[Kind, str]]:
    for slot in intent.required:
        if slot not in call.arguments:
            yield "missing argument", f"{slot} is required"
    for slot in tool.required:
        if slot not in call.arguments and slot not in intent.required:
            yield "missing argument", f"{slot} is required"
    for slot, value in call.arguments.items():
        if slot not in tool.properties or slot not in (*intent.required, *intent.optional):
            yield "invented argument", f"there is no argument {slot}"
            continue
        why = _mistyped(value, tool.properties[slot], service.slots[slot].values)
        if why:
            yield "wrong type", f"{slot} = {value!r} {why}"


def _mistyped(value: Json, schema: Json, listed: tuple[str, ...]) -> str:
    """Why a value cannot stand there; nothing if it can."""
    wanted = schema.get("type") if isinstance(schema, dict) else None
    kinds = _KINDS.get(str(wanted), ())
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        return f"is {type(value).__name__} and not {wanted}"
    enum = schema.get("enum") if isinstance(schema, dict) else None
    choice = enum if isinstance(enum, list) else list(listed)
    if choice and value not in choice:
        return f"is none of {', '.join(map(str, choice))}"
    return ""


def _invented(
    step: Step, place: int, call: ToolCall, service: Service, intent: Intent, known: Known
) -> Iterator[Finding]:
    """Arguments that the user did not give, no default has and no result holds."""
    frame = next((f for f in step.exchange.user.frames if f.service == service.name), None)
    state = frame.state if frame and frame.state else {}
    for slot, value in call.arguments.items():
        if slot not in service.slots or not isinstance(value, str):
            continue
        given = state.get(slot)
        if given is not None:
            forms = {v.lower() for v in given} | {known.spelt.get(v, v).lower() for v in given}
            if value.lower() not in forms:
                note = f"{call.name}: {slot} is {given[0]!r} in the dialogue, not {value!r}"
                yield Finding("invented argument", place, note)
        elif value != intent.optional.get(slot) and not _heard(slot, value, service, known):
            yield Finding(
                "invented argument", place, f"{call.name}: nobody gave {slot} = {value!r}"
            )


def _heard(slot: str, value: str, service: Service, known: Known) -> bool:
    """Whether an open value was said or shown anywhere; a listed one must be the slot's own.

    "True" or "2" was always said of something, so of those only the same slot counts.
    """
    if service.slots[slot].values or len(value) < 3:
        return False
    return any(value.lower() in said for said in known.values.values())


def result_findings(step: Step) -> Iterator[Finding]:
    """Each observation is a cut of the real results, in their order."""
    for place, turn in step.turns:
        if not isinstance(turn, Observation):
            continue
        if step.answer.call is None:
            yield Finding("unequal observation", place, "SGD has no result here")
        elif why := _unlike(turn, step.answer):
            yield Finding("unequal observation", place, why)


def _unlike(turn: Observation, frame: Frame) -> str:
    seen = shown(turn)
    if seen is None:
        return "not a JSON object of count and results, nor a list of results"
    count, results = seen
    if count != len(frame.results) and not turn.text.lstrip().startswith("["):
        return f"{count} results, where the service returned {len(frame.results)}"
    if bool(results) != bool(frame.results):
        return "no result is shown" if frame.results else "results, where the service had none"
    real = iter([dict(result) for result in frame.results])
    for result in results:
        if dict(result) not in real:  # `in` walks on: order counts
            return f"the service did not return {_short(result)}"
    return ""


def _short(result: Mapping[str, Json]) -> str:
    return ", ".join(f"{k}={v}" for k, v in [*result.items()][:3])
