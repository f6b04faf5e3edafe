"""What a dialect is: how an assistant turn is written, and read again."""

from typing import Protocol

from coalm.formats.pieces import Malformed
from coalm.types import Assistant, Observation, ToolSpec


class Dialect(Protocol):
    """How thoughts, words and calls are put into text."""

    @property
    def name(self) -> str:
        """The name in recipes."""
        ...

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings that no turn of this dialect contains, at which sampling may end."""
        ...

    @property
    def as_given(self) -> bool:
        """Whether rows are shown as they are given: always as rows, and no line has a label."""
        ...

    def instructions(self, tools: tuple[ToolSpec, ...]) -> str:
        """What the system message says of the tools and of how to call them."""
        ...

    def write(self, turn: Assistant) -> str:
        """The turn as the model is to write it."""
        ...

    def read(self, text: str) -> Assistant | Malformed:
        """What was meant by a text; never raises, whatever the text is."""
        ...

    def observed(self, turn: Observation) -> str:
        """A tool's answer as the model is shown it."""
        ...


def write_thought(thought: str) -> str:
    """`<think>...</think>` and a line break, or nothing."""
    return f"<think>{thought}</think>\n" if thought else ""


def take_thought(text: str) -> tuple[str, str]:
    """A leading `<think>...</think>` and the rest; an unclosed one is all thought."""
    if not text.startswith("<think>"):
        return "", text
    thought, closed, rest = text.removeprefix("<think>").partition("</think>")
    return (thought, rest.removeprefix("\n")) if closed else (thought, "")


def unfenced(text: str) -> str:
    """The inside of a code fence, where a model put its whole answer into one."""
    stripped = text.strip()
    if len(stripped) < 6 or not (stripped.startswith("```") and stripped.endswith("```")):
        return text
    inside = stripped[3:-3]
    first, newline, rest = inside.partition("\n")
    return rest if newline and first.strip().isalnum() else inside
