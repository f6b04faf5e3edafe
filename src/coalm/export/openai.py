"""`openai`: messages with tool_calls, and tools: what TRL, axolotl and OpenAI's API read.

A thought stands between `<think>` tags before the words, because a chat template that
knows no field for it would leave it out without a word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coalm import store
from coalm.errors import FormatError
from coalm.export.base import (
    NO_ANSWER,
    NOTHING_CALLED,
    Column,
    Manner,
    Said,
    Unsaid,
    answered,
    cannot_write,
    given_whole,
    whole_row,
    written,
)
from coalm.formats.dialects.base import take_thought, write_thought
from coalm.types import Assistant, Dialogue, Observation, Sample, System, ToolSpec, User

UNANSWERED = "a call whose result is not given apart (OpenAI's API wants one for each call)"
NAMES = "a tool's name that OpenAI's API refuses (letters, digits, _ and -, 64 at most)"

SMALL = (
    "a tool with a number under a millionth, which `datasets` makes 0 when it reads JSON Lines "
    "(--format parquet keeps it)"
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class OpenAi:
    """One row for a conversation: its messages, and its tools as JSON Schema."""

    name: str = "openai"
    columns: Mapping[str, Column] = field(
        default_factory=lambda: {"messages": "json", "tools": "json"}
    )
    readers: str = "TRL, axolotl, OpenAI's fine-tuning API"

    def say(self, sample: Sample, manner: Manner) -> Said | Unsaid:
        """A row of the whole conversation."""
        if given_whole(sample):
            found = whole_row(sample)
            if found is None:
                return Unsaid("a row given whole that is not instruction, input and output")
            # Paper 4.1: a published row is shown as one message of the user.
            asked = "\n\n".join(part for part in found[:2] if part)
            return Said((_row([_message("user", asked), _message("assistant", found[2])]),))
        dialogue, remarks = answered(sample.dialogue)
        if not dialogue.turns:
            return NO_ANSWER
        if manner.dialect:
            spoken = manner.spoken(sample)
            try:
                opening, turns = written(dialogue, spoken)
            except FormatError:
                return cannot_write(spoken)
            told = [("system", opening)] if opening else []
            return Said((_row([_message(*one) for one in (*told, *turns)]),), remarks)
        said = _messages(dialogue, manner)
        if isinstance(said, Unsaid):
            return said
        messages, more = said
        if not all(_NAME.fullmatch(tool.name) for tool in dialogue.tools):
            more = (*more, NAMES)
        if any(_small(tool.parameters) for tool in dialogue.tools):
            more = (*more, SMALL)
        return Said((_row(messages, dialogue.tools),), (*remarks, *more))

    def beside(self, name: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """axolotl's part of a configuration."""
        kind = "parquet" if any(f.endswith(".parquet") for f in files.values()) else "json"
        lines = ["# To be put into axolotl's configuration; paths are as seen from where it runs."]
        lines += ["chat_template: tokenizer_default"]
        for split, file in files.items():
            lines += [f"{'datasets' if split == 'train' else 'test_datasets'}:"]
            lines += [f"  - path: {file}", f"    ds_type: {kind}", "    split: train"]
            lines += ["    type: chat_template", "    field_messages: messages"]
            lines += ["    roles_to_train: [assistant]", "    train_on_eos: turn"]
            lines += ["    split_thinking: true  # where the template has a place for thoughts"]
        return {"axolotl.yaml": "\n".join(lines) + "\n"}


def _row(messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolSpec] = ()) -> dict[str, Any]:
    return {
        "messages": list(messages),
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in tools
        ],
    }


def _small(value: object) -> bool:
    """Whether a number in it would not survive being written with ten decimals."""
    match value:
        case float():
            return 0 < abs(value) < 1e-6
        case Mapping():
            return any(map(_small, value.values()))
        case list():
            return any(map(_small, value))
        case _:
            return False


def _message(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _messages(
    dialogue: Dialogue, manner: Manner
) -> tuple[list[dict[str, Any]], tuple[str, ...]] | Unsaid:
    """The turns with calls in fields of their own, and the remarks about them."""
    messages: list[dict[str, Any]] = []
    remarks: list[str] = []
    open_calls: list[str] = []
    made = 0
    for turn in dialogue.turns:
        if isinstance(turn, Observation):
            if not open_calls:
                return Unsaid("a result that no call asked for")
            more = {"name": turn.tool} if turn.tool else {}
            messages.append(_message("tool", turn.text, tool_call_id=open_calls.pop(0), **more))
            continue
        if open_calls:
            remarks.append(UNANSWERED)
        open_calls = []
        match turn:
            case System(text):
                messages.append(_message("system", text))
            case User(text):
                messages.append(_message("user", text))
            case Assistant(text, thought, calls):
                nothing = bool(dialogue.tools) and not text and not calls
                if nothing:
                    remarks.append(NOTHING_CALLED)
                said = _assistant("[]" if nothing else text, thought, manner)
                if isinstance(said, Unsaid):
                    return said
                open_calls = [f"call{made + n:05}" for n in range(len(calls))]
                made += len(calls)
                if calls:
                    said["tool_calls"] = [
                        _call(name, c.name, c.arguments)
                        for name, c in zip(open_calls, calls, strict=True)
                    ]
                messages.append(said)
    return messages, tuple(dict.fromkeys(remarks))


def _assistant(text: str, thought: str, manner: Manner) -> dict[str, Any] | Unsaid:
    if manner.thoughts == "reasoning_content":
        more = {"reasoning_content": thought} if thought else {}
        return _message("assistant", text, **more)
    content = write_thought(thought) + text if text else write_thought(thought).rstrip("\n")
    if take_thought(content) != (thought, text):
        return Unsaid("a thought or words that hold the tags of a thought")
    return _message("assistant", content)


def _call(name: str, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    # Nine letters and digits: Mistral's templates take no other ids.
    return {
        "id": name,
        "type": "function",
        "function": {"name": tool, "arguments": store.compact(dict(arguments))},
    }
