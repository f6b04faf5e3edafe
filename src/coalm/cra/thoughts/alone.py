"""Thoughts where nothing is called: why not, and what is said instead."""

from coalm.cra.moments import Moment, carried, given, missing
from coalm.cra.phrases import Draw, Value, listed, say, spaced, values
from coalm.cra.thoughts import wordings as w
from coalm.cra.thoughts.parts import (
    agreed,
    aim,
    answers,
    chose,
    offer,
    slot_names,
    told,
    told_by_user,
)


def alone(moment: Moment) -> str:
    """Why no call is made, and what is said instead."""
    for act, write in (
        ("REQUEST", _missing),
        ("CONFIRM", _confirm),
        ("OFFER_INTENT", _next),
        ("OFFER", _other),
        ("INFORM", _known),
        ("GOODBYE", _goodbye),
        ("REQ_MORE", _more),
    ):
        if act in moment.says:
            return write(moment, Draw(moment.key, act))
    draw = Draw(moment.key, "else")
    if "NOTIFY_SUCCESS" in moment.says:
        return say(draw, w.SUCCESS_EARLIER, {})
    if "NOTIFY_FAILURE" in moment.says:
        return say(draw, w.NOTHING_MORE, {})
    return say(draw, w.PLAIN, {})


def _missing(moment: Moment, draw: Draw) -> str:
    acts = [a for a in moment.answer.acts if a.act == "REQUEST"]
    asked = list(dict.fromkeys(a.slot for a in acts))
    if not moment.tool or moment.intent is None:
        return say(draw, w.AIMLESS, {})
    told = given(moment)
    blanks = {
        "tool": moment.tool,
        "aim": aim(moment),
        "asked": slot_names(moment, asked),
        "given": told_by_user(draw, told),
        "examples": " and ".join(v for a in acts for v in a.values[:2]),
        "rest": slot_names(moment, (s for s in missing(moment) if s not in asked)),
    }
    said: list[str] = []
    if "SELECT" in moment.heard and draw.chance(2):
        said.append(chose(moment, draw))
    if "INFORM_INTENT" in moment.heard:
        said.append(say(draw, w.WISHED_GIVEN if told else w.WISHED, blanks))
    elif "AFFIRM_INTENT" in moment.heard and moment.proposed == moment.tool:
        said.append(say(draw, w.TOOK_UP, blanks))
    elif told:
        said.append(say(draw, w.ANSWERED if answers(moment, blanks) else w.GAVE, blanks))
    elif "AFFIRM" in moment.heard:
        said += agreed(moment, draw)
    kept = carried(moment) if "INFORM_INTENT" in moment.heard else {}
    settled = [s for s in moment.intent.required if s in moment.before and s in moment.state]
    known = [Value(s, moment.state[s]) for s in settled]
    if kept and draw.chance(2):
        blanks["carried"] = values(draw, [Value(s, v) for s, v in kept.items()])
        said.append(say(draw, w.CARRIED, blanks))
    elif known and draw.chance(3):
        blanks["known"] = values(draw, known)
        said.append(say(draw, w.KNOWN_SO_FAR, blanks))
    said.append(say(draw, w.LACKS, blanks))
    if blanks["examples"] and draw.chance(2):
        said.append(say(draw, w.EXAMPLES, blanks))
    elif blanks["rest"] and draw.chance(3):
        said.append(say(draw, w.AFTER_THAT, blanks))
    return " ".join(said)


def _confirm(moment: Moment, draw: Draw) -> str:
    acts = [a for a in moment.answer.acts if a.act == "CONFIRM" and a.canonical]
    listing = [Value(a.slot, a.canonical[0]) for a in acts]
    told = given(moment)
    tool = moment.tool or "the call"
    blanks = {
        "tool": tool,
        "given": told_by_user(draw, told),
        "args": values(draw, listing),
        "aim": aim(moment),
    }
    said: list[str] = []
    if "NEGATE" in moment.heard and told:
        said += [say(draw, w.CORRECTED, blanks), say(draw, w.CONFIRM_AGAIN, blanks)]
        return " ".join(said)
    if "INFORM_INTENT" in moment.heard:
        said.append(say(draw, w.WISHED_GIVEN if told else w.WISHED, blanks))
    elif "AFFIRM_INTENT" in moment.heard and moment.proposed == tool and not told:
        said.append(say(draw, w.TOOK_UP, blanks))
    elif told:
        said.append(say(draw, w.ANSWERED if answers(moment, blanks) else w.GAVE, blanks))
    elif "AFFIRM" in moment.heard:
        said += agreed(moment, draw)
    said.append(say(draw, w.CONFIRM, blanks))
    default = moment.intent.optional if moment.intent else {}
    assumed = [v for v in listing if v.slot not in moment.state and default.get(v.slot) == v.value]
    if assumed and draw.chance(2):
        one = assumed[draw.pick(len(assumed))]
        blanks |= {"slot": f"the {spaced(one.slot)}", "value": one.value}
        said.append(say(draw, w.ASSUMED, blanks))
    return " ".join(said)


def _known(moment: Moment, draw: Draw) -> str:
    informed = [a for a in moment.answer.acts if a.act == "INFORM" and a.canonical]
    blanks = {
        "wanted": slot_names(moment, dict.fromkeys(a.slot for a in informed)),
        "answers": values(draw, [told(a) for a in informed]),
        "source": moment.last.call.name if moment.last and moment.last.call else "earlier",
        "about": moment.entity or "that one",
    }
    return say(draw, w.KNOWN, blanks)


def _other(moment: Moment, draw: Draw) -> str:
    offered = [a for a in moment.answer.acts if a.act == "OFFER" and a.canonical]
    blanks = {
        "old": moment.entity or "the last offer",
        "offer": offer(draw, offered, set(moment.state.values())),
        "source": moment.last.call.name if moment.last and moment.last.call else "earlier",
    }
    return say(draw, w.ANOTHER, blanks)


def _next(moment: Moment, draw: Draw) -> str:
    step = moment.proposes or "the next step"
    return say(draw, w.NEXT, {"taken": moment.chosen or "the offer", "next": step})


def _more(moment: Moment, draw: Draw) -> str:
    blanks = {"taken": moment.chosen or "the offer", "proposed": moment.proposed}
    if "NEGATE_INTENT" in moment.heard and moment.proposed:
        return say(draw, w.MORE_NO, blanks)
    if "SELECT" in moment.heard:
        return say(draw, w.MORE_CHOSE, blanks)
    if "THANK_YOU" in moment.heard and moment.done and draw.pick(4):
        return say(draw, w.MORE_DONE, blanks | {"done": moment.done[-1]})
    return say(draw, w.MORE_THANKS if "THANK_YOU" in moment.heard else w.MORE, blanks)


def _goodbye(moment: Moment, draw: Draw) -> str:
    blanks = {
        "taken": moment.chosen or "the offer",
        "proposed": moment.proposed,
        "done": listed(moment.done[-2:]),
    }
    if "NEGATE_INTENT" in moment.heard and moment.proposed:
        return say(draw, w.BYE_NO, blanks)
    if "SELECT" in moment.heard:
        return say(draw, w.BYE_CHOSE, blanks)
    if moment.done and draw.pick(4):
        return say(draw, w.BYE_DONE, blanks)
    if moment.chosen and not moment.done and draw.chance(2):
        return say(draw, w.BYE_CHOSE, blanks)
    return say(draw, w.BYE, blanks)
