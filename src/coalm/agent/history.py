"""A history that is longer than the model's context: cut by whole turns, and said so.

What goes are the oldest rounds, a round being a user's turn with all that followed it. The
operator's words and the last round always stay: a prompt that still does not fit is the
engine's to refuse. The conversation itself stays whole; only what is asked is cut.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from coalm.engines import Said, Sampling, Speaker, Unanswered
from coalm.types import Dialogue, System, User

Count = Callable[[Dialogue], int]
"""Tokens of the prompt for a dialogue."""


def fitted(dialogue: Dialogue, count: Count, most: int) -> tuple[Dialogue, int]:
    """The dialogue with as many of its last rounds as fit into `most` tokens, and what went.

    The number is that of rounds left out: 0 where all of it fits.
    """
    if count(dialogue) <= most:
        return dialogue, 0
    turns = dialogue.turns
    head = 1 if turns and isinstance(turns[0], System) else 0
    starts = [i for i, turn in enumerate(turns) if isinstance(turn, User)]

    def without(rounds: int) -> Dialogue:
        return replace(dialogue, turns=(*turns[:head], *turns[starts[rounds] :]))

    low, high = 1, len(starts) - 1  # the fewest rounds whose going is enough lies between
    if high < 1:
        return dialogue, 0
    while low < high:
        middle = (low + high) // 2
        if count(without(middle)) <= most:
            high = middle
        else:
            low = middle + 1
    return without(low), low


@dataclass(frozen=True, slots=True)
class Fitting:
    """A `Speaker` that is only ever shown what fits."""

    speaker: Speaker
    count: Count
    context: int
    """Tokens of prompt and answer together."""
    told: Callable[[int], None] = lambda _rounds: None
    """Told how many rounds were left out, each time that some are."""

    def speak(self, dialogues: Sequence[Dialogue], sampling: Sampling) -> list[Said | Unanswered]:
        """As the speaker does, for dialogues cut to leave room for the answer."""
        room = max(1, self.context - sampling.max_tokens)
        shown = []
        for dialogue in dialogues:
            short, rounds = fitted(dialogue, self.count, room)
            shown.append(short)
            if rounds:
                self.told(rounds)
        return self.speaker.speak(shown, sampling)
