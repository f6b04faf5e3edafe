"""`Thought:`, `Action:`, `Observation:`, `System:`: the lines of the paper's CRA rows.

Paper 3 and Table 6. An action is `name(a='x', b=2)`; several actions are several lines.
"""

import re
from dataclasses import dataclass

from coalm.formats.dialects.calls import NotCalls, read_calls, write_calls
from coalm.formats.dialects.catalogue import signatures
from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolCall, ToolSpec

_LABEL = re.compile(r"^(Thought|Action|System|Observation):(?: |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ReAct:
    """One labelled line for each part of a turn."""

    name: str = "react"
    stops: tuple[str, ...] = ("\nObservation:",)
    as_given: bool = False

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """How to think, act and answer, then the tools as signatures."""
        return (
            "Begin with a line 'Thought:' that says what is needed next. Then either call a tool "
            "in a line such as Action: tool(parameter='value'), and its result comes back as an "
            "observation, or speak to the user in a line 'System:'.\n\n"
            f"Tools:\n{signatures(tools)}"
        )

    def write(self, turn: Assistant) -> str:
        """Thought, words, actions, in this order."""
        lines = [f"Thought: {turn.thought}"] if turn.thought else []
        if turn.text or not turn.calls:
            lines.append(f"System: {turn.text}")
        lines += [f"Action: {write_calls((call,))}" for call in turn.calls]
        return "\n".join(lines)

    def read(self, text: str) -> Assistant | Malformed:
        """Labelled parts; an answer without any label is words."""
        labels = list(_LABEL.finditer(text))
        if not labels:
            return Assistant(text)
        parts: dict[str, list[str]] = {"Thought": [], "Action": [], "System": []}
        ends = [label.start() - 1 for label in labels[1:]] + [len(text)]
        for label, end in zip(labels, ends, strict=True):
            if label.group(1) == "Observation":
                break  # the model began to play the tool; what it made up is not its turn
            parts[label.group(1)].append(text[label.end() : max(end, label.end())])
        try:
            calls = tuple(call for line in parts["Action"] for call in _one(line))
        except NotCalls as e:
            return Malformed(text, f"an action that is not a call: {e}")
        return Assistant("\n".join(parts["System"]), "\n".join(parts["Thought"]), calls)

    def observed(self, turn: Observation) -> str:
        """`Observation:` and the tool's answer."""
        return f"Observation: {turn.text}"


def _one(line: str) -> tuple[ToolCall, ...]:
    calls = read_calls(line)
    if len(calls) != 1:
        raise NotCalls(f"{len(calls)} calls in one line")
    return calls
