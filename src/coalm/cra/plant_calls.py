"""Planted errors in a call: a tool that is none, a value of another type, one nobody gave."""

import re
from collections.abc import Callable, Mapping

from coalm.cra.phrases import Draw
from coalm.cra.spots import Change, Spot
from coalm.types import Json, ToolCall

Plant = Callable[[Spot, Draw], Change | None]

_VERBS = {
    "Find": ("Search", "Lookup", "Get"),
    "Search": ("Find", "Get"),
    "Get": ("Fetch", "Find", "Check"),
    "Reserve": ("Book", "Make"),
    "Book": ("Reserve", "Schedule"),
    "Buy": ("Purchase", "Order"),
    "Play": ("Start", "Stream"),
    "Lookup": ("Find", "Search"),
    "Check": ("Get", "Show"),
    "Schedule": ("Book", "Arrange"),
    "Transfer": ("Send", "Move"),
    "Add": ("Create", "New"),
}
_WORDS = {"1": "one", "2": "two", "3": "three", "4": "four", "True": "yes", "False": "no"}


def _renamed(spot: Spot, name: str | None) -> Change | None:
    """The call under another name, which the thought gives as well."""
    call = spot.call
    if call is None or name is None or name in {t.name for t in spot.sample.dialogue.tools}:
        return None
    return Change(spot.turn.thought.replace(call.name, name), ToolCall(name, call.arguments))


def _stranger(spot: Spot, draw: Draw) -> Change | None:
    """A real tool, of a service that this dialogue does not have."""
    listed = {t.name for t in spot.sample.dialogue.tools}
    names = [n for s in spot.services.values() for n in s.intents if n not in listed]
    return _renamed(spot, draw.one(names) if names else None)


def _other_verb(spot: Spot, draw: Draw) -> Change | None:
    name = spot.call.name if spot.call else ""
    verb = next((v for v in _VERBS if name.startswith(v)), None)
    return _renamed(spot, draw.one(_VERBS[verb]) + name[len(verb) :] if verb else None)


def _other_spelling(spot: Spot, draw: Draw) -> Change | None:
    if spot.call is None:
        return None
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", spot.call.name).lower()
    ending = (
        spot.call.name.removesuffix("s") if spot.call.name.endswith("s") else spot.call.name + "s"
    )
    return _renamed(
        spot, draw.one((snake, ending, spot.call.name[:1].lower() + spot.call.name[1:]))
    )


UNDEFINED: Mapping[str, Plant] = {
    "a tool of another service": _stranger,
    "another verb": _other_verb,
    "another spelling": _other_spelling,
}


def _with_value(spot: Spot, slot: str, value: Json) -> Change | None:
    call = spot.call
    if call is None:
        return None
    return Change(spot.turn.thought, ToolCall(call.name, {**call.arguments, slot: value}))


def _mistyped(make: Callable[[str], Json]) -> Plant:
    def change(spot: Spot, draw: Draw) -> Change | None:
        if spot.call is None or not spot.call.arguments:
            return None
        slots = [(s, v) for s, v in spot.call.arguments.items() if isinstance(v, str)]
        start = draw.pick(len(slots))
        for slot, value in slots[start:] + slots[:start]:
            made = make(value)
            if made is not None:
                return _with_value(spot, slot, made)
        return None

    return change


def _number(value: str) -> Json:
    return int(value) if value.isdigit() else None


def _truth(value: str) -> Json:
    return {"True": True, "False": False}.get(value)


def _in_words(spot: Spot, draw: Draw) -> Change | None:
    """A value of a closed list in other words."""
    tool, call = spot.tool, spot.call
    for slot, value in (call.arguments if call else {}).items():
        schema = tool.properties.get(slot) if tool else None
        listed = schema.get("enum") if isinstance(schema, dict) else None
        if isinstance(listed, list) and isinstance(value, str):
            other = _WORDS.get(value, f"{value.lower()} class" if draw.chance(2) else value.upper())
            if other not in listed:
                return _with_value(spot, slot, other)
    return None


MISTYPED: Mapping[str, Plant] = {
    "a number": _mistyped(_number),
    "a truth value": _mistyped(_truth),
    "a list": _mistyped(lambda value: [value]),
    "an object": _mistyped(lambda value: {"value": value}),
    "outside of its list": _in_words,
}


def _elsewhere(spot: Spot, draw: Draw) -> Change | None:
    """The value that another dialogue had for the same argument."""
    if spot.call is None or not spot.call.arguments:
        return None
    slots = [*spot.call.arguments]
    slot = slots[draw.pick(len(slots))]
    value = spot.donors.value(draw, spot.call.name, slot, spot.text)
    return _with_value(spot, slot, value) if value else None


def _unasked(spot: Spot, draw: Draw) -> Change | None:
    """An optional argument that nobody gave, with a value it may have."""
    tool, call = spot.tool, spot.call
    if tool is None or call is None:
        return None
    open_slots = [s for s in tool.properties if s not in call.arguments]
    for slot in open_slots[draw.pick(max(1, len(open_slots))) :]:
        schema = tool.properties[slot]
        listed = schema.get("enum") if isinstance(schema, dict) else None
        default = schema.get("default") if isinstance(schema, dict) else None
        choice = [v for v in listed if v != default] if isinstance(listed, list) else []
        value = draw.one([str(v) for v in choice]) if choice else None
        value = value or spot.donors.value(draw, call.name, slot, spot.text)
        if value and value != default:
            return _with_value(spot, slot, value)
    return None


def _foreign(spot: Spot, draw: Draw) -> Change | None:
    """An argument of another tool."""
    tool = spot.tool
    others = [
        slot
        for service in spot.services.values()
        for slot in service.inputs
        if tool and slot not in tool.properties
    ]
    known = list(dict.fromkeys(others))
    if not known:
        return None
    slot = draw.one(known)
    return _with_value(spot, slot, draw.one(("2", "True", "San Jose", "2019-03-08", "cheap")))


def _swapped(spot: Spot, draw: Draw) -> Change | None:
    """The value of another argument of the same call."""
    if spot.call is None or len(spot.call.arguments) < 2:
        return None
    slots = [*spot.call.arguments]
    first = draw.pick(len(slots))
    slot, other = slots[first], slots[first - 1]
    tool = spot.tool
    schema = tool.properties.get(slot) if tool else None
    if isinstance(schema, dict) and "enum" in schema:
        return None
    return _with_value(spot, slot, spot.call.arguments[other])


def _listed(spot: Spot, draw: Draw) -> Change | None:
    """Another value of a closed list."""
    tool, call = spot.tool, spot.call
    for slot, value in (call.arguments if call else {}).items():
        schema = tool.properties.get(slot) if tool else None
        listed = schema.get("enum") if isinstance(schema, dict) else None
        others = [str(v) for v in listed if v != value] if isinstance(listed, list) else []
        if others:
            return _with_value(spot, slot, draw.one(others))
    return None


INVENTED: Mapping[str, Plant] = {
    "a value of another dialogue": _elsewhere,
    "an option nobody named": _unasked,
    "an argument of another tool": _foreign,
    "the value of another argument": _swapped,
    "another value of its list": _listed,
}
