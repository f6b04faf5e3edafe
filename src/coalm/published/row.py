"""A published row as a sample, so that mixtures, shards and the trainer need to know no other."""

from coalm.formats import Row
from coalm.types import Assistant, Dialogue, Sample, System, User

DIALECT = "verbatim"
"""Nothing is added to the text of these rows."""


def sample(name: str, corpus: str, group: str, row: Row) -> Sample:
    """The row as a sample whose output alone is learned."""
    # Deviation D58: the structure of the instructions is the published one (Paper 4.1 and its
    # figures); their words are ours, in every file of this package.
    turns = (System(row.instruction), User(row.input), Assistant(row.output))
    return Sample(name, corpus, Dialogue(turns), group, DIALECT)


def paragraphs(*parts: str) -> str:
    """The parts that are not empty, with an empty line between."""
    return "\n\n".join(part for part in parts if part)
