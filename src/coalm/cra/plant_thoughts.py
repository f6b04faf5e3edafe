"""Planted poor reasoning: thoughts of other moments, other tools, slots and values.

The sentences here are in other words than `thoughts` uses, as another writer would have
them, so that the check is not measured on its own phrases alone. Those that are called
fresh were written after the rules of the check were done, and no rule was fitted to them.
"""

from collections.abc import Callable, Mapping, Sequence

from coalm.cra.phrases import Draw, spaced
from coalm.cra.spots import Change, Spot
from coalm.types import Assistant, Observation

Plant = Callable[[Spot, Draw], Change | None]

_HOLDS_OFF = (
    "The {slot} has not come up so far, so running {tool} now would be a guess. Better to ask.",
    "Hmm, I can't do anything before the user tells me the {slot}.",
    "There is no {slot} in what the user wrote. I should find out before I go any further.",
    "The request is incomplete: {slot} is unknown. I'll request it from the user.",
    "I already know the answer from the conversation, so there's no reason to use {tool}.",
    "This is small talk, I can simply reply to it.",
    "No API is necessary at this point; a polite reply is enough.",
)
_GOES_AHEAD = (
    "All details are in place, so I'll run {tool} right away.",
    "The user has told me everything, time to execute {tool}.",
    "I have what {tool} takes and will query it now.",
    "Let me look this up with {tool} and see what comes back.",
    "Next step: I call {tool} with the details from the user.",
)
_HOLDS_OFF_FRESH = (
    "To proceed, I require more details from the user, particularly the {slot}.",
    "The user hasn't specified the {slot}; I'd like to clarify that first.",
    "I need to gather the {slot} from the user in order to use {tool}.",
    "We are missing key information such as the {slot}.",
    "Since the user did not mention a {slot}, I should prompt them for it.",
    "This can be answered directly without using any API.",
    "There's nothing to look up here, the user is simply chatting.",
    "I should verify with the user whether the {slot} is right before proceeding.",
)
_GOES_AHEAD_FRESH = (
    "I will use the {tool} API to fetch the requested information.",
    "With these parameters I'm going to invoke {tool}.",
    "Now that I know the preferences, I should search using {tool}.",
    "I'll go ahead and submit the request through {tool}.",
    "The user wants this done, so {tool} gets triggered.",
    "Calling {tool} will give me the options.",
)
_FAILED = (
    "Sadly the search turned up nothing at all, so I apologise.",
    "{tool} returned an error. The user has to be told that it did not work.",
    "There were no results, so I suggest that the user try other details.",
    "The request was rejected by the service; I tell the user it is not available.",
)
_WORKED = (
    "The booking is confirmed, I can share the good news.",
    "{tool} completed successfully, so all is arranged for the user.",
    "That went well: everything is reserved as the user wished.",
)

_FAILED_FRESH = (
    "Unfortunately, no options match the user's criteria.",
    "The API call was unsuccessful; I need to inform the user.",
    "It seems {tool} could not find anything suitable.",
    "The slot is already taken, so I must propose something different.",
)
_WORKED_FRESH = (
    "Great, the transaction was successful and I should let the user know.",
    "{tool} has booked it. I inform the user of the confirmation.",
    "Everything was processed, the user can look forward to it.",
)


def _thought(spot: Spot, text: str | None) -> Change | None:
    return Change(text, spot.call) if text else None


def _moment(spot: Spot, draw: Draw) -> Change | None:
    """The thought of a turn of this dialogue that does something else."""
    others: list[str] = []
    turns = spot.sample.dialogue.turns
    for place, turn in enumerate(turns):
        if not isinstance(turn, Assistant) or place == spot.place:
            continue
        same = (bool(turn.calls), isinstance(turns[place - 1], Observation)) == (
            bool(spot.call),
            spot.after,
        )
        if not same or (not spot.call and not spot.says[place] & spot.says[spot.place]):
            others.append(turn.thought)
    return _thought(spot, draw.one(others) if others else None)


