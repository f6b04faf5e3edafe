"""Tool calls compared: which names and arguments are right, and what is wrong in a word.

Pure functions over values. Calls are compared as a set: their order says nothing. Two
argument values are equal if they read the same once blanks around a text are dropped and
a list or an object that is written out as text is taken for what it says: API-Bank's gold
calls hold `"['Ann']"` and `"5"` where the tool declares a list and a number.

A value of another type than the gold one is right only if it is of the declared type. So
5 is right for a gold "5" if the tool asks for an integer, and is a wrong type if it asks
for a string.
"""

import ast
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.bench.base import Kind
from coalm.types import Json, ToolCall, ToolSpec

Pair = tuple[ToolCall, ToolCall]
"""A gold call, and the said one that is held against it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def scores(self, prefix: str) -> dict[str, float]:
        """The three as `PREFIXtp`, `PREFIXfp`, `PREFIXfn`, as `micro_f1` reads them."""
        return {
            f"{prefix}tp": float(self.tp),
            f"{prefix}fp": float(self.fp),
            f"{prefix}fn": float(self.fn),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a list of calls has right, and its first mistake."""

    names: Counts
    """Of tool names."""
    arguments: Counts
    """Of (tool, argument, value); a wrong value is one false positive and one negative."""
    kind: Kind = ""
    note: str = ""

    @property
    def exact(self) -> bool:
        """Whether all calls are right, names and arguments."""
        return not self.kind


def compare(
    gold: Sequence[ToolCall], said: Sequence[ToolCall], tools: Sequence[ToolSpec] = ()
) -> Comparison:
    """The calls that were `said` against the gold ones; `tools` declare the types."""
    pairs = _paired(gold, said, tools)
    same = sum(one.name == other.name for one, other in pairs)
    names = Counts(same, len(said) - same, len(gold) - same)
    right = sum(
        _same(value, other.arguments[key], _declared(tools, one.name, key))
        for one, other in pairs
        if one.name == other.name
        for key, value in one.arguments.items()
        if key in other.arguments
    )
    wanted = sum(len(call.arguments) for call in gold)
    given = sum(len(call.arguments) for call in said)
    kind, note = _mistake(gold, said, pairs, tools)
    return Comparison(names, Counts(right, given - right, wanted - right), kind, note)


def _paired(
    gold: Sequence[ToolCall], said: Sequence[ToolCall], tools: Sequence[ToolSpec]
) -> list[Pair]:
    """Gold and said calls side by side: equal ones, then namesakes, then the rest in order."""

    def equal(one: ToolCall, other: ToolCall) -> bool:
        return not _mistaken(one, other, tools)[0]

    def namesakes(one: ToolCall, other: ToolCall) -> bool:
        return one.name == other.name

    def any_two(one: ToolCall, other: ToolCall) -> bool:
        return True

    left, right = dict(enumerate(gold)), dict(enumerate(said))
    pairs: dict[int, Pair] = {}
    for alike in (equal, namesakes, any_two):
        for i, one in list(left.items()):
            j = next((j for j, other in right.items() if alike(one, other)), None)
            if j is not None:
                pairs[i] = (left.pop(i), right.pop(j))
    return [pairs[i] for i in sorted(pairs)]


def _mistake(
    gold: Sequence[ToolCall],
    said: Sequence[ToolCall],
    pairs: Sequence[Pair],
    tools: Sequence[ToolSpec],
) -> tuple[Kind, str]:
    if gold and not said:
        return "no call", f"no call, where {gold[0].name} was due"
    if said and not gold:
        return "needless call", f"called {said[0].name}, where no call was due"
    if len(gold) != len(said):
        return "wrong count", f"{len(said)} calls, not {len(gold)}"
    found = (_mistaken(one, other, tools) for one, other in pairs)
    return next((mistake for mistake in found if mistake[0]), ("", ""))


def _mistaken(gold: ToolCall, said: ToolCall, tools: Sequence[ToolSpec]) -> tuple[Kind, str]:
    """What is wrong with one call in the place of another; two empty strings if nothing."""
    if gold.name != said.name:
        return "wrong function", f"called {said.name}, not {gold.name}"
    for key in gold.arguments:
        if key not in said.arguments:
            return "missing argument", f"{gold.name} lacks {key}"
    for key in said.arguments:
        if key not in gold.arguments:
            return "extra argument", f"{gold.name} was given {key}"
    for key, wanted in gold.arguments.items():
        given, declared = said.arguments[key], _declared(tools, gold.name, key)
        if not _same(wanted, given, declared):
            kind: Kind = "wrong type" if reads_alike(wanted, given) else "wrong argument"
            return kind, f"{gold.name}.{key} is {wanted!r}, not {given!r}"
    return "", ""


def _same(gold: Json, said: Json, declared: str) -> bool:
    kind = _KINDS.get(type(said), "null")
    fits = type(said) is type(gold) or declared == kind or (declared, kind) == _WHOLE_NUMBER
    return fits and reads_alike(gold, said)


def reads_alike(gold: Json, said: Json) -> bool:
    """Whether two values are equal once each is written out, whatever their types."""
    if isinstance(gold, str):
        if isinstance(said, bool):
            return gold.strip().lower() == str(said).lower()
        if isinstance(said, list | dict):
            return _written(_unpacked(gold)) == _written(said)
    return _written(gold) == _written(said)


def _unpacked(text: str) -> object:
    """The list or object that a gold text spells, in JSON or in Python; else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in data are no news
                return read(text.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def _written(value: object) -> object:
    """A value whose leaves are texts without blanks around them."""
    match value:
        case str():
            return value.strip()
        case list() | tuple():
            return [_written(item) for item in value]
        case dict():
            return {str(key).strip(): _written(item) for key, item in value.items()}
        case _:
            return str(value)


_KINDS: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
_WHOLE_NUMBER = ("number", "integer")
"""What was declared and what was said: JSON Schema takes a whole number for a number."""


def _declared(tools: Sequence[ToolSpec], name: str, argument: str) -> str:
    """The JSON Schema type that a tool declares for an argument; empty if it does not say."""
    for tool in tools:
        schema = tool.properties.get(argument) if tool.name == name else None
        if isinstance(schema, dict):
            kind = schema.get("type")
            return kind if isinstance(kind, str) else ""
    return ""
