"""A raw answer in a result file becomes calls, as the official handlers make them.

Prompted models leave text; models with function calling of their own leave a list of
`{"name": "{json arguments}"}` objects, or text where they called nothing.
"""

import json
from typing import Any, Literal

from coalm.bench.bfcl.categories import Language
from coalm.bench.bfcl.grammars import read_source
from coalm.bench.bfcl.reading import (
    LONGEST,
    UNREADABLE,
    Refused,
    Unreadable,
    deeper,
    read_python,
)
from coalm.formats.dialects.calls import DEEPEST
from coalm.types import ToolCall

Style = Literal["prompt", "fc"]
"""Whether a model was prompted for text, or called functions by its own interface."""


def calls_of(answer: object, style: Style, language: Language = "python") -> tuple[ToolCall, ...]:
    """The calls of a raw answer; `Unreadable` where the official handlers find none to read."""
    if style == "fc":
        return _called(answer)
    if not isinstance(answer, str):
        raise Unreadable(f"{type(answer).__name__} where text is due")
    return read_python(answer) if language == "python" else read_source(answer, language)


def _called(answer: object) -> tuple[ToolCall, ...]:
    if answer in ("", {}):
        return ()
    if not isinstance(answer, list):
        raise Unreadable("words and no call")
    return tuple(_one(call) for call in answer)


def _one(call: object) -> ToolCall:
    """The first name of an object, with its arguments as JSON text or as an object."""
    if not isinstance(call, dict) or not call:
        raise Unreadable("a call without a name")
    name, given = next(iter(call.items()))
    arguments = _json(given) if isinstance(given, str) else given
    if type(arguments) is not dict:
        raise Unreadable(f"arguments of {str(name)[:60]!r} that are no object")
    return ToolCall(str(name), arguments)


def _json(text: str) -> Any:
    if len(text) > LONGEST or deeper(text, DEEPEST):
        raise Refused(f"arguments longer than {LONGEST} characters or deeper than {DEEPEST}")
    try:
        return json.loads(text)
    except UNREADABLE as e:
        raise Unreadable(f"arguments that are no JSON: {str(e)[:80]}") from None
