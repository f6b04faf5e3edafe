"""A thought inside the words of an answer, between the tags that many models write."""

import re

_TAGGED = re.compile(r"\s*<think>\n?(.*?)\n?</think>\s*", re.DOTALL)


def apart(said: str) -> tuple[str, str]:
    """The thought in front of an answer, if there is one, and the rest."""
    found = _TAGGED.match(said)
    return (found.group(1), said[found.end() :]) if found else ("", said)
