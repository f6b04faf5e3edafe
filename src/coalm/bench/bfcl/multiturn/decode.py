"""What a model wrote, as calls in text: `["cd(folder='a')", "ls()"]`.

The official harness reads an answer in two ways: what a prompted model wrote as Python
(`reading.read_python`), what a function-calling model gave as names with JSON. Both end
in the text of calls, which is then run, so both are written out here as it writes them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from coalm.bench.bfcl.reading import UNREADABLE, read_python
from coalm.types import ToolCall


def decoded(step: object) -> list[str]:
    """The calls of one step; none where it cannot be read as calls.

    A text is what a prompted model wrote, a list of objects what a function-calling model
    gave, a list of texts calls that have been decoded already.
    """
    try:
        match step:
            case str():
                return from_text(step)
            case dict():
                return from_objects([step])
            case [dict(), *_]:
                return from_objects(step)
            case [""]:
                return []
            case [str(), *_] if all(isinstance(call, str) for call in step):
                return [str(call) for call in step]
    except UNREADABLE:
        return []
    return []


def from_calls(calls: Sequence[ToolCall]) -> list[str]:
    """Calls that our formats have read, as text."""
    return [_written(call.name, call.arguments) for call in calls]


def from_text(text: str) -> list[str]:
    """What a prompted model wrote; `Unreadable` or another of `UNREADABLE` if it is no calls."""
    return [_call(call.name, call.arguments) for call in read_python(text)]


def from_objects(step: Sequence[Any]) -> list[str]:
    """`[{"name": "{json arguments}"}]`; one of `UNREADABLE` if it is anything else."""
    calls = []
    for one in step:
        for name, given in one.items():
            arguments = json.loads(given) if isinstance(given, str) else given
            calls.append(_written(name, dict(arguments.items())))
    return calls


def _written(name: str, arguments: Mapping[str, Any]) -> str:
    return f"{name}({','.join(f'{k}={v!r}' for k, v in arguments.items())})"


def _call(name: Any, arguments: Mapping[Any, Any]) -> str:
    return f"{name}({', '.join(f'{k}={_text(v)}' for k, v in arguments.items())})"


def _text(value: Any) -> str:
    """A value as the official writer puts it into the text of a call.

    It takes an object all of whose values are objects for a nested call, named by its
    first key; so an empty object is an error, and the step holds no calls.
    """
    if not isinstance(value, dict):
        return repr(value)
    if all(isinstance(item, dict) for item in value.values()):
        name = next(iter(value), None)
        if name is None:
            raise ValueError("an empty object")
        return _call(name, value[name])
    return "{" + ", ".join(f"'{k}': {_text(v)}" for k, v in value.items()) + "}"
