"""Which facts a delexicalised response holds, whichever way its system writes them.

`[value_name]`, `[restaurant_name]` and `[name]` are all a name. The list is the corpus
evaluator's: it has grown from the systems whose predictions were published, so a name
that is missing here counted for nothing in the published figures either, and counts for
nothing here. `unknown_placeholders` tells which those are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

_VENUES = "attraction hospital hotel police restaurant"
_KINDS: Mapping[str, tuple[str, str]] = {
    # kind: (written bare or in a way of its own, written DOMAIN_NAME or value_NAME)
    "ADDRESS": ("address", f"address: value {_VENUES}"),
    "AREA": ("area", "area: value attraction restaurant hotel"),
    "TIME": (
        "booktime;time;duration;arriveby;arrive by;leaveat;leave at;train_leave;train_arrive",
        "time: value; duration: value train; arriveby: taxi train; arrive: value;"
        "leave: value; leaveat: train taxi",
    ),
    "DAY": ("day;bookday", "day: value train"),
    "PLACE": (
        "destination;departure",
        "place: value; destination: value train taxi; departure: value train taxi",
    ),
    "FOOD": ("food", "food: value restaurant"),
    "NAME": ("name", f"name: value {_VENUES}"),
    "PHONE": ("phone", f"phone: value taxi {_VENUES}"),
    "POST": ("postcode", f"postcode: value {_VENUES}"),
    "PRICE": (
        "price;entrancefee;entrance fee;pricerange;price range",
        "price: value train attraction; entrancefee: attraction;"
        "pricerange: value restaurant hotel attraction",
    ),
    "REFERENCE": ("ref;reference", "reference: value attraction hotel restaurant train"),
    "COUNT": (
        "stars;bookstay;stay;bookpeople;people;choice",
        "stars: value hotel; stay: value; people: value; count: value;"
        "choice: value attraction hotel restaurant train",
    ),
    "TYPE": ("type;car", "type: value taxi restaurant hotel attraction; car: value taxi"),
    "TRAINID": ("trainid;train_id;id;train;train_trainid", "id: value"),
    "INTERNET": ("internet", "internet: hotel"),
    "PARKING": ("parking", "parking: hotel"),
    "ID": ("", "id: hospital attraction restaurant"),
    "DEPARTMENT": ("department", "department: value hospital"),
    "OPEN": ("openhours", ""),
}


def _named() -> dict[str, str]:
    """Placeholder to kind."""
    kinds: dict[str, str] = {}
    for kind, (bare, prefixed) in _KINDS.items():
        kinds.update(dict.fromkeys(filter(None, bare.split(";")), kind))
        for group in filter(None, prefixed.split(";")):
            name, _, domains = group.partition(":")
            kinds.update({f"{domain}_{name.strip()}": kind for domain in domains.split()})
    return kinds


PLACEHOLDERS: Mapping[str, str] = _named()
"""What stands between the brackets, in lower case, and the kind of thing that it stands for."""

BRACKETS = re.compile(r"\[([\w\s]+)\]")
"""A placeholder in a response."""

_COUNTED = frozenset({"NAME", "TRAINID", "ADDRESS", "PHONE", "POST", "REFERENCE"})


@lru_cache(maxsize=65536)
def facts(response: str) -> frozenset[str]:
    """The kinds of placeholder in a response that Inform and Success look for."""
    found = (PLACEHOLDERS.get(name) for name in BRACKETS.findall(response.lower()))
    return frozenset(kind for kind in found if kind in _COUNTED)


def has_placeholders(responses: Iterable[str]) -> bool:
    """Whether any of the responses holds a placeholder that is known."""
    return any(name in PLACEHOLDERS for r in responses for name in BRACKETS.findall(r.lower()))


def unknown_placeholders(responses: Iterable[str]) -> Counter[str]:
    """What stands in brackets and is not known, and how often."""
    return Counter(
        name for r in responses for name in BRACKETS.findall(r.lower()) if name not in PLACEHOLDERS
    )


def named_domains(response: str) -> tuple[str, ...]:
    """The domains that the placeholders' own names say: `[hotel_phone]` is about a hotel."""
    prefixes = dict.fromkeys(name.split("_")[0] for name in BRACKETS.findall(response.lower()))
    known = ("restaurant", "hotel", "attraction", "train", "taxi", "police", "hospital")
    return tuple(prefix for prefix in prefixes if prefix in known)
