"""Training texts, and shorter ones in the place of those that are too long."""

from collections.abc import Iterable
from dataclasses import dataclass

from coalm.formats import Format, Piece, Tokenizer
from coalm.formats.batch import encode_all
from coalm.formats.rows import Rows
from coalm.train.rows.shorten import shorten
from coalm.types import Assistant, Dialogue, Sample


@dataclass(frozen=True, slots=True)
class Text:
    """What of a sample one training text holds."""

    sample: Sample
    fmt: Format
    since: int
    """The number of the first turn that it learns."""
    until: int
    """Turns that are in it."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """What texts that are too long became."""

    texts: tuple[list[Piece], ...]
    shortened: int
    """How many of them became any."""
    dropped: int
    """Turns that the texts begin later than their dialogues, all together."""
    lost: int
    """Answers that are in none of them, being too long by themselves."""


def texts_of(sample: Sample, fmt: Format) -> list[Text]:
    """What each of the format's examples of a sample holds, in their order."""
    turns = sample.dialogue.turns
    if not isinstance(fmt, Rows):
        return [Text(sample, fmt, 0, len(turns))]
    answers = [i for i, turn in enumerate(turns) if isinstance(turn, Assistant)]
    return [Text(sample, fmt, i, i + 1) for i in answers]


def shorter(long: Iterable[Text], tokenizer: Tokenizer, longest: int) -> Shorter:
    """Texts of at most `longest` tokens that learn what these do, but for what is lost."""
    found: list[list[Piece]] = []
    shortened = dropped = lost = 0
    for text in long:
        fmt = text.fmt

        def length(dialogue: Dialogue, since: int, fmt: Format = fmt) -> int:
            return int(encode_all(fmt.examples(dialogue, since), tokenizer).lengths.max())

        # A text of one answer has room for history alone; one of several shares it.
        history = longest if isinstance(fmt, Rows) else longest // 2
        made = shorten(
            text.sample.dialogue.until(text.until),
            length,
            room=longest,
            history=history,
            since=text.since,
        )
        for part in made.parts:
            found += fmt.examples(part.dialogue, part.since)
            dropped += part.dropped
        shortened += bool(made.parts)
        lost += made.lost
    return Shorter(tuple(found), shortened, dropped, lost)
