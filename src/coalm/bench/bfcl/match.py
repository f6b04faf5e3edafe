"""Whether calls are the wanted ones: the verdict of BFCL's own checker for Python.

Written from its rules, not from its code; a test compares the two, verdict by verdict.
Its oddities are kept, for they are part of what published scores mean, and the
comments name them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from reprlib import Repr
from typing import Any

from coalm.bench.base import Kind
from coalm.types import ToolCall

TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
"""The Python type that a value of each BFCL type must have exactly: True is no integer."""

_IGNORED = re.compile(r"[ ,./\-_*^]")
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """Why calls are not the wanted ones."""

    kind: Kind
    note: str


Wanted = Mapping[str, Mapping[str, list[Any]]]


def fault(
    functions: Sequence[Mapping[str, Any]], calls: Sequence[ToolCall], wanted: Sequence[Wanted]
) -> Fault | None:
    """What is wrong with the calls, or None; the order of several does not matter.

    Each wanted call takes the first call left that answers to it.
    """
    if len(calls) != len(wanted):
        kind: Kind = "wrong count" if calls else "no call"
        return Fault(kind, f"{len(calls)} calls where {len(wanted)} are due")
    left = list(calls)
    for one in wanted:
        name, accepted = next(iter(one.items()))
        function = next((f for f in functions if f["name"] == name), functions[0])
        faults = [_call_fault(call, function, accepted) for call in left]
        if None not in faults:
            # Of several calls, the one with the right name tells most.
            return next((f for f in faults if f and f.kind != "wrong function"), faults[0])
        del left[faults.index(None)]
    return None


def _call_fault(
    call: ToolCall, function: Mapping[str, Any], accepted: Mapping[str, list[Any]]
) -> Fault | None:
    if call.name != function["name"]:
        return Fault("wrong function", f"calls {_short(call.name)}, not {function['name']!r}")
    schemas = function["parameters"]["properties"]
    for name in function["parameters"].get("required", ()):
        if name not in call.arguments:
            return Fault("missing argument", f"{name!r} is required")
    for name, value in call.arguments.items():
        if name not in schemas or name not in accepted:
            return Fault("extra argument", f"{_short(name)} is not asked for")
        found = _value_fault(name, value, schemas[name], accepted[name])
        if found:
            return found
    for name, values in accepted.items():
        if name not in call.arguments and "" not in values:  # "" marks what may be left out
            return Fault("missing argument", f"{name!r} is not given")
    return None


def _value_fault(
    name: str, value: Any, schema: Mapping[str, Any], accepted: list[Any]
) -> Fault | None:
    kind = schema["type"]
    if kind == "float" and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            return Fault("wrong argument", f"{name!r} is {_short(value)}")
    wanted, given = TYPES.get(kind, object), type(value)
    inner = TYPES.get(schema.get("items", {}).get("type")) if kind in ("array", "tuple") else None
    example = _example_type(accepted)
    # A value may also have the type of the accepted ones where that is another than the
    # schema's: the official checker takes it for the name of a variable.
    stands_in = example is not None and example is not wanted
    if given is wanted:
        fits = inner is None or any(_items_fit(value, inner, option) for option in accepted)
    else:
        fits = stands_in = given is example
    if not fits:
        return Fault("wrong type", f"{name!r} is {_short(value)}, which is no {kind}")
    if stands_in:
        right = value in accepted
    elif wanted is dict:
        right = any(_dict_fits(value, option) for option in accepted)
    elif inner is dict:
        right = any(_dicts_fit(value, option) for option in accepted)
    elif wanted is list:
        # An accepted "" reads as an empty list, so that [] passes for what may be left out.
        # Texts in a list inside the list are compared letter by letter.
        options = [list(map(_text, o)) for o in accepted if isinstance(o, list | str)]
        right = list(map(_text, value)) in options
    elif wanted is str:
        right = _text(value) in [_text(o) for o in accepted if isinstance(o, str)]
    else:
        right = value in accepted
    if right:
        return None
    return Fault("wrong argument", f"{name!r} is {_short(value)}, not one of {_short(accepted)}")


def _items_fit(values: list[Any], inner: type, option: Any) -> bool:
    """Whether every item has the schema's type or the option's; "" lets any list through."""
    if not isinstance(option, list):
        return True
    example = _example_type(option)
    return all(type(value) in (inner, example) for value in values)


def _dict_fits(value: Any, option: Any) -> bool:
    """Whether each key has an accepted value, and only those are left out that may be."""
    if not isinstance(value, dict) or not isinstance(option, dict):
        return False
    for key, item in value.items():
        if key not in option or _text(item) not in [_text(o) for o in option[key]]:
            return False
    return all(key in value or "" in options for key, options in option.items())


def _dicts_fit(values: Any, option: Any) -> bool:
    """Likewise for a list of them, in order."""
    return len(values) == len(option) and all(map(_dict_fits, values, option))


def _example_type(accepted: list[Any]) -> type | None:
    """The type of the first accepted value that is one; None where there is none."""
    return next((type(value) for value in accepted if value != ""), None)


def _text(value: Any) -> Any:
    """Text without spaces, case and most punctuation; anything else as it is."""
    if not isinstance(value, str):
        return value
    return _IGNORED.sub("", value).lower().replace("'", '"')


def _short(value: Any) -> str:
    return _SHORT.repr(value)
