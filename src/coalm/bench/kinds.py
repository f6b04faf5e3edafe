"""The one taxonomy of errors: what may be wrong with a case, in a word and in a sentence.

`docs/errors.md` has an example of each and says which benchmark finds it; a test tries
the examples and holds the page and this table together.
"""

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "",
    "format",
    "no call",
    "wrong function",
    "missing argument",
    "extra argument",
    "wrong argument",
    "wrong type",
    "wrong count",
    "needless call",
    "wrong state",
    "hallucinated entity",
    "missing information",
    "too many steps",
    "environment lost",
    "not answered",
]
"""What was wrong with a case; empty when it is right."""

MEANINGS: Mapping[Kind, str] = {
    "format": "the answer could not be read",
    "no call": "nothing was called where a call was due",
    "wrong function": "another function was called than the one that was due",
    "missing argument": "the right function, without an argument that was due",
    "extra argument": "the right function, with an argument that was not due",
    "wrong argument": "the right function, with another value",
    "wrong type": "the right value as another type than the tool declares",
    "wrong count": "more or fewer calls than were due",
    "needless call": "a call where none was due",
    "wrong state": "the state, of the conversation or of the world, is another one",
    "hallucinated entity": "a value that nobody mentioned",
    "missing information": "something that was said or asked for is left out, nothing is made up",
    "too many steps": "the steps or turns ran out before the end",
    "environment lost": "what the calls act on was lost on the way: too slow, too large, or broken",
    "not answered": "the world's failure, such as a time-out: not scored, and asked again",
}
"""By kind, what it means, in the order in which an answer can go wrong."""
