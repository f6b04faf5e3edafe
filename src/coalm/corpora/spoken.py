"""One lesson in several dialects: which ones, what none of its tools fits is called, thoughts.

The prompt of a row says in which syntax to answer (each dialect's instructions), so the
same row in another dialect teaches that the prompt decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from coalm.corpora.explained import asked_to_think, explained
from coalm.corpora.records import chance
from coalm.corpora.wording import listed, one_of, spaced
from coalm.types import Assistant, Dialogue, Sample

WORDY = frozenset({"react", "hermes"})
"""Dialects that answer in words where no tool fits; the others write `[]`."""
THOUGHTFUL = "react"
"""The dialect whose own instructions ask for a thought."""


def spoken(
    sample: Sample,
    dialects: Sequence[str],
    *,
    per_row: int = 1,
    thoughts: float = 0.0,
    seed: int = 42,
) -> Iterator[Sample]:
    """The sample in `per_row` of the dialects, or in its own where none are named.

    A share `thoughts` of the rows that call thinks first and is asked to; in `react`, whose
    prompt asks for thoughts anyway, all do. An empty answer becomes a refusal in words
    where the dialect has no sign for it.
    """
    chosen = sorted(dialects, key=lambda name: chance(seed, sample.id, name, "dialect"))
    for number, name in enumerate(chosen[:per_row] or [sample.dialect]):
        one = replace(sample, dialect=name, id=f"{sample.id}@{name}" if number else sample.id)
        thinks = chance(seed, sample.id, name, "thoughts") < thoughts
        if one.dialogue.tools and (thinks or name == THOUGHTFUL):
            thinking = explained(one, seed)
            if thinking != one and name != THOUGHTFUL:
                thinking = replace(thinking, dialogue=asked_to_think(thinking.dialogue))
            one = thinking
        if name in WORDY:
            one = replace(one, dialogue=_refused(one.dialogue, f"{seed}/{sample.id}/{name}"))
        yield one


def _refused(dialogue: Dialogue, key: str) -> Dialogue:
    turns = [
        replace(turn, text=refusal(dialogue, key))
        if isinstance(turn, Assistant) and not turn.text and not turn.calls
        else turn
        for turn in dialogue.turns
    ]
    return replace(dialogue, turns=tuple(turns))


def refusal(dialogue: Dialogue, key: str) -> str:
    """A sentence that says that no tool fits."""
    names = listed([spaced(tool.name) for tool in dialogue.tools[:2]], "or")
    options = [
        "I am sorry, but none of my tools can do that.",
        "That is not something I can do with the tools I have.",
        "I have no tool for that request.",
        "None of the available functions fits what you ask for.",
        "I cannot help with this one: no tool here covers it.",
    ]
    if 0 < len(dialogue.tools) < 3:
        options.append(f"I can only help with things like {names}, so I cannot do that.")
    return one_of(options, key, "refusal")
