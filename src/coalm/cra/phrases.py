"""Sentences with alternatives, and how slots and values are put into words.

`[They|The user] gave {given}[, as asked|].` has four wordings; a number that only depends
on the dialogue and the turn picks one, so that a thought is always the same.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

_CHOICE = re.compile(r"\[([^\]]*)\]")
_BLANK = re.compile(r"\{(\w+)\}")
_SHORT = re.compile(r"(?!.* (?:and|And|so|So) )(?!.*: )[\w $:+-]+$")
_FEW = 3


class Draw:
    """Picks from lists, one after the other, by a key; the same key picks the same."""

    __slots__ = ("_left",)

    def __init__(self, *key: str) -> None:
        text = "\x1f".join(key)
        self._left = int.from_bytes(blake2b(text.encode(), digest_size=32).digest())

    def pick(self, number: int) -> int:
        """One of the numbers below `number`."""
        self._left, digit = divmod(self._left, number)
        return digit

    def one(self, options: Sequence[str]) -> str:
        """One of the options."""
        return options[self.pick(len(options))]

    def chance(self, of: int) -> bool:
        """True once in `of` times."""
        return self.pick(of) == 0


def say(draw: Draw, options: Sequence[str], blanks: Mapping[str, str]) -> str:
    """One of the sentences, with alternatives picked and blanks filled in.

    A blank that is written with a capital, `{Given}`, begins a sentence.
    """
    text = "".join(
        part if isinstance(part, str) else draw.one(part) for part in _parts(draw.one(options))
    )
    return _BLANK.sub(lambda m: _filled(m[1], blanks), text)


def wordings(option: str) -> int:
    """How many wordings a sentence has, blanks aside."""
    count = 1
    for part in _parts(option):
        count *= 1 if isinstance(part, str) else len(part)
    return count


def _filled(name: str, blanks: Mapping[str, str]) -> str:
    if name[0].isupper():
        value = blanks[name.lower()]
        return value[:1].upper() + value[1:]
    return blanks[name]


@cache
def _parts(option: str) -> tuple[str | tuple[str, ...], ...]:
    pieces = _CHOICE.split(option)
    return tuple(tuple(p.split("|")) if i % 2 else p for i, p in enumerate(pieces))


# --- slots and values ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """A slot with its value, and how it was said if that is another matter."""

    slot: str
    value: str
    said: str = ""


@cache
def spaced(slot: str) -> str:
    """`check_in_date` as `check in date`."""
    return slot.replace("_", " ")


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, final = [*names] or [""]
    return f"{', '.join(most)} and {final}" if most else final


def slots(names: Iterable[str], flags: Collection[str] = ()) -> str:
    """`the city and the cuisine`; of more than four the first ones, and `the rest`.

    A flag, a slot that is true or false, is named as in the schema: "the pets allowed" is
    no English.
    """
    every = [name if name in flags else f"the {spaced(name)}" for name in names]
    if len(every) > _FEW + 1:
        every = [*every[:_FEW], "the rest"]
    return listed(every)


def values(draw: Draw, given: Sequence[Value], most: int = _FEW) -> str:
    """`the city (Fairfield) and the date (next Friday, so 2019-03-08)`, in one of three styles."""
    style = draw.pick(3)
    said = [_value(one, style, draw) for one in given[:most]]
    if len(given) > most:
        said.append("the rest")
    return listed(said)


def _value(one: Value, style: int, draw: Draw) -> str:
    name = spaced(one.slot)
    if one.value == "dontcare":
        return f"no preference for the {name}"
    if one.value in {"True", "False"}:
        return f"{one.slot} = {one.value}"
    value = one.value
    if one.said and plain(one.said) != plain(value):
        form = draw.one(("{said}, so {value}", "{said}, that is {value}", "{said} = {value}"))
        value = form.replace("{said}", one.said).replace("{value}", one.value)
    elif style == 2:
        return f"{one.value} as the {name}"
    return f"{name} = {value}" if style == 1 and _SHORT.match(value) else f"the {name} ({value})"


def plain(text: str) -> str:
    """Letters and digits only, in lower case: two spellings that differ in no more are one."""
    return "".join(c for c in text.lower() if c.isalnum())
