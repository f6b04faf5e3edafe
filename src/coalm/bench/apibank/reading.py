"""What calls an answer holds, whatever way of writing it is in; and if none, why.

Where a prompt fixes the dialect, an answer in another one is a mistake of form. Predictions
that others left, and prompts of the data's own, allow several, so there every answer is tried
in each: our dialects, `[Name(key='value')]` as API-Bank writes it, and ToolRL's lines of JSON
with `parameters` between tags.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coalm.bench.apibank.calltext import MARK, read_call
from coalm.formats import DIALECTS, Malformed
from coalm.formats.dialects.base import take_thought
from coalm.formats.dialects.calls import LONGEST, NotCalls, sound
from coalm.types import Assistant, ToolCall

Reason = Literal["", "cut off", "bad value", "too large", "other form"]
"""Why an answer that seems to call cannot be read; empty where it can."""

REASONS: tuple[Reason, ...] = ("cut off", "bad value", "too large", "other form")

FORMS = ("json", "hermes", "react", "pythonic", "api-bank", "toolrl")
"""Every way of writing, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of an answer."""

    calls: tuple[ToolCall, ...] = ()
    form: str = ""
    """Which way of writing the calls are in; empty where there are none."""
    text: str = ""
    """The words, where there are no calls."""
    reason: Reason = ""
    why: str = ""
    """What is wrong, for a person."""


def read(text: str, forms: Sequence[str] = FORMS) -> Read:
    """The calls of an answer in the first form that finds some; never raises."""
    faults: list[str] = []
    for form in forms:
        turn = _in_form(text, form)
        if isinstance(turn, Malformed):
            faults.append(turn.why)
        elif turn.calls:
            return Read(turn.calls, form)
    if faults:
        return Read(reason=reason_of(text, faults[0]), why=faults[0], text=text)
    plain = _in_form(text, forms[0])
    return Read(text=plain.text if isinstance(plain, Assistant) else text)


def reason_of(text: str, why: str) -> Reason:
    """The reason in a word for what a dialect says is wrong with an answer."""
    if len(text) > LONGEST or "longer than" in why or "deeper than" in why:
        return "too large"
    if _open(text):
        return "cut off"
    return "bad value" if "not a value" in why else "other form"


def toolrl_calls(text: str) -> list[ToolCall | dict[str, Any]]:
    """What ToolRL's script takes for calls: JSON objects, a line each, after the last tag.

    An object that is no call stands for itself; the script compares it with the arguments.
    """
    if len(text) > LONGEST:
        return []
    inside = text.split("<tool_call>")[-1].split("</tool_call>")[0]
    return list(_objects(inside))


def _in_form(text: str, form: str) -> Assistant | Malformed:
    match form:
        case "api-bank":
            if "[" not in text or "(" not in text:
                return Assistant(text)
            try:
                return Assistant(calls=(read_call(take_thought(text)[1]),))
            except NotCalls as e:
                # Words may hold brackets; only what begins like a call was meant as one.
                begun = text.lstrip().startswith(("[", "API-Request"))
                return Malformed(text, str(e)) if begun else Assistant(text)
        case "toolrl":
            found = toolrl_calls(text)
            return Assistant(text, calls=tuple(c for c in found if isinstance(c, ToolCall)))
        case known:
            return DIALECTS[known].read(text.lstrip().removeprefix(MARK))


def _objects(inside: str) -> Iterator[ToolCall | dict[str, Any]]:
    for line in inside.split("\n"):
        try:
            row = sound(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        name, values = row.get("name"), row.get("parameters", row.get("arguments"))
        if isinstance(name, str) and isinstance(values, dict):
            yield ToolCall(name, values)
        else:
            yield row


def _open(text: str) -> bool:
    """Whether a bracket, a quote in it or a tag was opened and never closed."""
    if text.count("<tool_call>") > text.count("</tool_call>"):
        return True
    depth, quote, escaped = 0, "", False
    for character in text:
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif depth and character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return depth > 0
