"""JavaScript source text and the values that BFCL's checker takes it for, both ways.

As in `java`, the checker's oddities are kept and its slow patterns are not: one of them
takes time that doubles with every `[` of a list of lists.
"""

import re
from collections.abc import Mapping
from typing import Any

from coalm.bench.bfcl.java import LONGEST, number

TYPES: Mapping[str, type] = {
    "String": str,
    "integer": int,
    "float": float,
    "Bigint": int,
    "Boolean": bool,
    "dict": dict,
    "array": list,
    "any": str,
}
"""The Python type that a value of each type becomes."""

NESTED = frozenset({"array"})
"""Types whose items have a type of their own."""

COLLECTIONS = frozenset({"array", "dict"})

_WHOLE = re.compile(r"^-?\d+$")
_FLOAT = re.compile(r"^-?\d+(\.\d+)?$")
_BIG = re.compile(r"^-?\d+n$")
_NEW = re.compile(r"new\s+Array\(")
_INNER = re.compile(r"\[(.*?)\]")


def read(text: str, kind: str, inner: str | None = None) -> Any:
    """The value that a text spells for a parameter of a type; the text itself if it spells none.

    A `ValueError` for a type that the checker does not know, and for numbers beyond reading.
    """
    if kind in COLLECTIONS and len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    match kind:
        case "String":
            return text[1:-1] if _quoted(text) else text
        case "integer":
            return int(text) if _WHOLE.match(text) else text
        case "float":
            return float(text) if _FLOAT.match(text) else text
        case "Bigint":
            return int(text[:-1]) if _BIG.match(text) else text
        case "Boolean":
            return text == "true" if text in ("true", "false") else text
        case "dict":
            return _object(text.strip())
        case "array":
            return _array(text.strip(), inner)
        case "any":
            return text
        case _:
            raise ValueError(f"BFCL's checker cannot read a {kind}")


def _quoted(text: str) -> bool:
    return any(text.startswith(quote) and text.endswith(quote) for quote in "\"'")


def _array(text: str, inner: str | None) -> Any:
    """`[1, 2]`, `new Array(1, 2)` or a list of lists; anything else is left as it is."""
    try:
        whole = _list_of_lists(text)
        if whole is not None:
            # The pattern starts anew after each bracket, so the first inner list may begin
            # with the outer one's bracket.
            found = [one.strip() for one in _INNER.findall(whole)]
            found[:1] = [found[0].removeprefix("[")]
            return [[_bare(item.strip()) for item in one.split(",")] for one in found]
        inside = _inside(text)
        if inside is None:
            return text
        items = inside.strip().split(",") if inside.strip() else []
        if inner:
            return [read(item.strip(), inner) for item in items]
        return [_bare(item.strip()) for item in items]
    except ValueError:
        return text


def _inside(text: str) -> str | None:
    """What stands in the brackets at the text's beginning; None without any."""
    for opening, closing in ((re.compile(r"\["), "]"), (_NEW, ")")):
        start = opening.match(text)
        if start:
            end = _in_line(text, closing, start.end())
            if end >= 0:
                return text[start.end() : end]
    return None


def _list_of_lists(text: str) -> str | None:
    """The part at the text's beginning that is a list of lists; None if there is none."""
    for opening, closing in (
        (re.compile(r"\[\s*\["), "]"),
        (re.compile(r"new\s+Array\(\s*\["), ")"),
    ):
        start = opening.match(text)
        if start:
            end = _end_of_lists(text, start.end(), closing)
            if end is not None:
                return text[:end]
    return None


def _end_of_lists(text: str, start: int, closing: str) -> int | None:
    """Where `...], [...], [...]` and the closing bracket end, the first list having begun.

    As a backtracking pattern would find it: every inner list is as short as the rest
    allows. Worked out from the text's end, so that each place is looked at once.
    """
    # after[p]: where all ends if an inner list has just closed before p; within[p]: if one
    # is open at p. A list does not reach over the end of a line.
    after: list[int | None] = [None] * (len(text) + 2)
    within: list[int | None] = [None] * (len(text) + 2)
    solid = len(text)  # the next place that is no blank
    bracket = [0] * (len(text) + 2)
    for p in range(len(text) - 1, start - 1, -1):
        letter = text[p]
        solid = solid if letter.isspace() else p
        bracket[p] = solid
        if solid < len(text):
            mark = text[solid]
            if mark == closing:
                after[p] = solid + 1
            elif mark == ",":
                opened = bracket[solid + 1] if solid + 1 < len(text) else len(text)
                if opened < len(text) and text[opened] == "[":
                    after[p] = within[opened + 1]
        if letter == "\n":
            within[p] = None
        elif letter == "]" and after[p + 1] is not None:
            within[p] = after[p + 1]
        else:
            within[p] = within[p + 1]
    return within[start] if start <= len(text) else None


def _object(text: str) -> Any:
    """`{a: 1, 'b': 'x'}`, up to the first closing brace; anything else is left as it is."""
    if not text.startswith("{"):
        return text
    end = _in_line(text, "}", 1)
    if end < 0:
        return text
    try:
        return {k.strip().strip("'\""): _member(v.strip()) for k, v in _pairs(text[1:end])}
    except ValueError:
        return text


def _member(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return _array(text, None)
    return _bare(text.strip("'\"").strip())


def _pairs(body: str) -> list[tuple[str, str]]:
    """Key and value texts: a value ends at the comma before the next key, or with the body."""
    found: list[tuple[str, str]] = []
    place = 0
    while True:
        while place < len(body) and body[place] == ":":
            place += 1
        colon = body.find(":", place)
        if colon < 0:
            return found
        value = colon + 1
        while value < len(body) and body[value].isspace():
            value += 1
        end, following = _value_end(body, value)
        found.append((body[place:colon], body[value:end]))
        place = following


def _value_end(body: str, start: int) -> tuple[int, int]:
    """Where a value ends, and where what follows it begins."""
    comma = body.find(",", start)
    while comma >= 0:
        stop = body.find(",", comma + 1)
        stop = len(body) if stop < 0 else stop
        key = comma + 1
        while key < stop and body[key].isspace():
            key += 1
        if body.find(":", key + 1, stop) >= 0:
            return comma, key
        if key < stop and body[key] == ":" and key > comma + 1:
            return comma, key - 1  # a blank is the key
        comma = stop if stop < len(body) else -1
    return len(body), len(body)


def _in_line(text: str, what: str, start: int) -> int:
    found = text.find(what, start)
    return found if found >= 0 and "\n" not in text[start:found] else -1


def _bare(text: str) -> Any:
    """A value of no known type."""
    if text in ("true", "false"):
        return text == "true"
    return text[1:-1] if _quoted(text) else number(text)


def write(value: Any, kind: str, inner: str = "") -> str:
    """Source text that `read` takes for the value; a variable's name stays as it is."""
    match value:
        case list():
            return f"[{', '.join(_written(v, inner or 'String') for v in value)}]"
        case dict():
            pairs = (f"{k}: {_written(v, 'String')}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return _written(value, kind if kind != "String" else "any")


def _written(value: Any, kind: str) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'" if kind == "String" else value
        case list() | dict():
            return write(value, "array" if isinstance(value, list) else "dict")
        case _ if kind == "Bigint":
            return f"{value}n"
        case _:
            return repr(value)
