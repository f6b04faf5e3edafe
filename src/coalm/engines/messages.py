"""Dialogues as chat messages and tools of the OpenAI API, and its tool calls as turns.

The API takes no dots in a function's name, so each name is mapped to an allowed one, a
table for each request, and mapped back. What cannot be said there is said in words: a
result that belongs to no call comes from the user.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from coalm.endpoints import Answer, ToolUse
from coalm.formats import Malformed
from coalm.formats.chat import opening_text
from coalm.formats.dialects import Dialect
from coalm.formats.dialects.calls import DEEPEST, LONGEST, sound
from coalm.types import Assistant, Dialogue, Json, Observation, System, ToolCall, ToolSpec, User

_REFUSED = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """Function names as an API takes them, and as they were."""

    allowed: Mapping[str, str]
    """By our name, theirs."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """A table for some names; no two of them get the same."""
        names = list(dict.fromkeys(names))
        # A name that is fine as it is keeps it, whatever others would be mapped to.
        allowed = {name: name for name in names if _fits(name)}
        taken = set(allowed)
        for name in names:
            if name in allowed:
                continue
            short = _REFUSED.sub("_", name)[:_LONGEST_NAME] or "_"
            if short in taken or len(name) > _LONGEST_NAME:
                mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
                short = f"{short[: _LONGEST_NAME - 9]}_{mark}"
            taken.add(short)
            allowed[name] = short
        return cls(allowed)

    def ours(self, name: str) -> str:
        """The name that an API's name stands for; one that nobody offered stays as it is."""
        return next((mine for mine, theirs in self.allowed.items() if theirs == name), name)


def names_of(dialogue: Dialogue) -> Names:
    """The table of a dialogue: its tools, and what its assistant has called."""
    called = (c.name for t in dialogue.turns if isinstance(t, Assistant) for c in t.calls)
    return Names.of([*(tool.name for tool in dialogue.tools), *called])


def native(dialogue: Dialogue, names: Names) -> list[Message]:
    """The turns as messages, calls as tool calls. Thoughts stay with whoever had them."""
    messages: list[Message] = []
    waiting: list[str] = []  # ids of calls that have no result yet
    for turn in dialogue.turns:
        if not isinstance(turn, Observation):
            # The API wants a result for each call before anything else is said.
            messages += [_result(id, "") for id in waiting]
            waiting = []
        match turn:
            case System(text):
                messages.append({"role": "system", "content": text})
            case User(text):
                messages.append({"role": "user", "content": text})
            case Observation(text):
                messages.append(_result(waiting.pop(0), text) if waiting else _said(text))
            case Assistant():
                waiting = [f"call_{len(messages)}_{n}" for n in range(len(turn.calls))]
                messages.append(_spoken(turn, waiting, names))
            case _:
                assert_never(turn)
    return _joined(messages)


def prompted(dialogue: Dialogue, dialect: Dialect) -> list[Message]:
    """The turns as messages of plain text, tools and calls as a dialect writes them."""
    opening = opening_text(dialogue, dialect)
    messages = [{"role": "system", "content": opening}] if opening else []
    first = dialogue.turns[:1]
    rest = dialogue.turns[1:] if first and isinstance(first[0], System) else dialogue.turns
    for turn in rest:
        match turn:
            case System(text):
                messages.append({"role": "system", "content": text})
            case User(text):
                messages.append({"role": "user", "content": text})
            case Observation():
                messages.append(_said(dialect.observed(turn)))
            case Assistant():
                messages.append({"role": "assistant", "content": dialect.write(turn)})
            case _:
                assert_never(turn)
    return _joined(messages)


def offered(tools: Sequence[ToolSpec], names: Names) -> list[dict[str, Any]]:
    """Tools as the API takes them."""
    return [
        {
            "type": "function",
            "function": {
                "name": names.allowed[tool.name],
                "description": tool.description,
                "parameters": {
                    "type": "object",
                    "properties": {},
                    **_portable(tool.parameters),
                },
            },
        }
        for tool in tools
    ]


def turn_of(answer: Answer, names: Names) -> Assistant | Malformed:
    """What an answer means: words, thought and calls; `Malformed` for arguments that are none."""
    calls = []
    for use in answer.calls:
        try:
            calls.append(ToolCall(names.ours(use.name), _arguments(use)))
        except (ValueError, TypeError, RecursionError) as e:
            why = f"the arguments of {use.name[:64]!r} are no JSON object: {str(e)[:120]}"
            return Malformed(written(answer, names), why)
    return Assistant(answer.text or answer.refusal, answer.reasoning, tuple(calls))


def written(answer: Answer, names: Names) -> str:
    """An answer as one text: its words, then its calls as the dialect `json` writes them.

    Arguments are as they came, readable or not.
    """
    text = answer.text or answer.refusal
    if not answer.calls:
        return text
    calls = (
        f'{{"name": {json.dumps(names.ours(use.name), ensure_ascii=False)}, '
        f'"arguments": {use.arguments or "{}"}}}'
        for use in answer.calls
    )
    return f"{text}{chr(10) if text else ''}[{', '.join(calls)}]"


def _fits(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and not _REFUSED.search(name)


def _result(id: str, text: str) -> Message:
    return {"role": "tool", "tool_call_id": id, "content": text}


def _said(text: str) -> Message:
    return {"role": "user", "content": text, "observed": True}


def _spoken(turn: Assistant, ids: Sequence[str], names: Names) -> Message:
    message: Message = {"role": "assistant", "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": id,
                "type": "function",
                "function": {
                    "name": names.allowed[call.name],
                    "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
                },
            }
            for id, call in zip(ids, turn.calls, strict=True)
        ]
    return message


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Results in words that follow each other become one message; the mark on them goes."""
    found: list[Message] = []
    before = False
    for message in messages:
        plain = {k: v for k, v in message.items() if k != "observed"}
        observed = "observed" in message
        if observed and before:
            found[-1]["content"] += f"\n{plain['content']}"
        else:
            found.append(plain)
        before = observed
    return found


def _arguments(use: ToolUse) -> dict[str, Json]:
    """The arguments of a call; nothing at all means that there are none."""
    if len(use.arguments) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    value = json.loads(use.arguments, parse_constant=_refuse) if use.arguments.strip() else {}
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")  # noqa: TRY004  one kind, caught above
    sound([use.name, value])
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _portable(schema: Mapping[str, Json], depth: int = 0) -> dict[str, Json]:
    """The schema with `items` at every array: several endpoints refuse one without."""
    found: dict[str, Json] = dict(schema)
    if depth > DEEPEST:
        return found
    if found.get("type") == "array":
        found.setdefault("items", {})
    inner = found.get("properties")
    if isinstance(inner, dict):
        found["properties"] = {
            name: _portable(one, depth + 1) if isinstance(one, dict) else one
            for name, one in inner.items()
        }
    items = found.get("items")
    if isinstance(items, dict):
        found["items"] = _portable(items, depth + 1)
    return found
