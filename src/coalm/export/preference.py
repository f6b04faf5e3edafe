"""Two ways to go on from a conversation, as TRL's preference trainers read them.

`prompt`, `chosen` and `rejected` are lists of messages, `tools` is beside them: TRL's
conversational preference format (DPO, reward models). Messages are those of `openai`.
"""

from typing import Any

from coalm.export.base import Manner, Unsaid
from coalm.export.openai import OpenAi
from coalm.types import Assistant, Dialogue, Sample


def preference(
    name: str, dialogue: Dialogue, chosen: Assistant, rejected: Assistant
) -> dict[str, Any] | Unsaid:
    """The row of a pair; `Unsaid` says why the format has no place for it."""
    sides = []
    for turn in (chosen, rejected):
        said = OpenAi().say(Sample(name, "own", dialogue.then(turn)), Manner())
        if isinstance(said, Unsaid):
            return said
        sides.append(said.rows[0])
    good, bad = (side["messages"] for side in sides)
    more = {"tools": sides[0]["tools"]} if "tools" in sides[0] else {}
    return {"id": name, "prompt": good[:-1], "chosen": good[-1:], "rejected": bad[-1:], **more}
