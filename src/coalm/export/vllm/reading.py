"""A reply as vLLM's parsers are asked for it: whole, or piece by piece with an end."""

from typing import NamedTuple

from coalm.formats.chat import understood
from coalm.formats.dialects import Dialect, dialect
from coalm.formats.glimpse import glimpse
from coalm.types import Assistant, ToolCall


class Part(NamedTuple):
    """What of a reply is new."""

    thought: str = ""
    text: str = ""
    calls: tuple[ToolCall, ...] = ()


def whole(name: str, text: str, *, offered: bool = True) -> Part:
    """A reply in the dialect of that name; what cannot be read is words.

    Without any tools on offer, what looks like a call is words as well.
    """
    return _read(dialect(name), text, offered)


class Reading:
    """A reply while it is written."""

    def __init__(self, name: str) -> None:
        self._dialect = dialect(name)
        self._text = self._thought = self._said = ""

    def more(self, delta: str) -> Part:
        """What has become certain by some more text."""
        self._text += delta
        seen = glimpse(self._dialect, self._text)
        return self._new(seen.thought, seen.text)

    def end(self, *, offered: bool = True) -> Part:
        """The rest, once the reply is over."""
        found = _read(self._dialect, self._text, offered)
        return self._new(found.thought, found.text)._replace(calls=found.calls)

    def _new(self, thought: str, said: str) -> Part:
        part = Part(_after(thought, self._thought), _after(said, self._said))
        self._thought += part.thought
        self._said += part.text
        return part


def _after(now: str, had: str) -> str:
    return now[len(had) :] if now.startswith(had) else ""


def _read(spoken: Dialect, text: str, offered: bool) -> Part:
    turn = understood(spoken, text)
    if not isinstance(turn, Assistant):
        return Part("", text)
    if turn.calls and not offered:
        words = spoken.write(Assistant(calls=turn.calls))
        return Part(turn.thought, "\n".join(filter(None, [turn.text, words])))
    return Part(turn.thought, turn.text, turn.calls)
