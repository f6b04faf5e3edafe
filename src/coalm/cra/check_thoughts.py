"""Thoughts: does each go with what is then done, and is what it says so?

The rules look for a few plain claims that English makes in few ways (a call is made, a
slot is missing, the user confirmed, three results came) and hold each against the turn. A
thought that makes none of them passes; so does a vague one. Recall is measured in `plant`.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from coalm.corpora.sgd import Service
from coalm.cra.atoms import PLAIN, heard, stated
from coalm.cra.atoms import known as is_known
from coalm.cra.claims import (
    values_in,
)
from coalm.cra.findings import Finding
from coalm.cra.moment_rules import (
    Said,
    about,
    after_result,
    alone,
    beside_call,
    given,
    missing,
    of_result,
    read,
)
from coalm.cra.walk import Known, Step
from coalm.types import Assistant, Observation, Sample

_STARTS = """
    tool call no nobody not nothing before after with without from since what which that my it
    confirmed agreed success done asked compared instead other api apis json
"""
_OUTSIDE = PLAIN.union(_STARTS.split())


def thought_findings(
    step: Step,
    place: int,
    turn: Assistant,
    sample: Sample,
    known: Known,
    services: Mapping[str, Service],
) -> Iterator[Finding]:
    """What a turn's thought says that is not so."""
    said = read(turn.thought)
    result = any(isinstance(t, Observation) and p < place for p, t in step.turns)
    rules = [
        _values(said, turn, known),
        _tools(said, turn, step, sample, known, services),
        _claimed(said, turn, step, known),
    ]
    if turn.calls:
        rules += [beside_call(said), about(said, turn, step), given(said, step)]
    elif result:
        rules += [after_result(said, step), of_result(said, step, known)]
    else:
        rules += [alone(said, step), missing(said, step), given(said, step)]
    for note in chain.from_iterable(rules):
        yield Finding("thought disagrees", place, note)


def _values(said: Said, turn: Assistant, known: Known) -> Iterator[str]:
    """Times, dates, numbers and names that nobody has said and no result has."""
    called = {a for c in turn.calls for v in c.arguments.values() for a in heard(str(v))}
    for kind, atom in stated(said.thought):
        if kind == "name" and atom in _OUTSIDE:
            continue
        if not is_known(kind, atom, known.atoms) and not is_known(kind, atom, called):
            if kind == "name" and any(atom in name.lower() for name in said.tools):
                continue
            yield f"{kind} {atom} is neither said nor seen"


def _tools(
    said: Said,
    turn: Assistant,
    step: Step,
    sample: Sample,
    known: Known,
    services: Mapping[str, Service],
) -> Iterator[str]:
    """Tools that are named: the one that is called, or one that the moment is about."""
    listed = {tool.name for tool in sample.dialogue.tools}
    if not said.tools:
        return
    every = listed.union(*(s.intents for s in services.values()))
    wrong = {n for n in said.tools - listed if n in every or n.lower() not in known.atoms}
    for name in sorted(wrong):
        yield f"names {name}, which is no tool here"
    named = {name for name in said.tools - wrong if name in every}
    now = {call.name for call in turn.calls}
    if step.answer.call and not now:
        now = {c.name for _, t in step.turns if isinstance(t, Assistant) for c in t.calls}
    if now and named and not named & now:
        yield f"names {', '.join(sorted(named))} beside {', '.join(sorted(now))}"
    if not now and named:
        frames = (*step.exchange.user.frames, *step.exchange.system.frames)
        about = {step.proposed, *known.called, *(f.intent for f in frames)}
        about |= {v for f in frames for a in f.acts for v in a.canonical if "INTENT" in a.act}
        if not any(name in about or name.rpartition("_")[2] in about for name in named):
            yield f"names {', '.join(sorted(named))}, which is not what this turn is about"


def _claimed(said: Said, turn: Assistant, step: Step, known: Known) -> Iterator[str]:
    """`time = 18:00`, `the city (Fremont)`, `Fremont as the city`: the slot must have it."""
    if step.service is None:
        return
    arguments = {k: str(v).lower() for c in turn.calls for k, v in c.arguments.items()}
    for slot, text in values_in(said.low, step.service):
        among = known.values.get(slot, set()) | {arguments.get(slot, "")}
        if text not in among and not any(_alike(text, value) for value in among if value):
            yield f"says that {slot} is {text!r}, which it never was"
        elif slot in arguments and not _same(text, arguments[slot], known):
            yield f"says that {slot} is {text!r} beside {arguments[slot]!r}"


def _alike(text: str, value: str) -> bool:
    """Whether a value in a thought, perhaps cut at either end or too long, may be that one."""
    return text.endswith(value) or value.endswith(text) or text.startswith(f"{value} ")


def _same(text: str, value: str, known: Known) -> bool:
    """Whether a value in a thought is that of the call, or how it was said."""
    if _alike(text, value):
        return True
    return any(s.lower() == text and c.lower() == value for s, c in known.spelt.items())
