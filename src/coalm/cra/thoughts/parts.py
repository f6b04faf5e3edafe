"""Parts of a thought: what the user did, an offer, a change, put into words."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from coalm.corpora.sgd import Act
from coalm.cra.moments import Moment, carried, given
from coalm.cra.phrases import Draw, Value, listed, say, slots, spaced, values
from coalm.cra.thoughts import wordings as w


def agreed(moment: Moment, draw: Draw) -> list[str]:
    """That the user took the value which the system had suggested in its question."""
    found = [Value(s, v) for s, v in carried(moment).items() if s in moment.requested]
    return [say(draw, w.AGREED, {"carried": values(draw, found)})] if found else []


def answers(moment: Moment, blanks: dict[str, str]) -> bool:
    """Whether the user's turn answers what the system had just asked for."""
    blanks["requested"] = slot_names(moment, sorted(moment.requested))
    return bool(moment.requested) and moment.requested <= {a.slot for a in given(moment)}


def told_by_user(draw: Draw, acts: Iterable[Act]) -> str:
    """What the user gave, with how it was said where that is not how a call has it."""
    return values(draw, [Value(a.slot, a.canonical[0], next(iter(a.values), "")) for a in acts])


def told(act: Act) -> Value:
    """What an act of the system says of a slot."""
    return Value(act.slot, act.canonical[0])


def offer(draw: Draw, acts: Sequence[Act], known: Collection[str] = ()) -> str:
    """What an offer is called by: a name where it has one, else its slots and values.

    A single name comes with what else is offered of it, unless that is known anyway.
    """
    for act in acts:
        if not act.slot.endswith(("name", "title")):
            continue
        more = [told(a) for a in acts if a is not act and a.canonical[0] not in known]
        if len(act.canonical) > 1 or not more:
            return listed(act.canonical[:3])
        said = [f"{spaced(v.slot)} {v.value}" for v in some(draw, more, 2)]
        return f"{act.canonical[0]} ({', '.join(said)})"
    return values(draw, [told(a) for a in acts])


def some(draw: Draw, found: Sequence[Value], most: int) -> list[Value]:
    """Some of the values, not always the first ones."""
    start = draw.pick(max(1, len(found)))
    return [*found[start:], *found[:start]][:most]


def aim(moment: Moment) -> str:
    """The intent's description as what the user wants to do."""
    text = moment.intent.description if moment.intent else "go on"
    for theirs in ("the user's", "a user's", "your"):
        text = text.replace(f" {theirs} ", " their ")
    return (text[:1].lower() + text[1:]).rstrip(".").replace(" for the user", "")


def slot_names(moment: Moment, names: Iterable[str]) -> str:
    """Slots of the moment's service in words."""
    return slots(names, moment.flags)


def chose(moment: Moment, draw: Draw) -> str:
    """That the user settled on something, by its name where it has one."""
    if moment.chosen:
        return say(draw, w.CHOSE, {"chosen": moment.chosen})
    return say(draw, w.CHOSE_SOMETHING, {})


def changes_of(moment: Moment, changes: Mapping[str, tuple[str, str]]) -> str:
    """What differs from the last call of the tool; three slots at most."""
    said = []
    for slot, (old, new) in [*changes.items()][:3]:
        name = slot_names(moment, [slot])
        if old and new:
            said.append(f"{name} is {new} instead of {old}")
        elif new:
            said.append(f"{name} is {new}")
        else:
            said.append(f"{name} no longer counts")
    return listed(said)


def differences(moment: Moment, found: Iterable[tuple[str, str, str]]) -> str:
    """Where a result is other than what was called for: slot, value asked for, value got."""
    return listed(
        f"{slot_names(moment, [slot])} is {new} and not {old}" for slot, old, new in [*found][:3]
    )
