"""Calls written `[name(a=1, b="x"), other()]`, as ToolACE does, values in JSON or Python.

Names may hold blanks, slashes and dots, and parameters may be called `from`, so calls are
recognised by the list of tools rather than parsed as Python.
"""

import ast
import json
import re
from collections.abc import Iterable

from coalm.types import Json, ToolCall

_DECODER = json.JSONDecoder()
_CALL = re.compile(r"[A-Za-z_][\w .\-/]*\((?:\s*\)\s*[\],]|\s*\w+\s*=)")
"""How a call begins, whatever it is called."""
_GAP = re.compile(r"\s*")
_QUOTES = "\"'"
_OPEN, _CLOSE = "([{", ")]}"


def bracketed(text: str, names: Iterable[str]) -> tuple[ToolCall, ...]:
    """The calls in a text; none if it is no list of calls.

    A `ValueError` if it is a torn one, or one of a tool that is not listed.
    """
    known = sorted(names, key=len, reverse=True)  # one name may begin with another
    inner = text[1:].lstrip() if text.startswith("[") else ""
    if not any(_opens(inner, name) for name in known):
        if known and _CALL.match(inner):
            raise ValueError(f"a call of a tool that is not listed: {inner[:40]!r}")
        return ()
    calls: list[ToolCall] = []
    place = len(text) - len(inner)
    while True:
        name = next((n for n in known if _opens(text[place:], n)), None)
        if name is None:
            raise ValueError(f"a call of a tool that is not listed: {text[place : place + 40]!r}")
        place = text.index("(", place + len(name)) + 1
        arguments, place = _arguments(text, place)
        calls.append(ToolCall(name, arguments))
        place = _blank(text, place)
        if text.startswith("]", place):
            break
        if not text.startswith(",", place):
            raise ValueError(f"a list of calls that does not end: {text[place : place + 40]!r}")
        place = _blank(text, place + 1)
    if text[place + 1 :].strip():
        raise ValueError(f"words after a list of calls: {text[place + 1 : place + 41]!r}")
    return tuple(calls)


def _opens(text: str, name: str) -> bool:
    return text.startswith(name) and text[len(name) :].lstrip().startswith("(")


def _arguments(text: str, place: int) -> tuple[dict[str, Json], int]:
    """The arguments from `place` on, and the place after their closing bracket."""
    found: dict[str, Json] = {}
    place = _blank(text, place)
    while not text.startswith(")", place):
        equals = text.find("=", place)
        if equals < 0:
            raise ValueError(f"arguments that do not end: {text[place : place + 40]!r}")
        name = text[place:equals].strip()
        if not name or name in found:
            raise ValueError(f"an argument without a name, or twice: {text[place : place + 40]!r}")
        found[name], place = _value(text, _blank(text, equals + 1))
        place = _blank(text, place)
        if text.startswith(",", place):
            place = _blank(text, place + 1)
        elif not text.startswith(")", place):
            raise ValueError(f"arguments that do not end: {text[place : place + 40]!r}")
    return found, place + 1


def _value(text: str, place: int) -> tuple[Json, int]:
    """One value: JSON if it can be, else a literal of Python."""
    end = _end(text, place)
    try:
        found, stop = _DECODER.raw_decode(text, place)
        if not text[stop:end].strip():
            return found, end
    except (ValueError, RecursionError):
        pass
    try:
        return _plain(ast.literal_eval(text[place:end].strip())), end
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise ValueError(
            f"a value that cannot be read: {text[place : min(end, place + 40)]!r}"
        ) from None


def _end(text: str, place: int) -> int:
    """Where a value ends: at a comma or a bracket that is not inside of it."""
    depth, quote = 0, ""
    while place < len(text):
        sign = text[place]
        if quote:
            if sign == "\\":
                place += 1
            elif sign == quote:
                quote = ""
        elif sign in _QUOTES:
            quote = sign
        elif sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            if not depth:
                return place
            depth -= 1
        elif sign == "," and not depth:
            return place
        place += 1
    return place


def _plain(value: object) -> Json:
    """A literal as JSON has it; a `ValueError` for what JSON cannot say."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {str(key): _plain(one) for key, one in value.items()}
        case _:
            raise ValueError(f"{type(value).__name__} is no value of JSON")


def _blank(text: str, place: int) -> int:
    found = _GAP.match(text, place)
    return found.end() if found else place
