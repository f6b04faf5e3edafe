"""Calls as Python writes them, `f(a=1, b='x')`, read without ever running anything.

Names need not be identifiers: ToolACE calls `Market Trends API(...)` and masked
Hammer tools have parameters such as `.67xDKY`, so calls are scanned by hand and
only the values go through `ast`. Hostile input is refused by size and depth first.
"""

import ast
import math
import re
import warnings
from collections.abc import Iterator

from coalm.types import Json, ToolCall

LONGEST = 100_000
"""Characters of one answer that are looked at."""
DEEPEST = 40
"""Levels of brackets in one value."""

_NAME = re.compile(r"[^\[\](){}'\"=,\s](?:[^\[\](){}'\"=,\n]*[^\[\](){}'\"=,\s])?")
_NAMED = {"true": True, "false": False, "null": None, "none": None}


class NotCalls(ValueError):
    """The text is not a list of calls; the message says where it stops being one."""


def write_calls(calls: tuple[ToolCall, ...]) -> str:
    """`f(a=1), g(b='x')`, values as Python literals, in the order given."""
    return ", ".join(
        f"{call.name}({', '.join(f'{k}={v!r}' for k, v in call.arguments.items())})"
        for call in calls
    )


def read_calls(text: str) -> tuple[ToolCall, ...]:
    """The calls of a text such as `f(a=1), g(b='x')`; `NotCalls` if it is anything else."""
    if len(text) > LONGEST:
        raise NotCalls(f"longer than {LONGEST} characters")
    calls: list[ToolCall] = []
    place = _space(text, 0)
    while place < len(text):
        call, place = read_call_at(text, place)
        calls.append(call)
        place = _space(text, place)
        if place < len(text):
            if text[place] != ",":
                raise NotCalls(f"something other than a comma after a call, at {place}")
            place = _space(text, place + 1)
    return tuple(calls)


def read_call_at(text: str, place: int) -> tuple[ToolCall, int]:
    """The call that begins at a place, and the place behind it; `NotCalls` if there is none."""
    name, place = _name(text, place, "(")
    arguments: dict[str, Json] = {}
    place = _space(text, place)
    while text[place : place + 1] != ")":
        key, place = _name(text, place, "=")
        if key in arguments:
            raise NotCalls(f"the argument {key!r} is given twice")
        end = _value_end(text, place)
        arguments[key] = _literal(text[place:end])
        place = end
        if text[place : place + 1] == ",":
            place = _space(text, place + 1)
    return ToolCall(name, arguments), place + 1


def _name(text: str, place: int, closed_by: str) -> tuple[str, int]:
    found = _NAME.match(text, place)
    if found is None:
        raise NotCalls(f"no name at {place}")
    end = _space(text, found.end())
    if text[end : end + 1] != closed_by:
        raise NotCalls(f"no {closed_by!r} after the name at {place}")
    return found.group(), end + 1


def _value_end(text: str, place: int) -> int:
    """Where the comma or bracket stands that ends the value which begins at `place`."""
    depth = 0
    for at, character in _unquoted(text, place):
        if character in "([{":
            depth += 1
            if depth > DEEPEST:
                raise NotCalls(f"nested deeper than {DEEPEST} levels")
        elif character in ")]}":
            if depth == 0:
                return at
            depth -= 1
        elif character == "," and depth == 0:
            return at
    raise NotCalls("a value that never ends")


def _unquoted(text: str, place: int) -> Iterator[tuple[int, str]]:
    """The characters outside of strings, with their places."""
    quote = ""
    while place < len(text):
        character = text[place]
        if quote:
            if character == "\\":
                place += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        else:
            yield place, character
        place += 1


def _literal(text: str) -> Json:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape such as \d is read as it stands
            tree = ast.parse(text.strip(), mode="eval")
        return sound(_value(tree.body))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as e:
        raise NotCalls(f"not a value: {text.strip()[:40]!r} ({e})") from None


def _value(node: ast.expr) -> Json:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.Name(id=name) if name.lower() in _NAMED:
            return _NAMED[name.lower()]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_key(k): _value(v) for k, v in zip(keys, values, strict=True)}
        case _:
            raise ValueError(type(node).__name__)


def sound(value: Json, depth: int = 0) -> Json:
    """The value, or a `ValueError` where it nests too deep, or JSON or UTF-8 cannot carry it."""
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    match value:
        case float() if not math.isfinite(value):
            raise ValueError("a number that is not finite")
        case int():
            str(value)  # 0xFFF... can be read at any length, but not written: a ValueError
        case str():
            value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
        case list():
            for item in value:
                sound(item, depth + 1)
        case dict():
            for key, item in value.items():
                sound(key)
                sound(item, depth + 1)
    return value


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("a key that is not a string")


def _space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
