"""A person's own conversations: OpenAI chat with tools, ShareGPT, or our own schema.

`make` turns one row into a `Sample` or raises a `DataError` with its place; `examine` says
everything that is wrong with a row; `read` does a whole file. A row's style is seen
from its keys unless it is stated.
"""

from coalm.corpora.own.files import entries, peek, read, repeated
from coalm.corpora.own.rows import STYLES, Examined, examine, make, recognise, style_named
from coalm.corpora.own.schema import schema

__all__ = [
    "STYLES",
    "Examined",
    "entries",
    "examine",
    "make",
    "peek",
    "read",
    "recognise",
    "repeated",
    "schema",
    "style_named",
]
