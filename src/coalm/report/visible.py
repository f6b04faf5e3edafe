"""Text from models and corpora, made safe to look at.

A model may write control characters, halves of surrogate pairs and marks that turn the
direction of writing. None of them may reach a report unseen: a file could not hold the
one, and a reader would be misled by the other.
"""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def visible(text: str) -> str:
    r"""The text with each such character written out: `\x1b`, `\u202e`, `\ud800`."""
    return _UNSEEN.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
