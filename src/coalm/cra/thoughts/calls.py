"""Thoughts around a call: why it is made now, and what its result means."""

from coalm.corpora.sgd import Act
from coalm.cra.moments import ANY, Moment, carried, changed, given, result
from coalm.cra.phrases import Draw, Value, plain, say, spaced, values
from coalm.cra.thoughts import call_wordings as c
from coalm.cra.thoughts import wordings as w
from coalm.cra.thoughts.parts import (
    agreed,
    aim,
    changes_of,
    chose,
    differences,
    offer,
    slot_names,
    some,
    told,
    told_by_user,
)
from coalm.types import ToolCall


def before_call(moment: Moment, call: ToolCall) -> str:
    """Why the call is made now."""
    draw = Draw(moment.key, "before")
    changes = changed(moment, call)
    known = [Value(slot, str(value)) for slot, value in call.arguments.items()]
    blanks = {
        "tool": call.name,
        "args": values(draw, known),
        "changes": changes_of(moment, changes),
        "wanted": slot_names(moment, (a.slot for a in moment.asked.acts if a.act == "REQUEST")),
    }
    said: list[str] = []
    if "AFFIRM" in moment.heard and "CONFIRM" in moment.previous:
        said.append(say(draw, c.CONFIRMED, blanks))
    elif "AFFIRM" in moment.heard:
        said.append(say(draw, c.ACCEPTED if changes else c.ACCEPTED_SAME, blanks))
    else:
        return _search(moment, call, draw, blanks, changes)
    if "REQUEST" in moment.heard and draw.pick(3):
        said.append(say(draw, c.WANTED_TOO, blanks))
    said.append(say(draw, c.MAY_RUN, blanks))
    return " ".join(said)


def _search(
    moment: Moment,
    call: ToolCall,
    draw: Draw,
    blanks: dict[str, str],
    changes: dict[str, tuple[str, str]],
) -> str:
    """Why a call that nobody has to confirm is made now."""
    said = _news(moment, draw, blanks, changes)
    optional = moment.intent.optional if moment.intent else {}
    blanks["required"] = slot_names(
        moment, moment.intent.required if moment.intent else call.arguments
    )
    if changes:
        said.append(say(draw, c.AGAIN, blanks))
    elif moment.earlier is not None:
        said.append(say(draw, c.REPEAT, blanks))
    elif moment.intent and not moment.intent.required:
        said.append(say(draw, c.READY_FREE, blanks))
    else:
        said.append(say(draw, c.READY, blanks))
    free = [a.slot for a in given(moment) if ANY in a.canonical and a.slot not in call.arguments]
    standing = [(s, v) for s, v in optional.items() if v != ANY and s not in call.arguments]
    if free:
        said.append(say(draw, c.LEFT_OUT, {"free": slot_names(moment, free)}))
    elif standing and draw.chance(4):
        slot, value = standing[draw.pick(len(standing))]
        if moment.state.get(slot, ANY) == ANY:
            said.append(say(draw, c.DEFAULTS, {"slot": f"the {spaced(slot)}", "value": value}))
    return " ".join(said)


def _news(
    moment: Moment, draw: Draw, blanks: dict[str, str], changes: dict[str, tuple[str, str]]
) -> list[str]:
    """What the user just did that leads to the call."""
    told = given(moment)
    blanks["given"] = told_by_user(draw, told)
    blanks["requested"] = slot_names(moment, sorted(moment.requested))
    said: list[str] = []
    if "SELECT" in moment.heard and draw.pick(3):
        said.append(chose(moment, draw))
    if changes and (moment.previous & {"REQUEST"}) == set():
        if "REQUEST_ALTS" in moment.heard and draw.chance(2):
            said.append(say(draw, c.OTHERS, blanks))
        said.append(say(draw, c.CHANGED, blanks))
    elif moment.requested & {a.slot for a in told}:
        said.append(say(draw, w.ANSWERED, blanks))
    elif "AFFIRM_INTENT" in moment.heard and moment.proposed == blanks["tool"]:
        said.append(say(draw, w.TOOK_UP, blanks))
    elif "INFORM_INTENT" in moment.heard:
        blanks["aim"] = aim(moment)
        said.append(say(draw, w.WISHED_GIVEN if told else w.WISHED, blanks))
    elif "REQUEST_ALTS" in moment.heard:
        said.append(say(draw, c.OTHERS, blanks))
    elif "AFFIRM" in moment.heard:
        said += agreed(moment, draw)
    elif told:
        said.append(say(draw, w.GAVE, blanks))
    kept = [] if changes else [Value(s, v) for s, v in carried(moment).items()]
    if kept and "INFORM_INTENT" in moment.heard and draw.pick(3):
        said.append(say(draw, w.CARRIED, {"carried": values(draw, kept)}))
    return said


def after_call(moment: Moment, call: ToolCall) -> str:
    """What the result means for the answer."""
    draw = Draw(moment.key, "after")
    results = moment.answer.results
    asked = [Value(s, str(v)) for s, v in call.arguments.items()]
    informed = [a for a in moment.answer.acts if a.act == "INFORM" and a.canonical]
    offered = [a for a in moment.answer.acts if a.act == "OFFER" and a.canonical]
    differs = [
        (v.slot, v.value, str(results[0][v.slot]))
        for v in asked
        if results and v.slot in results[0] and str(results[0][v.slot]) != v.value
    ]
    blanks = {
        "tool": call.name,
        "count": str(len(results)),
        "args": values(draw, asked),
        "answers": values(draw, [told(a) for a in informed]),
        "offer": offer(draw, offered, {v.value for v in asked}),
        "differs": differences(moment, differs),
    }
    said: list[str] = []
    if "NOTIFY_SUCCESS" in moment.says and not differs:
        facts = [v for v in asked if results and str(results[0].get(v.slot)) == v.value]
        blanks["facts"] = values(draw, some(draw, facts, 2))
        said.append(say(draw, c.WENT_THROUGH if facts else c.REPORT, blanks))
        if informed:
            said.append(say(draw, c.ANSWERS_TOO, blanks))
        elif facts and draw.chance(2):
            said.append(say(draw, c.REPORT, blanks))
    elif not results:
        said.append(say(draw, c.EMPTY, blanks))
    elif "NOTIFY_FAILURE" in moment.says and offered:
        said.append(say(draw, c.INSTEAD if differs else c.INSTEAD_PLAIN, blanks))
        if informed:
            said.append(say(draw, c.ANSWERS_TOO, blanks))
    elif "NOTIFY_FAILURE" in moment.says:
        said.append(say(draw, c.FAILED if differs else c.FAILED_PLAIN, blanks))
    elif offered:
        said.append(_found(moment, draw, blanks, asked, offered))
    elif informed:
        said.append(say(draw, c.TOLD, blanks))
    else:
        said.append(say(draw, c.REPORT, blanks))
    return " ".join(said)


def _found(
    moment: Moment, draw: Draw, blanks: dict[str, str], asked: list[Value], offered: list[Act]
) -> str:
    """How many results there are, and what is offered of them."""
    text = say(draw, c.FOUND_ONE if len(moment.answer.results) == 1 else c.FOUND_MANY, blanks)
    one = result(moment, [a.slot for a in offered])
    named = {plain(v) for a in offered for v in a.canonical}
    facts = [v for v in asked if one and one.get(v.slot) == v.value and plain(v.value) not in named]
    if facts and draw.chance(2):
        blanks["facts"] = values(draw, some(draw, facts, 2))
        text = f"{text} {say(draw, c.FITS, blanks)}"
    return text
