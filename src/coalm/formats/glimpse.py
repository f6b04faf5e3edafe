"""What is certain of a turn while it is still being written: for showing it as it comes.

Law: for every beginning of a text that is read as a turn, the thought and the words that
are seen in it are beginnings of the turn's own. What may still become a call is held back.
"""

import re
from typing import NamedTuple

from coalm.formats.dialects import Dialect
from coalm.formats.dialects.codeact import OPEN as CODE
from coalm.formats.dialects.fnctod import BLOCK
from coalm.formats.dialects.fnctod import OPEN as FUNCTION

_LABELS = ("Thought", "Action", "System", "Observation")
_LABEL = re.compile(r"^(Thought|Action|System|Observation):(?: |$)", re.MULTILINE)
_LISTED = re.compile(r"\s*[\[{`]")
"""How a list of calls or a code fence begins."""
_BARE = re.compile(r"\s*(?:[\[{`]|[^\[\](){}'\"=,]*(?:$|\())")
"""In `pythonic` a call may stand without brackets, and a tool's name may be several words."""
_TAGS = {"hermes": "<tool_call>", "codeact": CODE}
"""What ends the words and begins the calls."""


class Glimpse(NamedTuple):
    """What is certain so far."""

    thought: str = ""
    text: str = ""


def glimpse(dialect: Dialect, text: str) -> Glimpse:
    """The thought and the words that a text will have, whatever follows it; never raises."""
    match dialect.name:
        case "react":
            return _labelled(text)
        case "json" | "hammer" | "openai" | "pythonic" | "hermes" | "fnctod" | "codeact":
            thought, rest = _thought(text)
            return Glimpse(thought, _words(rest, dialect.name))
        case _:
            return Glimpse()


def _thought(text: str) -> tuple[str, str]:
    """What is inside of `<think>` so far, and what comes after it."""
    if not text.startswith("<think>"):
        return "", "" if "<think>".startswith(text) else text
    inside, closed, rest = text.removeprefix("<think>").partition("</think>")
    if not closed:
        return _held(inside, "</think>"), ""
    return inside, rest.removeprefix("\n")


def _words(rest: str, dialect: str) -> str:
    if dialect in _TAGS:
        said, opened, _ = rest.partition(_TAGS[dialect])
        return (said if opened else _held(rest, _TAGS[dialect])).removesuffix("\n")
    if dialect == "fnctod":
        return _behind_calls(rest)
    callish = _BARE if dialect == "pythonic" else _LISTED
    if not rest.strip() or callish.match(rest.lstrip()):
        return ""
    said, newline, last = rest.rpartition("\n")
    while newline and (not last.strip() or callish.match(last)):
        rest = said
        said, newline, last = rest.rpartition("\n")
    return rest


def _behind_calls(rest: str) -> str:
    """The words behind the last block, once it is certain that no other block follows."""
    place = 0
    while found := BLOCK.match(rest, place):
        place = found.end()
    said = rest[place:]
    begun = said.lstrip()
    if FUNCTION.startswith(begun[: len(FUNCTION)]):
        return ""
    return _held(said.removeprefix("\n") if place else said, FUNCTION)


def _held(text: str, marker: str) -> str:
    """The text without an end that may be the beginning of the marker."""
    for size in range(min(len(marker) - 1, len(text)), 0, -1):
        if text.endswith(marker[:size]):
            return text[:-size]
    return text


def _labelled(text: str) -> Glimpse:
    labels = list(_LABEL.finditer(text))
    parts: dict[str, list[str]] = {name: [] for name in _LABELS}
    ends = [*[label.start() - 1 for label in labels[1:]], len(text)][: len(labels)]
    for label, end in zip(labels, ends, strict=True):
        if label.group(1) == "Observation":
            break
        last = label is labels[-1]
        if last and text[label.start() :] == f"{label.group(1)}:":
            break  # a label only if a blank follows, or nothing more
        inside = text[label.end() : max(end, label.end())]
        parts[label.group(1)].append(_open(inside) if last else inside)
    return Glimpse("\n".join(parts["Thought"]), "\n".join(parts["System"]))


def _open(inside: str) -> str:
    """The last part so far, without a last line that may become a label."""
    said, newline, last = inside.rpartition("\n")
    if newline and any(f"{name}:".startswith(last) for name in _LABELS):
        return said
    return inside
