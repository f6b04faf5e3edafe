"""Rules for a thought in its place: before a call, after a result, or on its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coalm.cra.claims import (
    ASKS_USER,
    CALLS,
    CONFIRMED,
    COUNT,
    DECLINED,
    EARLIER,
    EMPTY,
    FAILED,
    FAREWELL,
    GAVE,
    HEDGED,
    LACKS_AFTER,
    LACKS_BEFORE,
    MORE,
    NO_CALL,
    NONE_MISSING,
    REQUIRES,
    RESULT,
    SENTENCE,
    SUCCEEDED,
    THANKED,
    TOOL_NAME,
    WAITS,
    slots_in,
)
from coalm.cra.moments import ANY
from coalm.cra.walk import Known, Step
from coalm.types import Assistant

_VALUE = re.compile(
    r"(?<=[a-z,:(=&'] )[\"'(]?(?!I\b)[A-Z](?:[\w'&-]|\.(?=\w))*|(?<=\()[A-Z][\w'&-]*"
    r"|(?:^|(?<=[.:!?] ))[A-Z][\w'&-]*(?= (?!I\b)[A-Z])"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A thought as the rules read it."""

    thought: str
    low: str
    """In lower case, after a blank."""
    bare: str
    """The same without names, since a film may be called Missing Link."""
    sentences: tuple[str, ...]
    """The sentences of `bare`."""
    tools: frozenset[str]
    """What looks like a tool's name."""


def read(thought: str) -> Said:
    """A thought, made ready for the rules."""
    bare = f" {_VALUE.sub('_', thought).lower()}"
    tools = frozenset(TOOL_NAME.findall(thought))
    return Said(thought, f" {thought.lower()}", bare, tuple(SENTENCE.split(bare)), tools)


def beside_call(said: Said) -> Iterator[str]:
    """A thought before a call must not say that none is made, or that something is missing."""
    low = said.bare
    if FAREWELL.search(low) or MORE.search(low):
        yield "ends or asks on, beside a call"
    if RESULT.search(EARLIER.sub(" ", low)) or COUNT.search(low):
        yield "speaks of a result before the call"
    for sentence in said.sentences:
        calls = CALLS.search(sentence)
        if NO_CALL.search(sentence) and not calls:
            yield "says that nothing is called, beside a call"
        if WAITS.search(sentence) and not CONFIRMED.search(sentence):
            yield "waits for a confirmation, beside a call"
        if NONE_MISSING.search(sentence):
            continue
        if (LACKS_AFTER.search(sentence) or LACKS_BEFORE.search(sentence)) and not calls:
            yield "says that something is missing, beside a call"
        if ASKS_USER.search(sentence) and not calls:
            yield "asks the user, beside a call"


def about(said: Said, turn: Assistant, step: Step) -> Iterator[str]:
    """A thought before a call must speak of it: its tool, an argument or a value."""
    call = turn.calls[0]
    forms = {call.name.lower(), *call.arguments, *(s.replace("_", " ") for s in call.arguments)}
    forms |= {str(v).lower() for v in call.arguments.values() if len(str(v)) > 1}
    if not any(form in said.low for form in forms):
        yield f"says nothing of {call.name} or what it is called with"
    if step.service is None:
        return
    for sentence in said.sentences:
        match = REQUIRES.search(sentence)
        claimed = slots_in(sentence[match.end() :], step.service) if match else set()
        if other := sorted(claimed - set(call.arguments)):
            yield f"says that {', '.join(other)} is needed, which is not in the call"


def after_result(said: Said, step: Step) -> Iterator[str]:
    """A thought about a result must get its number and its outcome right."""
    low = said.bare
    real = len(step.answer.results)
    failed = "NOTIFY_FAILURE" in step.says
    for match in COUNT.finditer(low):
        number = {"one": "1", "single": "1", "only": "1"}.get(match[1], match[1])
        if number.isdigit() and int(number) != real:
            yield f"speaks of {match[1]} results, of {real}"
    if EMPTY.search(low) and real:
        yield f"says that nothing came back, of {real} results"
    if FAILED.search(low) and not failed and real:
        yield "speaks of a failure that is none"
    if SUCCEEDED.search(low) and not FAILED.search(low) and (failed or not real):
        yield "speaks of a success that is none"
    if FAREWELL.search(low):
        yield "says goodbye, beside a result"
    if "OFFER" in step.says and not failed and SUCCEEDED.search(low):
        yield "speaks of a success where something is only offered"
    if LACKS_AFTER.search(low) and not NONE_MISSING.search(low):
        yield "says that something is missing, beside a result"
    for sentence in said.sentences:
        if WAITS.search(sentence):
            yield "waits for a confirmation, beside a result"
        if CALLS.search(sentence) and not HEDGED.search(sentence):
            yield "announces a call beside the result of one"
    if THANKED.search(low) and "THANK_YOU" not in step.heard:
        yield "speaks of thanks that were not said"


