"""`<tool_call>{...}</tool_call>`: the way of Hermes and Qwen, for models that know it."""

import json
import re
from dataclasses import dataclass

from coalm.formats.dialects.base import take_thought, write_thought
from coalm.formats.dialects.catalogue import schemas
from coalm.formats.dialects.json_calls import read_json_calls
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_CALL = re.compile(r"\s*<tool_call>(.*?)</tool_call>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hermes:
    """Words first, then one `<tool_call>` block for each call."""

    name: str = "hermes"
    stops: tuple[str, ...] = ("<tool_response>",)
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to call, then the tools as JSON Schema."""
        return (
            "You may call the tools listed between <tools> and </tools>. "
            "Put each call into its own pair of tags:\n"
            '<tool_call>\n{"name": "tool", "arguments": {"parameter": "value"}}\n</tool_call>\n'
            "Answer in words when no tool fits.\n\n"
            f"<tools>\n{schemas(tools)}\n</tools>"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, calls, in this order."""
        blocks = [
            "<tool_call>\n"
            + json.dumps({"name": c.name, "arguments": c.arguments}, ensure_ascii=False)
            + "\n</tool_call>"
            for c in turn.calls
        ]
        said = [turn.text] if turn.text else []
        return write_thought(turn.thought) + "\n".join([*said, *blocks])

    def read(self, text: str) -> Assistant | Malformed:
        """Words up to the first `<tool_call>`, then nothing but blocks."""
        thought, rest = take_thought(text)
        said, opened, _ = rest.partition("<tool_call>")
        if not opened:
            return Assistant(rest, thought)
        calls: list[ToolCall] = []
        place = len(said)
        while found := _CALL.match(rest, place):
            one = read_json_calls(found.group(1).strip())
            if one is None or len(one) != 1:
                return Malformed(text, "a <tool_call> that holds no call")
            calls += one
            place = found.end()
        if rest[place:].strip():
            return Malformed(text, "a <tool_call> that is not closed, or words after one")
        return Assistant(said.removesuffix("\n"), thought, tuple(calls))

    def observed(self, turn: Observation) -> str:
        """The tool's answer between `<tool_response>` tags."""
        return f"<tool_response>\n{turn.text}\n</tool_response>"
