"""A conversation as one message, in the way of Hammer's evaluation: a line for each speaker.

Calls of the conversation are shown as JSON lists whatever the dialect of the run, as they are
in Hammer's data, so that protocols differ in what they score and not in what they show.
Deviation D97: the words around the conversation are ours; the data's own prompts can be asked
in place of them.
"""

from collections.abc import Iterable, Mapping

from coalm.bench.apibank.damo_rows import Line
from coalm.bench.apibank.rows import SPEAKERS, SYSTEM
from coalm.formats.dialects.json_calls import write_json_calls
from coalm.types import Dialogue, System, ToolSpec, User

YEAR = "The current year is 2023."
"""Said by the authors' prompts too: dates of the conversations lack it."""

SEARCH = (
    f"{SYSTEM} Tools are found by searching for them first; what a search has found may be "
    f"called as well. {YEAR}"
)
CALL = f"{SYSTEM} {YEAR}"
REPLY = (
    "Read the conversation and tell the user what came of the last API call. Write the reply "
    f"alone, in words. {YEAR}"
)

_NAMES: Mapping[str, str] = {"User": SPEAKERS["user"], "AI": SPEAKERS["agent"]}


def opening(system: str, lines: Iterable[Line], tools: tuple[ToolSpec, ...]) -> Dialogue:
    """The operator's words, the conversation, the tools."""
    pasted = "\n".join(text for line in lines for text in _shown(line))
    return Dialogue((System(system), User(pasted)), tools)


def _shown(line: Line) -> list[str]:
    if line.call is None:
        return [f"{_NAMES[line.speaker]}: {line.text}"] if line.text else []
    call = f"{SPEAKERS['assistant']}: {write_json_calls((line.call,))}"
    return [call, f"{SPEAKERS['tool']}: {line.result}"] if line.result else [call]
