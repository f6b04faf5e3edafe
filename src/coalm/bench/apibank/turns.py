"""The first turn of a reply, and what every protocol of API-Bank says of how it was read."""

from collections.abc import Sequence

from coalm.agent import Reply
from coalm.bench.apibank.reading import REASONS, Read, reason_of
from coalm.bench.base import Metric, mean
from coalm.engines import Completion, Said
from coalm.formats import Malformed
from coalm.types import Assistant, Dialogue, ToolCall


def first(opening: Dialogue, reply: Reply) -> tuple[Assistant | Malformed, str]:
    """The first turn that was taken and the text it was read from; silence where none was.

    The text is empty where a reply has none, as calls of a chat endpoint have not.
    """
    if reply.said:
        return reply.said[0].turn, reply.said[0].completion.text
    new = reply.dialogue.turns[len(opening.turns) :]
    turn = next((turn for turn in new if isinstance(turn, Assistant)), Assistant())
    return turn, turn.text


def replied(opening: Dialogue, turn: Assistant, text: str) -> Reply:
    """A reply of one turn, as a model gives it whose output is that text."""
    said = Said(turn, Completion(text, "stop", 0, 0), "")
    return Reply(opening.then(turn), "steps" if turn.calls else "spoke", (said,))


def predicted(opening: Dialogue, read: Read, text: str) -> Reply:
    """A reply made of a predicted text, as it was read."""
    if read.reason:
        lost = Malformed(text, read.why)
        return Reply(
            opening, "malformed", (Said(lost, Completion(text, "stop", 0, 0), ""),), read.why
        )
    return replied(opening, Assistant("" if read.calls else read.text, calls=read.calls), text)


def legible(turn: Assistant | Malformed, text: str) -> dict[str, float]:
    """Scores that say whether a turn could be read, and why not."""
    reason = reason_of(turn.text or text, turn.why) if isinstance(turn, Malformed) else ""
    return {"unreadable": float(bool(reason))} | {
        _key(known): float(known == reason) for known in REASONS
    }


def legibility() -> tuple[Metric, ...]:
    """The share of answers that could not be read, whole and by reason."""
    return (
        mean("Answers unreadable", "unreadable"),
        *(mean(f"unreadable: {reason}", _key(reason)) for reason in REASONS),
    )


def _key(reason: str) -> str:
    return f"unreadable_{reason.replace(' ', '_')}"


def calls_of(turn: Assistant | Malformed) -> Sequence[ToolCall]:
    """The calls of a turn; none of one that cannot be read."""
    return turn.calls if isinstance(turn, Assistant) else ()
