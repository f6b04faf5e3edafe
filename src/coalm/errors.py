"""What a person can fix: each error says where it went wrong and what to do.

A model's mistake is a value (`formats.Malformed`), the world's mistake is a
value too (`engines.Unanswered`), and a mistake of ours is a plain exception.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CoalmError(Exception):
    """Something the person at the keyboard can mend; the CLI prints it as one line, exit 2."""


class RecipeError(CoalmError):
    """A recipe, an override or an option that cannot be meant."""


class DataError(CoalmError):
    """A corpus, a data folder or a line of one that cannot be used."""


class ModelError(CoalmError):
    """A model that cannot be found, fetched, read or stored."""


class TrainingError(CoalmError):
    """A training run that had to stop: no number for a loss, no memory, no room on the disk."""


class EndpointError(CoalmError):
    """An address, a key or a model name that an endpoint does not take, or one that is gone."""


class FormatError(CoalmError):
    """A turn that a format could not read back, so it refuses to write it."""


class MissingExtra(CoalmError):
    """An optional dependency that is not installed."""

    def __init__(self, extra: str, why: str) -> None:
        super().__init__(f"{why} needs more packages: pip install 'coalm[{extra}]'")


def unknown(kind: str, name: str, known: "Iterable[str]") -> str:
    """A sentence for a name that is not there, with the nearest one that is."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {kind} {name!r}{hint} (there are {', '.join(names) or 'none'})"
