"""What an API of API-Bank is: a function over a few databases, and when two calls are one.

A `World` holds the databases of one case, fresh from their files; what an API writes stays
in that world. An API is a plain function that gives its result or refuses. Two calls of it
are the same call if the parameters that count are alike, each in its own way (a topic by its
words, a date as a date), and if both have the same result.
"""

import ast
import copy
import inspect
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coalm.types import Json

DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"
"""How the APIs write dates and times."""

WRITTEN = frozenset(
    (
        *("Account", "Agenda", "Alarm", "Appointments", "Bank", "Hotel", "HealthData"),
        *("Meeting", "Reminder", "Scenes", "TimeSwitch"),
    )
)
"""The databases that some API writes; the others are shared between worlds."""

LONGEST = 4_000
"""Characters of one value that an API looks at; the longest in the data has 1,000."""

Alike = Callable[[Any, Any], bool]


class Refused(Exception):
    """An API's "no": the user is unknown, the room is taken, the time is no time."""


class World:
    """The databases of one case."""

    def __init__(self, databases: Mapping[str, Any]) -> None:
        self._pristine = databases
        self._own: dict[str, Any] = {}
        self.code = 0
        """The verification code that was sent for a forgotten password; 0 if none was."""
        self.forgetful = ""
        """Whose password was forgotten."""

    def table(self, name: str) -> Any:
        """One database, the case's own if any API writes it; empty if there is none."""
        if name not in self._own:
            pristine = self._pristine.get(name, {})
            self._own[name] = copy.deepcopy(pristine) if name in WRITTEN else pristine
        return self._own[name]

    def user(self, token: str) -> str:
        """Whose token it is; `Refused` if nobody's."""
        for name, account in self.table("Account").items():
            if account["token"] == token:
                return str(name)
        raise Refused("nobody has this token")


@dataclass(frozen=True, slots=True)
class Result:
    """What a call gave: an output, or why not."""

    output: Json = None
    refusal: str = ""


def exact(one: object, other: object) -> bool:
    """Equal as they are."""
    return one == other


def ignored(one: object, other: object) -> bool:
    """Whatever they are."""
    return True


@dataclass(frozen=True, slots=True)
class Api:
    """One API of the benchmark."""

    name: str
    function: Callable[..., Json]
    """Takes the world and the parameters by name; raises `Refused`."""
    alike: Mapping[str, Alike] = field(default_factory=dict)
    """How a parameter is compared where it is not by equality."""
    outputs: bool = True
    """Whether results must be equal; else only both or neither refused (chance is in them)."""
    lenient: frozenset[str] = frozenset()
    """The parameters that alone count where both calls succeed; empty means all of them."""
    offline: bool = True
    """Whether the function is the API's own work; without, calls are compared and no more."""

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Its parameters by name, without the world."""
        return dict(list(inspect.signature(self.function).parameters.items())[1:])

    def call(self, world: World, arguments: Mapping[str, Any]) -> Result:
        """Run it in a world, which may be changed by it."""
        try:
            return Result(self.function(world, **arguments))
        except Refused as e:
            return Result(None, str(e) or "refused")

    def differs(self, gold: Mapping[str, Any], said: Mapping[str, Any]) -> str:
        """The first parameter in which two calls are not alike; empty if there is none."""
        for name in self.lenient or {**gold, **said}:
            one, other = gold.get(name), said.get(name)
            how = self.alike.get(name, exact)
            if one is None or other is None:
                if one is not other and how is not ignored:
                    return name
            elif not how(one, other):
                return name
        return ""


def unpacked(text: str) -> object:
    """The list that a text spells, in JSON or in Python; a `ValueError` if it spells none."""
    for read in (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = read(text[:LONGEST].strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(found, list | tuple):
            return list(found)
    raise ValueError("no list")


def day(text: str) -> str:
    """A date as the APIs keep it; `Refused` if it is none."""
    return _time(text, DAY)


def moment(text: str) -> str:
    """A date with a time of day as the APIs keep it; `Refused` if it is none."""
    return _time(text, MOMENT)


def checked(text: str, how: str = MOMENT) -> datetime:
    """A time that must be written just so; `Refused` if it is not."""
    try:
        return datetime.strptime(text, how)
    except ValueError:
        raise Refused(f"{text[:40]!r} is not a time as {how}") from None


def _time(text: str, how: str) -> str:
    year, dash, rest = text.strip().partition("-")
    padded = f"{year.zfill(4)}{dash}{rest}" if rest.count("-") == 1 else text.strip()
    return checked(padded, how).strftime(how)


def same_time(how: Callable[[str], str]) -> Alike:
    """Whether two texts are one time; texts that are no times are alike if they are equal."""

    def alike(one: str, other: str) -> bool:
        try:
            return one == other or how(one) == how(other)
        except Refused:
            return False

    return alike


def stripped(one: str, other: str) -> bool:
    """Equal without the blanks around."""
    return one.strip() == other.strip()


def folded(one: str, other: str) -> bool:
    """Equal without the blanks around and the case of letters."""
    return one.strip().lower() == other.strip().lower()


def words(one: str, other: str) -> bool:
    """Whether more than half of all their words are words of both."""
    left, right = set(one.split(" ")), set(other.split(" "))
    return len(left & right) / len(left | right) > 0.5


def words_folded(one: str, other: str) -> bool:
    """Likewise, whatever the case of letters."""
    return words(one.lower(), other.lower())


def closed_up(one: str, other: str) -> bool:
    """Equal without any blank."""
    return re.sub(r" ", "", one) == re.sub(r" ", "", other)
