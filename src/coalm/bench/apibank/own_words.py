"""A benchmark's own prompts: its words go in as they are, and an answer is read in any form."""

from collections.abc import Sequence
from dataclasses import replace

from coalm.agent import Agent, Reply
from coalm.bench.apibank.reading import read
from coalm.bench.apibank.turns import predicted
from coalm.bench.bfcl.multiturn.play import AsWritten
from coalm.engines import Polyglot, Speaker
from coalm.errors import RecipeError
from coalm.types import Dialogue


def in_own_words(speaker: Speaker) -> Speaker:
    """The speaker with a dialect that adds nothing and reads nothing."""
    if not isinstance(speaker, Polyglot):
        raise RecipeError("API-Bank's own words need a model that can be asked in plain text")
    return speaker.in_dialect(AsWritten())


def played(agent: Agent, openings: Sequence[Dialogue]) -> list[Reply]:
    """One answer to each opening, its text read in every form."""
    asked = replace(agent, speaker=in_own_words(agent.speaker))
    replies = asked.replies(openings)
    return [_read(*pair) for pair in zip(openings, replies, strict=True)]


def _read(opening: Dialogue, reply: Reply) -> Reply:
    if reply.ended == "unanswered" or not reply.said:
        return reply
    said = reply.said[0]
    again = predicted(opening, read(said.completion.text), said.completion.text)
    return replace(again, said=(replace(said, turn=again.said[0].turn),))
