"""Whether calls are the wanted ones: the verdict of BFCL's own checker, in three languages.

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
from coalm.bench.bfcl import java, javascript
from coalm.bench.bfcl.categories import Language
from coalm.bench.bfcl.reading import UNREADABLE
from coalm.types import ToolCall

PYTHON: Mapping[str, type] = {
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

_TYPES: Mapping[Language, Mapping[str, type]] = {
    "python": PYTHON,
    "java": java.TYPES,
    "javascript": javascript.TYPES,
}
_NESTED: Mapping[Language, frozenset[str]] = {
    "python": frozenset({"array", "tuple"}),
    "java": java.NESTED,
    "javascript": javascript.NESTED,
}

_IGNORED = re.compile(r"[ ,./\-_*^]")
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """Why calls are not the wanted ones."""

    kind: Kind
    note: str


Wanted = Mapping[str, Mapping[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a checker of calls goes by."""

    language: Language = "python"
    underscores: bool = False
    """Whether a function `a.b` is to be called `a_b`, as endpoints that take no dots have it."""

    def name(self, function: str) -> str:
        """What a function is to be called."""
        return function.replace(".", "_") if self.underscores else function


def fault(
    functions: Sequence[Mapping[str, Any]],
    calls: Sequence[ToolCall],
    wanted: Sequence[Wanted],
    rules: Rules | None = None,
) -> Fault | None:
    """What is wrong with the calls, or None; the order of several does not matter.

    Each wanted call takes the first call left that answers to it. Where the official
    checker falls over, such as on a number that no float can hold, the calls are wrong.
    """
    rules = rules or Rules()
    if len(calls) != len(wanted):
        kind: Kind = "wrong count" if calls else "no call"
        return Fault(kind, f"{len(calls)} calls where {len(wanted)} are due")
    left = list(calls)
    for one in wanted:
        name, accepted = next(iter(one.items()))
        function = next((f for f in functions if f["name"] == name), functions[0])
        faults = []
        for call in left:
            try:
                faults.append(_call_fault(call, function, accepted, rules))
            except UNREADABLE as e:
                faults.append(Fault("wrong argument", f"no value to compare: {str(e)[:120]}"))
        if None not in faults:
            # Of several calls, the one with the right name tells most.
            return next((f for f in faults if f and f.kind != "wrong function"), faults[0])
        del left[faults.index(None)]
    return None


def _call_fault(
    call: ToolCall,
    function: Mapping[str, Any],
    accepted: Mapping[str, list[Any]],
    rules: Rules,
) -> Fault | None:
    due = rules.name(function["name"])
    if call.name != due:
        return Fault("wrong function", f"calls {short(call.name)}, not {due!r}")
    schemas = function["parameters"]["properties"]
    for name in function["parameters"].get("required", ()):
        if name not in call.arguments:
            return Fault("missing argument", f"{name!r} is required")
    for name, value in call.arguments.items():
        if name not in schemas or name not in accepted:
            return Fault("extra argument", f"{short(name)} is not asked for")
        schema = schemas[name]
        if rules.language != "python":
            if not isinstance(value, str):
                return Fault("wrong type", f"{name!r} is {short(value)}, which is no source text")
            value = _converted(value, schema, rules.language)
        found = _value_fault(name, value, schema, accepted[name], rules.language)
        if found:
            return found
    for name, values in accepted.items():
        if name not in call.arguments and "" not in values:  # "" marks what may be left out
            return Fault("missing argument", f"{name!r} is not given")
    return None


def _converted(text: str, schema: Mapping[str, Any], language: Language) -> Any:
    kind = schema["type"]
    inner = schema["items"]["type"] if kind in _NESTED[language] else None
    return (java if language == "java" else javascript).read(text, kind, inner)


def _value_fault(
    name: str, value: Any, schema: Mapping[str, Any], accepted: list[Any], language: Language
) -> Fault | None:
    kind, types = schema["type"], _TYPES[language]
    if language == "python":
        if kind == "float" and type(value) is int:
            value = float(value)
        elif kind == "tuple" and type(value) is tuple:
            value = list(value)
    wanted, given = types[kind], type(value)
    inner = types[schema["items"]["type"]] if kind in _NESTED[language] else None
    example = _example_type(accepted)
    # A value may also have the type of the accepted ones where that is another than the
    # schema's: the official checker takes it for the name of a variable.
    stands_in = example is not None and example is not wanted
    if given is wanted:
        fits = inner is None or any(_items_fit(value, inner, option) for option in accepted)
    else:
        fits = stands_in = given is example
    if not fits:
        return Fault("wrong type", f"{name!r} is {short(value)}, which is no {kind}")
    if _accepted(value, wanted, inner, accepted, stands_in):
        return None
    return Fault("wrong argument", f"{name!r} is {short(value)}, not one of {short(accepted)}")


def _accepted(
    value: Any, wanted: type, inner: type | None, accepted: list[Any], stands_in: bool
) -> bool:
    if stands_in:
        return value in accepted
    if wanted is dict:
        return any(_dict_fits(value, option) for option in accepted)
    if wanted is list and inner is dict:
        return any(_dicts_fit(value, option) for option in accepted)
    if wanted is list:
        # An accepted "" reads as an empty list, so that [] passes for what may be left out.
        # Texts in a list inside the list are compared letter by letter.
        options = [list(map(_text, o)) for o in accepted if isinstance(o, list | str)]
        return list(map(_text, value)) in options
    if wanted is str:
        return _text(value) in [_text(o) for o in accepted if isinstance(o, str)]
    return value in accepted


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


def short(value: Any) -> str:
    """A value for a note, cut where it is long."""
    try:
        return _SHORT.repr(value)
    except (ValueError, RecursionError):  # a whole number too long to be written out
        return f"a {type(value).__name__} too large to show"
