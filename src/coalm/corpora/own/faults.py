"""What is wrong with a row, collected: a person mends ten things at once rather than one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from coalm.errors import DataError


class Faults(list[str]):
    """Sentences, each with its place inside the row."""

    def add(self, place: str, why: str) -> None:
        """One thing that is wrong at a place such as `messages[3]`."""
        self.append(f"{place}: {why}" if place else why)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """What goes wrong inside is kept with its place, and the block is left."""
        try:
            yield
        except KeyError as e:
            self.add(place, f"lacks {e.args[0]!r}")
        except RecursionError:
            self.add(place, "is nested too deeply")
        except (TypeError, ValueError, DataError) as e:
            self.add(place, str(e))


def kind(value: object) -> str:
    """What JSON calls a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def parsed(value: object, what: str) -> Any:
    """The JSON inside a string; any other value as it is. A `ValueError` names what is broken."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as e:
        raise ValueError(f"{what} is a string that is not JSON: {e}") from None


def text(value: object, what: str) -> str:
    """A string, or a `TypeError`; null counts as nothing said."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{what} is {kind(value)}, not a string")
    return value


def listed(value: object, what: str) -> list[Any]:
    """A list, or a `TypeError`."""
    if not isinstance(value, list):
        raise TypeError(f"{what} is {kind(value)}, not a list")
    return value


def mapping(value: object, what: str) -> dict[str, Any]:
    """An object, or a `TypeError`."""
    if not isinstance(value, dict):
        raise TypeError(f"{what} is {kind(value)}, not an object")
    return value
