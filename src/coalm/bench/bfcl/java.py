"""Java source text and the values that BFCL's checker takes it for, both ways.

The checker's reading is by pattern and has its oddities; they are kept, since they decide
verdicts. Every search here is linear or nearly so: the checker's own patterns can be made
to run for hours by a text of a few hundred letters.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

TYPES: Mapping[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "float": float,
    "double": float,
    "long": int,
    "boolean": bool,
    "char": str,
    "Array": list,
    "ArrayList": list,
    "Set": set,
    "HashMap": dict,
    "Hashtable": dict,
    "Queue": list,
    "Stack": list,
    "String": str,
    "any": str,
}
"""The Python type that a value of each type becomes."""

NESTED = frozenset({"Array", "ArrayList"})
"""Types whose items have a type of their own."""

COLLECTIONS = frozenset({"Array", "ArrayList", "HashMap"})
LONGEST = 2000
"""Characters of a collection's text that are looked at; the longest right one has 160."""

_NUMBER = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?"
_WHOLE = re.compile(r"^-?\d+$")
_LONG = re.compile(r"^-?\d+[lL]$")
_FLOAT = re.compile(_NUMBER + r"[fF]$")
_DOUBLE = re.compile(_NUMBER + r"$")

_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\(")
_ADDING = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{")
_NEW_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_ADD = re.compile(r"add\((.+?)\)")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{")
_NEW_MAP = re.compile(r"new\s+HashMap<")
_MAP_BODY = re.compile(r"\s*\(\)\s*\{\s*\{?\s*")
_MAP_EMPTY = re.compile(r"\s*\(\)")


def read(text: str, kind: str, inner: str | None = None) -> Any:
    """The value that a text spells for a parameter of a type; the text itself if it spells none.

    A `ValueError` for the types that the checker cannot read, and for numbers beyond reading.
    """
    if kind in COLLECTIONS and len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    match kind:
        case "byte" | "short" | "integer":
            return int(text) if _WHOLE.match(text) else text
        case "long":
            return int(text.rstrip("\n")[:-1]) if _LONG.match(text) else text
        case "float":
            return float(text.rstrip("\n")[:-1]) if _FLOAT.match(text) else text
        case "double":
            return float(text) if _DOUBLE.match(text) else text
        case "boolean":
            return text == "true" if text in ("true", "false") else text
        case "char" | "String" | "any":
            return text
        case "Array":
            return _array(text, inner)
        case "ArrayList":
            return _list(text, inner)
        case "HashMap":
            return _map(text)
        case _:
            raise ValueError(f"BFCL's checker cannot read a {kind}")


def _array(text: str, inner: str | None) -> Any:
    """`new int[]{1, 2}`, split at every comma."""
    for found in _ARRAY.finditer(text):
        end = _in_line(text, "}", found.end())
        if end >= 0:
            items = (item.strip() for item in text[found.end() : end].split(","))
            return [_item(item, inner, quoted=False) for item in items if item]
    return text


def _list(text: str, inner: str | None) -> Any:
    """`new ArrayList<>(Arrays.asList(1, 2))`, or one with calls of `add` in double braces."""
    for found in _AS_LIST.finditer(text):
        end = _in_line(text, "))", found.end() + 1)
        if end >= 0 and text[found.end()] != "\n":
            items = text[found.end() : end].split(",")
            return [_item(item.strip(), inner, quoted=True) for item in items]
    for found in _ADDING.finditer(text):
        start = found.end()
        while start < len(text) and text[start].isspace():
            start += 1
        end = text.find("}}", start + 1)
        if end >= 0:
            added = _ADD.findall(text[start:end])
            return [_item(item.strip(), inner, quoted=True) for item in added]
    return [] if _NEW_LIST.search(text) else text


def _item(text: str, inner: str | None, *, quoted: bool) -> Any:
    """One item; a list's texts and letters lose their first and last letter, quotes or not."""
    if inner is None:
        return _bare(text)
    if quoted and inner in ("char", "String"):
        return text[1:-1]
    return read(text, inner)


def _map(text: str) -> Any:
    """`new HashMap<>() {{ put("a", 1); }}`, up to the first closing brace."""
    for found in _NEW_MAP.finditer(text):
        for body in _after(text, found.end(), _MAP_BODY):
            end = text.find("}", body.end())
            if end >= 0:
                return {k: _bare(v.strip()) for k, v in _puts(text[body.end() : end].rstrip())}
    empty = (
        "\n" not in text[start.end() : end.start() - 1]
        for start in _NEW_MAP.finditer(text)
        for end in _after(text, start.end(), _MAP_EMPTY)
    )
    return {} if any(empty) else text


def _after(text: str, start: int, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """What follows each `>` from a place on, where it is of a kind."""
    ends = (at + 1 for at in range(start, len(text)) if text[at] == ">")
    return [found for end in ends if (found := pattern.match(text, end))]


def _puts(body: str) -> list[tuple[str, str]]:
    """Key and value text of each `put("key", value)`."""
    found: list[tuple[str, str]] = []
    place = 0
    while (start := body.find('put("', place)) >= 0:
        place = start + 5
        split, end = _in_line(body, '",', place), -1
        while split >= 0 and end < 0:
            value = split + 2
            while value < len(body) and body[value].isspace():
                value += 1
            end = _in_line(body, ")", value)
            if end >= 0:
                found.append((body[place:split], body[value:end]))
                place = end + 1
            else:  # blanks may hide a line's end, so that a later `",` has better luck
                split = _in_line(body, '",', split + 1)
    return found


def _in_line(text: str, what: str, start: int) -> int:
    """Where `what` comes next without a line's end before it; -1 if it does not."""
    found = text.find(what, start)
    return found if found >= 0 and "\n" not in text[start:found] else -1


def _bare(text: str) -> Any:
    """A value of no known type: a truth value, a text in quotes, a number, else the text."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if _LONG.match(text):
        return int(text[:-1])
    if _FLOAT.match(text):
        return float(text.rstrip("\n")[:-1])
    return number(text)


def number(text: str) -> Any:
    """A number as Python reads it, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def write(value: Any, kind: str, inner: str = "") -> str:
    """Source text that `read` takes for the value; a variable's name stays as it is."""
    if isinstance(value, list):
        items = ", ".join(_written(v, inner, quoted=kind == "ArrayList") for v in value)
        if kind == "Array":
            return f"new {_NAMES.get(inner, inner or 'Object')}[]{{{items}}}"
        return f"new ArrayList<>(Arrays.asList({items}))" if value else "new ArrayList<>()"
    if isinstance(value, dict):
        puts = "".join(f' put("{k}", {_written(v, "", quoted=True)});' for k, v in value.items())
        return f"new HashMap<String, Object>() {{{{{puts} }}}}"
    return _written(value, kind, quoted=False)


def _written(value: Any, kind: str, *, quoted: bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if quoted and kind in ("", "String", "char") else value
    ends: Mapping[str, Callable[[Any], str]] = {
        "long": lambda v: f"{v}L",
        "float": lambda v: f"{v}f",
        "double": lambda v: repr(float(v)),
    }
    return ends.get(kind, repr)(value)


_NAMES = {"integer": "int", "any": "Object", "boolean": "boolean"}
"""Type names of Java where BFCL has others."""
