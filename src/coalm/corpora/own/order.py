"""Whether a conversation can be one: who speaks when, and that there is something to learn."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from coalm.corpora.own.fitting import misfits
from coalm.types import Assistant, Dialogue, Observation, System, Turn, User


def unsound(
    dialogue: Dialogue, places: Sequence[str], *, every_result: bool = False
) -> Iterator[str]:
    """Everything that makes a conversation unfit to learn from.

    `places` names each turn as its row does.

    With `every_result` each call needs a result of its own; else one may answer several.
    """
    turns = dialogue.turns
    if not turns:
        yield "no turns at all"
        return
    if not any(isinstance(turn, Assistant) for turn in turns):
        yield "no assistant turn, so there is nothing to learn"
    yield from _out_of_order(turns, places, every_result=every_result)
    for number, turn in enumerate(turns):
        place = places[number]
        if isinstance(turn, Assistant):
            if turn == Assistant():
                yield f"{place}: the assistant says nothing, thinks nothing and calls nothing"
            for call in turn.calls:
                yield from (f"{place}: {why}" for why in misfits(call, dialogue.tools))
        yield from (f"{place}: {why}" for why in _unwritable(turn))
    for tool in dialogue.tools:
        texts = (tool.name, tool.description, tool.parameters)
        yield from (f"tool {tool.name!r}: {why}" for text in texts for why in _odd(text))


def doubtful(dialogue: Dialogue, places: Sequence[str]) -> Iterator[str]:
    """What is allowed but seldom meant."""
    turns = dialogue.turns
    if (
        turns
        and not isinstance(turns[-1], Assistant)
        and any(isinstance(turn, Assistant) for turn in turns)
    ):
        yield f"{places[-1]}: the conversation does not end with the assistant"
    for number, (before, turn) in enumerate(pairwise(turns), 1):
        if isinstance(before, User) and isinstance(turn, User):
            yield f"{places[number]}: two user turns in a row"


def _out_of_order(
    turns: tuple[Turn, ...], places: Sequence[str], *, every_result: bool
) -> Iterator[str]:
    pending = results = 0
    before: Turn | None = None
    for number, turn in enumerate(turns):
        place = places[number]
        if isinstance(turn, Observation):
            results += 1
            if results > pending:
                yield f"{place}: the result of no call"
        else:
            if pending and not results:
                yield f"{place}: a call before it has no result"
            elif every_result and results < pending:
                yield f"{place}: {pending} calls before it have only {results} results"
            if isinstance(turn, System) and number:
                yield f"{place}: a system message after the conversation has begun"
            if isinstance(turn, Assistant) and isinstance(before, Assistant) and not before.calls:
                yield f"{place}: two assistant turns in a row"
            pending, results = len(turn.calls) if isinstance(turn, Assistant) else 0, 0
        before = turn


def _unwritable(turn: Turn) -> Iterator[str]:
    yield from _odd(turn.text)
    if isinstance(turn, Assistant):
        yield from _odd(turn.thought)
        for call in turn.calls:
            yield from (f"{call.name}: {why}" for why in _odd(call.arguments))
    if isinstance(turn, Observation):
        yield from _odd(turn.tool)


def _odd(value: object) -> Iterator[str]:
    """What Python reads from JSON and nobody can write: NaN, half a character, a NUL."""
    match value:
        case float() if not math.isfinite(value):
            yield f"{value} is no number that JSON can write"
        case str():
            if "\0" in value:
                yield "holds a NUL character"
            try:
                value.encode()
            except UnicodeEncodeError:
                yield "holds half of a character (a lone surrogate)"
        case list():
            for one in value:
                yield from _odd(one)
        case dict():
            for key, one in value.items():
                yield from _odd(key)
                yield from _odd(one)
        case _:
            pass
