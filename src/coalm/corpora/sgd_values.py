"""What SGD's states say: services and slots as MultiWOZ names them, values as they are written."""

import re
from collections.abc import Mapping, Sequence

from coalm.corpora.said_values import clock, number
from coalm.corpora.sgd import Exchange, Service, ServiceSlot

_WORDS = {"True": "yes", "False": "no"}
_TIME = re.compile(r"\b(?:time|hour)\b", re.IGNORECASE)
_COUNT = re.compile(r"\b(?:number of (?!the)|how many|amount|size)", re.IGNORECASE)
"""What a slot holds is read off its description, which no other name for the slot changes."""


class Unclear(ValueError):
    """A value that cannot be written plainly for sure."""


def stem(service: str) -> str:
    """A service's domain: `restaurant` for `Restaurants_1`, `bus` for `Buses_2`."""
    word = service.rpartition("_")[0].lower()
    if word.endswith("ses"):
        return word.removesuffix("es")
    return word.removesuffix("s") if not word.endswith("ss") else word


def slot_name(domain: str, slot: str) -> str:
    """`hotel-name` for the slot `hotel_name`: the domain is said once, as MultiWOZ does."""
    short = slot.removeprefix(f"{domain}_")
    return f"{domain}-{short.replace('_', ' ')}"


def domain_names(services: Mapping[str, Service]) -> dict[str, str]:
    """Each service's domain, `restaurant` for `Restaurants_1`.

    Two services of one domain keep their numbers.
    """
    stems = [stem(name) for name in services]
    return {
        name: word if stems.count(word) == 1 else name.lower()
        for name, word in zip(services, stems, strict=True)
    }


def told(slot: ServiceSlot, *, plain: bool = True) -> str:
    """The description; it says how a time is written where that is not as it was said."""
    return f"{slot.description}, hh:mm" if plain and _is_time(slot) else slot.description


def state_of(
    so_far: Sequence[Exchange],
    services: Mapping[str, Service],
    domains: Mapping[str, str],
    *,
    plain: bool = False,
) -> dict[str, str]:
    """`domain-slot` to value after the last of these user turns; `Unclear` as `values_of`."""
    return {
        slot_name(domains[service], slot): value
        for service, values in values_of(so_far, services, plain=plain).items()
        for slot, value in values.items()
    }


def values_of(
    so_far: Sequence[Exchange], services: Mapping[str, Service], *, plain: bool = False
) -> dict[str, dict[str, str]]:
    """Service to slot to value; a turn annotates the services that it talks to, the rest is kept.

    With `plain` an `Unclear` is raised for a time or a number that cannot be read for sure.
    """
    latest = spellings(so_far)
    heard = "\n".join(t for e in so_far for t in (e.user.text, e.system.text)).lower()
    return {
        name: {
            slot: _written(values, services[name].slots[slot], heard, plain)
            for slot, values in state.items()
            if values
        }
        for name, state in latest.items()
    }


def spellings(so_far: Sequence[Exchange]) -> dict[str, Mapping[str, tuple[str, ...]]]:
    """Service to slot to each way in which its value was said, after the last of these turns."""
    latest: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for exchange in so_far:
        for frame in exchange.user.frames:
            if frame.state is not None:
                latest[frame.service] = frame.state
    return latest


def _written(values: tuple[str, ...], slot: ServiceSlot, heard: str, plain: bool) -> str:
    said = worded(_spelling(values, slot.values, heard))
    if not plain or said == "dontcare" or said in slot.values:
        return said
    if _is_time(slot):
        found = clock(said)
        if not found:
            raise Unclear("a time that cannot be read for sure")
        return found
    if _COUNT.search(slot.description):
        found = number(said)
        if not found:
            raise Unclear("a number that cannot be read for sure")
        return found
    return said


def _is_time(slot: ServiceSlot) -> bool:
    return not slot.values and bool(_TIME.search(slot.description))


def _spelling(values: tuple[str, ...], listed: tuple[str, ...], heard: str) -> str:
    """The listed spelling; else the one last heard, since a model can only copy what was said."""
    known = [value for value in values if value in listed]
    if known:
        return known[0]
    return max(values, key=lambda value: heard.rfind(value.lower()))


def worded(value: str) -> str:
    """A truth value as `yes` or `no`; every other value as it is."""
    # Deviation D12: truth values, like slot names, are written as MultiWOZ does.
    return _WORDS.get(value, value)
