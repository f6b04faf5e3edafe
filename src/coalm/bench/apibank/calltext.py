"""Calls as API-Bank writes them: `[Name(key='value', ...)]`, every value between quotes.

The data's own calls hold lists between the same quotes, `attendees='['Ann', 'Bob']'`, which
no Python reader takes and upstream's regular expression cuts after the first bracket. So
a text that is not Python is read again by its structure: a value ends at the quote that is
followed by `, key=` or by the end.
"""

import re

from coalm.formats.dialects.calls import DEEPEST, LONGEST, NotCalls, read_calls
from coalm.types import Json, ToolCall

MARK = "API-Request:"
"""What stands before a call in the data."""

_CALL = re.compile(r"\[\s*(\w{1,80})\s*\(")
_KEY = re.compile(r"(?:\A|,)\s*(\w{1,80})\s*=\s*")
_BARE = re.compile(r"[\w.+-]+|\[[^\n]*\]")
_QUOTES = "'\""


def read_call(text: str) -> ToolCall:
    """The one call of a text such as `API-Request: [f(a='x')]`; `NotCalls` says why there is none.

    What stands before the bracket and after it says nothing, as upstream.
    """
    if len(text) > LONGEST:
        raise NotCalls(f"longer than {LONGEST} characters")
    begun = _CALL.search(text)
    if begun is None:
        raise NotCalls("no call in brackets")
    end = text.rfind(")]")
    if end < begun.end():
        raise NotCalls("the call is not closed")
    inside = text[begun.start() + 1 : end + 1]
    try:
        calls = read_calls(inside)
    except NotCalls:
        return ToolCall(begun.group(1), _by_structure(text[begun.end() : end]))
    if len(calls) != 1:
        raise NotCalls(f"{len(calls)} calls in place of one")
    return calls[0]


def write_call(call: ToolCall) -> str:
    """The call as the data writes it."""
    said = ", ".join(f"{name}='{value}'" for name, value in call.arguments.items())
    return f"[{call.name}({said})]"


def _by_structure(text: str) -> dict[str, Json]:
    """Arguments between keys; each value is a text, without the quotes around it."""
    keys = [found for found in _KEY.finditer(text) if _begins(text, found)]
    if text.strip() and (not keys or text[: keys[0].start()].strip()):
        raise NotCalls("an argument without a name")
    found: dict[str, Json] = {}
    ends = [key.start() for key in keys[1:]] + [len(text)]
    for key, end in zip(keys, ends, strict=True):
        value = text[key.end() : end].strip()
        if key.group(1) in found:
            raise NotCalls(f"the argument {key.group(1)!r} is given twice")
        found[key.group(1)] = _value(value)
    return found


def _value(text: str) -> str:
    """What stands between quotes; without quotes, a word, a number or a list."""
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        if text.isprintable() and text.count("[") <= DEEPEST:
            return text[1:-1]
    elif _BARE.fullmatch(text) and text.count("[") <= DEEPEST:
        return text
    raise NotCalls(f"not a value: {text[:40]!r}")


def _begins(text: str, key: re.Match[str]) -> bool:
    """Whether a key follows the end of a value: a quote, a bracket, a word, or nothing."""
    before = text[: key.start()].rstrip()
    return not before or before[-1] in "'\")]}" or before[-1].isalnum()
