"""`sharegpt`: LLaMA-Factory's conversations with function_call and observation.

User's side and assistant's side take turns there, a call is JSON alone, and a thought
before it stands between tags that its templates take off again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coalm import store
from coalm.errors import FormatError
from coalm.export.base import (
    JOINED,
    NO_ANSWER,
    NOTHING_CALLED,
    Column,
    Manner,
    Said,
    Unsaid,
    after_opening,
    alternating,
    answered,
    cannot_write,
    dataset_info,
    given_whole,
    whole_row,
    written,
)
from coalm.types import Assistant, Dialogue, Observation, Sample, System, ToolSpec, User

_SIDES = {"user": "human", "tool": "observation", "assistant": "gpt"}

PLAIN_TOOLS = (
    "a tool that LLaMA-Factory's plainest tool format cannot list (choices that are no text); "
    "those of qwen, llama3 and others can"
)


@dataclass(frozen=True, slots=True)
class ShareGpt:
    """One row for a conversation: turns, the system message, the tools as JSON text."""

    name: str = "sharegpt"
    columns: Mapping[str, Column] = field(
        default_factory=lambda: {"conversations": "speech", "system": "text", "tools": "text"}
    )
    readers: str = "LLaMA-Factory; TRL reads the turns, though not what is a call"

    def say(self, sample: Sample, manner: Manner) -> Said | Unsaid:
        """A row of the whole conversation."""
        if given_whole(sample):
            return self._given(sample)
        dialogue, remarks = answered(sample.dialogue)
        if not dialogue.turns:
            return NO_ANSWER
        said = self._text(sample, dialogue, manner) if manner.dialect else self._fields(dialogue)
        return said if isinstance(said, Unsaid) else Said(said.rows, (*remarks, *said.remarks))

    def _given(self, sample: Sample) -> Said | Unsaid:
        found = whole_row(sample)
        if found is None:
            return Unsaid("a row given whole that is not instruction, input and output")
        # Paper 4.1: a published row is shown as one message of the user.
        asked = "\n\n".join(part for part in found[:2] if part)
        return Said((self._row([("human", asked), ("gpt", found[2])], "", "[]"),))

    def _text(self, sample: Sample, dialogue: Dialogue, manner: Manner) -> Said | Unsaid:
        """Everything written out in a dialect; the tools stand in the system message."""
        spoken = manner.spoken(sample)
        try:
            opening, turns = written(dialogue, spoken)
        except FormatError:
            return cannot_write(spoken)
        sides = alternating(turns)
        if isinstance(sides, Unsaid):
            return sides
        said = [(_SIDES[role], text) for role, text in sides[0]]
        return Said((self._row(said, opening, "[]"),), (JOINED,) if sides[1] else ())

    def _fields(self, dialogue: Dialogue) -> Said | Unsaid:
        """Calls and results in turns of their own, the tools in a column."""
        remarks: list[str] = []
        said: list[tuple[str, str]] = []
        results: list[str] = []
        for turn in after_opening(dialogue):
            if isinstance(turn, Observation):
                results.append(turn.text)
                if len(results) > 1:
                    remarks.append(JOINED)
                    said.pop()
                said.append(("observation", _results(results)))
                continue
            results = []
            match turn:
                case System():
                    return Unsaid("a system message within the conversation")
                case User(text):
                    said.append(("human", text))
                case Assistant(text, thought, calls):
                    if text and calls:
                        return Unsaid("words beside a call")
                    if not text and not calls:
                        remarks.append(NOTHING_CALLED)
                    kind = "function_call" if calls else "gpt"
                    said.append((kind, _thought(thought) + (_calls(turn) or text or "[]")))
        shape = _shape(said)
        if shape is not None:
            return shape
        if any(not _listable(tool) for tool in dialogue.tools):
            remarks.append(PLAIN_TOOLS)
        first = dialogue.turns[0]
        system = first.text if isinstance(first, System) else ""
        row = self._row(said, system, store.compact([_tool(t) for t in dialogue.tools]))
        return Said((row,), tuple(dict.fromkeys(remarks)))

    def _row(self, said: Sequence[tuple[str, str]], system: str, tools: str) -> Mapping[str, Any]:
        turns = [{"from": side, "value": text} for side, text in said]
        return dict(zip(self.columns, (turns, system, tools), strict=True))

    def beside(self, name: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """LLaMA-Factory's entry."""
        told = {
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                "observation_tag": "observation",
                "function_tag": "function_call",
            },
        }
        return {"dataset_info.json": dataset_info(name, files, told)}


def _shape(said: Sequence[tuple[str, str]]) -> Unsaid | None:
    """Why the sides do not take turns; None if they do."""
    roles = [("assistant" if s in ("gpt", "function_call") else s, text) for s, text in said]
    sides = alternating(roles)
    return sides if isinstance(sides, Unsaid) else None


def _thought(thought: str) -> str:
    # With these line breaks: its templates find a thought by them.
    return f"<think>\n{thought}\n</think>\n\n" if thought else ""


def _calls(turn: Assistant) -> str:
    """One call as an object, several as a list."""
    made = [{"name": call.name, "arguments": dict(call.arguments)} for call in turn.calls]
    if not made:
        return ""
    return json.dumps(made[0] if len(made) == 1 else made, ensure_ascii=False)


def _results(results: Sequence[str]) -> str:
    """One result as it is, several as a JSON list, each as the value that it writes."""
    if len(results) == 1:
        return results[0]
    return json.dumps([_value(text) for text in results], ensure_ascii=False)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tool(tool: ToolSpec) -> dict[str, Any]:
    empty = {"type": "object", "properties": {}}
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {**empty, **tool.parameters},
    }


def _listable(tool: ToolSpec) -> bool:
    """Whether every parameter's choices can be joined as text."""
    for schema in tool.properties.values():
        if not isinstance(schema, dict):
            return False
        choices = schema.get("enum")
        if choices and not (isinstance(choices, list) and all(isinstance(c, str) for c in choices)):
            return False
    return True
