"""The dialogue state, read off what a model asked of its tools (Paper 5.1).

Nobody annotates a state: each call of one of MultiWOZ's eight APIs says what the user
wants, so the state is what the calls' arguments add up to. Values are spelt as in
MultiWOZ 2.4. What was offered and booked is read off the tools' answers.

`any` is where two readings part. The paper's code takes it for a slot that is left open,
and so can never say that the user does not mind (`dontcare`, 1,713 of the gold values).
Whoever keeps `dontcare` takes an argument that says `any` at its word.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from coalm.agent.cambridge.slots import (
    ANY,
    Area,
    Count,
    Day,
    HotelType,
    Price,
    Stars,
    Time,
    Words,
    YesNo,
)
from coalm.types import Assistant, Dialogue, Observation, ToolCall

_Slots: TypeAlias = Mapping[str, tuple[str, Any]]
"""For each argument of an API the slot that it fills, and the type of its values."""


def _same(**types: Any) -> _Slots:
    return {name: (name, kind) for name, kind in types.items()}


_NAME: _Slots = _same(name=Words)
_BOOKED: _Slots = {"people": ("book people", Count), "day": ("book day", Day)}
_TRIP: _Slots = _same(departure=Words, destination=Words, leaveat=Time, arriveby=Time)

_APIS: Mapping[str, tuple[str, _Slots]] = {
    "query_restaurants": (
        "restaurant",
        _same(area=Area, pricerange=Price, food=Words, name=Words),
    ),
    "book_restaurant": ("restaurant", {**_NAME, **_BOOKED, "time": ("book time", Time)}),
    "query_hotels": (
        "hotel",
        _same(
            area=Area,
            pricerange=Price,
            type=HotelType,
            stars=Stars,
            internet=YesNo,
            parking=YesNo,
            name=Words,
        ),
    ),
    "book_hotel": ("hotel", {**_NAME, **_BOOKED, "stay": ("book stay", Count)}),
    "query_attractions": ("attraction", _same(area=Area, type=Words, name=Words)),
    "query_trains": ("train", {**_TRIP, **_same(day=Day)}),
    # Deviation D42: the times of the train that is bought are not what the user asked for,
    # so they do not become `train-leaveat`; the logs of the paper's lab do the same.
    "buy_train_tickets": (
        "train",
        {
            **_same(departure=Words, destination=Words, day=Day),
            "people": ("book people", Count),
        },
    ),
    "book_taxi": ("taxi", _TRIP),
}

_SPELT = {
    "guesthouse": "guest house",
    "swimmingpool": "swimming pool",
    "concerthall": "concert hall",
    "night club": "nightclub",
}
"""The databases' words, and tokenised ones, as MultiWOZ 2.4 writes them in a state."""


DONTCARE = "dontcare"
"""What MultiWOZ's states say of a slot that the user does not mind."""

_INDIFFERENT = frozenset(
    [
        *("any", "anything", "anywhere", "anytime", "all"),
        *("dontcare", "dont care", "don t care", "do n t care", "do not care", "no preference"),
        *("doesnt matter", "doesn t matter", "does not matter"),
    ]
)
"""Arguments that say that the user does not mind; `""`, `none` or `unknown` say nothing."""


def state_of(dialogue: Dialogue, *, dontcare: bool = False) -> dict[str, str]:
    """Slot -> value, such as `hotel-area: north`, added up over all calls; the last value wins.

    An argument that is no value of its slot adds nothing and takes nothing back. Nor does
    `any`, unless `dontcare` is kept: then it is a value, which replaces an earlier one.
    """
    return settled(_calls(dialogue), dontcare=dontcare)


def settled(calls: Iterable[ToolCall], *, dontcare: bool = False) -> dict[str, str]:
    """The same of some calls by themselves.

    Deviation D46: values are made uniform (`5 pm` becomes 17:00, `guesthouse` becomes
    `guest house`) before they are compared with anything; the paper's code keeps them raw.
    Deviation D92: with `dontcare`, what the paper's code loses is kept.
    """
    return {slot: value for call in calls for slot, value in _said(call, dontcare)}


def entities_of(dialogue: Dialogue) -> Mapping[str, str]:
    """What the tools answered: `hotel-offered` names the last hits, `hotel-booked` the booking."""
    found: dict[str, str] = {}
    for turn in dialogue.turns:
        if not isinstance(turn, Observation) or turn.tool not in _APIS:
            continue
        domain, answer = _APIS[turn.tool][0], _object(turn.text)
        hits = answer.get("hits")
        if isinstance(hits, list) and hits:
            names = [_label(hit) for hit in hits[:3]]
            rest = f" and {len(hits) - 3} more" if len(hits) > 3 else ""
            found[f"{domain}-offered"] = ", ".join(names) + rest
        if "booked" in answer:
            reference = answer.get("reference") or answer.get("phone") or ""
            found[f"{domain}-booked"] = f"{answer['booked']} ({reference})"
    return found


def overview(dialogue: Dialogue) -> Mapping[str, str]:
    """The state with what was offered and booked, for a person to look at."""
    return {**state_of(dialogue), **entities_of(dialogue)}


def domain_of(tool: str) -> str:
    """The domain of one of the eight APIs: `book_hotel` is of `hotel`; empty for another tool."""
    return _APIS[tool][0] if tool in _APIS else ""


def _calls(dialogue: Dialogue) -> Iterator[ToolCall]:
    for turn in dialogue.turns:
        if isinstance(turn, Assistant):
            yield from turn.calls


def _said(call: ToolCall, dontcare: bool) -> Iterator[tuple[str, str]]:
    """Slot and value of each argument of a call that says something."""
    domain, slots = _APIS.get(call.name, ("", {}))
    for argument, value in call.arguments.items():
        plain = argument.lower().replace("_", "")  # leave_at, leaveAt and leaveat are one
        if plain not in slots:
            continue
        slot, kind = slots[plain]
        if dontcare and _indifferent(value):
            yield f"{domain}-{slot}", DONTCARE
            continue
        try:
            read = str(_adapter(kind).validate_python(value))
        except ValidationError:
            continue
        if read != ANY:
            yield f"{domain}-{slot}", _SPELT.get(read, read)


def _indifferent(value: object) -> bool:
    return isinstance(value, str) and " ".join(value.lower().replace("'", " ").split()) in (
        _INDIFFERENT
    )


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _label(hit: object) -> str:
    return str(hit.get("name") or hit.get("train_id") or "?") if isinstance(hit, dict) else "?"