def of_result(said: Said, step: Step, known: Known) -> Iterator[str]:
    """A thought after a result must speak of it: the tool, a value, or how many there are."""
    call, results = step.answer.call, step.answer.results
    if call is None or not results or said.tools or COUNT.search(said.bare):
        return
    shown = known.results.get(step.answer.service, ())
    values = {str(v).lower() for r in (*shown, call.arguments) for v in r.values()}
    values |= {v.lower() for f in step.exchange.system.frames for a in f.acts for v in a.canonical}
    if not any(value in said.low for value in values if value):
        yield "says nothing of what came back"


def alone(said: Said, step: Step) -> Iterator[str]:
    """A thought without a call must not announce one, and must lead to what is said."""
    low, says = said.bare, step.says
    for sentence in said.sentences:
        if CALLS.search(sentence) and not HEDGED.search(sentence) and not NO_CALL.search(sentence):
            yield "announces a call where none is made"
    if FAREWELL.search(low) and "GOODBYE" not in says:
        yield "says goodbye where the answer does not"
    if MORE.search(low) and "REQ_MORE" not in says:
        yield "asks for more wishes where the answer does not"
    if WAITS.search(low) and "CONFIRM" not in says:
        yield "wants a confirmation where the answer does not"
    lacks = LACKS_AFTER.search(low) or LACKS_BEFORE.search(low)
    if lacks and not NONE_MISSING.search(low) and not says & {"REQUEST", "CONFIRM"}:
        yield "asks for what is missing where the answer does not"
    if RESULT.search(low) and not says & {"OFFER", "INFORM", "OFFER_INTENT", "NOTIFY_FAILURE"}:
        yield "reads from a result where the answer does not"
    if SUCCEEDED.search(low) and not says & {"GOODBYE", "REQ_MORE", "NOTIFY_SUCCESS"}:
        yield "speaks of a success where there is none"
    for match in COUNT.finditer(low):
        if not says & {"OFFER", "INFORM"}:
            yield f"speaks of {match[1]} results where nothing came back"


def missing(said: Said, step: Step) -> Iterator[str]:
    """What is said to be missing must not be given, and must be what is asked for."""
    if step.service is None or NONE_MISSING.search(said.bare):
        return
    state = step.asked.state or {}
    asked = {a.slot for a in step.answer.acts if a.act == "REQUEST"}
    claimed: set[str] = set()
    for clause in said.sentences:
        if after := LACKS_AFTER.search(clause):
            claimed |= slots_in(clause[after.end() :], step.service)
        elif before := LACKS_BEFORE.search(clause):
            claimed |= slots_in(clause[: before.start()], step.service)
    for slot in sorted(claimed):
        if slot in state and ANY not in state[slot]:
            yield f"says that {slot} is missing, which is {state[slot][0]!r}"
    if claimed and asked and not claimed & asked:
        yield f"asks for {', '.join(sorted(claimed))}, the answer for {', '.join(sorted(asked))}"


def given(said: Said, step: Step) -> Iterator[str]:
    """What the user is said to have done must be among the acts of this turn."""
    low, user = said.bare, step.heard
    if CONFIRMED.search(low) and not user & {"AFFIRM", "AFFIRM_INTENT", "SELECT"}:
        yield "speaks of a yes that was not said"
    if DECLINED.search(low) and not any("NEGATE" in a or a == "REQUEST_ALTS" for a in user):
        yield "speaks of a no that was not said"
    if THANKED.search(low) and "THANK_YOU" not in user:
        yield "speaks of thanks that were not said"
    if step.service is None:
        return
    now = {a.slot for f in step.exchange.user.frames for a in f.acts if a.slot}
    for clause in said.sentences:
        match = GAVE.search(clause)
        if match is None:
            continue
        claimed = slots_in(clause[match.end() :].split(", but ")[0], step.service)
        if claimed and not claimed & now:
            yield f"says that the user gave {', '.join(sorted(claimed))}, which is not in this turn"