def _call(spot: Spot, draw: Draw) -> Change | None:
    """The thought of another call of this dialogue."""
    others = [
        turn.thought
        for turn in spot.sample.dialogue.turns
        if isinstance(turn, Assistant) and turn.calls and spot.call and turn.calls[0] != spot.call
    ]
    return _thought(spot, draw.one(others) if others else None)


def _elsewhere(spot: Spot, draw: Draw) -> Change | None:
    """The thought that another dialogue had before or after a call of the same tool."""
    turns = spot.sample.dialogue.turns
    before = turns[spot.place - 1]
    tool = before.tool if isinstance(before, Observation) else spot.call.name if spot.call else ""
    place = "after" if spot.after else "before"
    return _thought(spot, spot.donors.thought(draw, tool, place, spot.text) if tool else None)


def _tool(spot: Spot, draw: Draw) -> Change | None:
    """The same thought about another of the listed tools."""
    call = spot.call
    others = [t.name for t in spot.sample.dialogue.tools if call and t.name != call.name]
    if call is None or not others or call.name not in spot.turn.thought:
        return None
    return _thought(spot, spot.turn.thought.replace(call.name, draw.one(others)))


def _slot(spot: Spot, draw: Draw) -> Change | None:
    """The same thought with another of the tool's slots in the place of one."""
    tool, call = spot.tool, spot.call
    if tool is None or call is None:
        return None
    named = [s for s in call.arguments if spaced(s) in spot.turn.thought]
    others = [s for s in tool.properties if s not in call.arguments]
    if not named or not others:
        return None
    old, new = draw.one(named), draw.one(others)
    return _thought(spot, spot.turn.thought.replace(spaced(old), spaced(new)))


def _value(spot: Spot, draw: Draw) -> Change | None:
    """The same thought with a value that another dialogue had."""
    call = spot.call
    named = [
        (s, v)
        for s, v in (call.arguments if call else {}).items()
        if isinstance(v, str) and len(v) > 2 and v in spot.turn.thought
    ]
    if call is None or not named:
        return None
    slot, value = named[draw.pick(len(named))]
    other = spot.donors.value(draw, call.name, slot, spot.text)
    return _thought(spot, spot.turn.thought.replace(value, other) if other else None)


def _holds_off(texts: Sequence[str]) -> Plant:
    """Says beside a call that something is missing, or that none is needed."""

    def change(spot: Spot, draw: Draw) -> Change | None:
        if spot.call is None or not spot.call.arguments:
            return None
        slot = draw.one([*spot.call.arguments])
        return _thought(spot, draw.one(texts).format(slot=spaced(slot), tool=spot.call.name))

    return change


def _goes_ahead(texts: Sequence[str]) -> Plant:
    """Announces a call where none is made."""

    def change(spot: Spot, draw: Draw) -> Change | None:
        if spot.call is not None or spot.after:
            return None
        tool = draw.one([t.name for t in spot.sample.dialogue.tools])
        return _thought(spot, draw.one(texts).format(tool=tool))

    return change


def _outcome(failures: Sequence[str], successes: Sequence[str]) -> Plant:
    """Reports a failure of what worked, or a success of what did not."""

    def change(spot: Spot, draw: Draw) -> Change | None:
        before = spot.sample.dialogue.turns[spot.place - 1]
        if not isinstance(before, Observation):
            return None
        failed = "NOTIFY_FAILURE" in spot.says[spot.place]
        return _thought(spot, draw.one(successes if failed else failures).format(tool=before.tool))

    return change


REASONING: Mapping[str, Plant] = {
    "the thought of another moment": _moment,
    "the thought of another call": _call,
    "the thought of another dialogue": _elsewhere,
    "another tool": _tool,
    "another slot": _slot,
    "another value": _value,
    "holds off beside a call": _holds_off(_HOLDS_OFF),
    "goes ahead without a call": _goes_ahead(_GOES_AHEAD),
    "the wrong outcome": _outcome(_FAILED, _WORKED),
    "holds off, in fresh words": _holds_off(_HOLDS_OFF_FRESH),
    "goes ahead, in fresh words": _goes_ahead(_GOES_AHEAD_FRESH),
    "the wrong outcome, in fresh words": _outcome(_FAILED_FRESH, _WORKED_FRESH),
}
