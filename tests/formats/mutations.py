"""Model outputs gone wrong: right ones, cut, doubled, swapped, quoted otherwise, poisoned.

Every mutant comes from a seed and a number, so that one which breaks a reader can be made
again: `mutant(seed, number)`.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from coalm.formats import DIALECTS
from coalm.types import Assistant, ToolCall

TURNS = (
    Assistant("", "", (ToolCall("find_bus", {"to": "ely", "n": 2, "near": None}),)),
    Assistant("", "I need the fare.", (ToolCall("fare", {"zone": 1.5, "day": "monday"}),)),
    Assistant(
        "Both at once.",
        "",
        (ToolCall("a.b", {"x": [1, "two", {"three": True}]}), ToolCall("c", {})),
    ),
    Assistant("The bus leaves at 10:15.", "Tell it."),
    Assistant("It's “fine”: {ok} [1] (2) <b>"),
)
WHOLE = (
    *(dialect.write(turn) for dialect in DIALECTS.values() for turn in TURNS),
    '{"hotel-area": "north", "hotel-stars": 4, "hotel-parking": true, "taxi-leaveat": null}',
    'So far: {"restaurant-food": "modern european", "restaurant-book people": "3"} I think.',
    '```json\n[{"name": "find_bus", "arguments": {"to": "ely"}}]\n```',
    "[math.factorial(n=5), find_bus(to='ely', via=[\"a\", 'b'])]",
    "",
)
"""Outputs as models write them, in every dialect, and states."""

POISON = (
    "\0",
    "\x1b[31m",
    "\u202e",
    "\ufeff",
    "\ud800",
    "\udfff\ud800",
    "\U000e0041",
    "<|im_end|>",
    "<|eot_id|>",
    "<|im_start|>system\n",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 5000,
    "0x" + "F" * 5000,
    "-" * 300 + "1",
    "1_000",
    "0b",
    "1" + "0" * 4300,
    "\\ud800",
    "\\u0000",
    "\\x00",
    "\\N{DIGIT ONE}",
    "'''",
    '"""',
    "f'{x}'",
    "b'x'",
    "__import__('os')",
    "lambda: 0",
    "a if b else c",
    "x := 1",
    "*args",
    "**kwargs",
    "# note\n",
    "\\\n",
    "\r",
    "\x1c",
    "\x85",
    "\u2028",
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "\nAction: ",
    "\nThought: ",
    "\nObservation: ",
    "\nSystem: ",
    "```",
    "[" * 50,
    "{" * 50,
    '{"a":' * 60,
    "(" * 50,
    "[" * 1100,
    '{"a":' * 1100,
)
CONFUSABLE = {
    '"': "\u201c\u201d\u201e\uff02",
    "'": "\u2018\u2019\u02bc\uff07",
    "(": "\uff08\u2768",
    ")": "\uff09\u2769",
    "[": "\uff3b\u3010",
    "]": "\uff3d\u3011",
    "{": "\uff5b",
    "}": "\uff5d",
    ",": "\uff0c\u060c",
    ":": "\uff1a",
    "=": "\uff1d",
    "a": "\u0430",
    "e": "\u0435",
    "o": "\u043e",
    " ": "\u00a0\u2009\u3000",
    "-": "\u2013\u2212",
    "1": "\uff11\u0661",
}
"""Characters that look like others."""

QUOTES, BRACKETS = "'\"`", "()[]{}<>"


def mutant(seed: int, number: int, whole: Sequence[str] = WHOLE) -> str:
    """A whole output after a mishap, or up to four; the same text for the same numbers."""
    random = Random(seed * 1_000_003 + number)
    text = random.choice(whole)
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        text = random.choice(MISHAPS)(text, random)
    return text


def mutants(seed: int, n: int, whole: Sequence[str] = WHOLE) -> Iterator[str]:
    """The first so many."""
    return (mutant(seed, number, whole) for number in range(n))


def _cut(text: str, random: Random) -> str:
    """Ended too early, or begun too late, or with a hole."""
    a, b = sorted((_place(text, random), _place(text, random)))
    return random.choice((text[:a], text[b:], text[:a] + text[b:]))


def _double(text: str, random: Random) -> str:
    """A stretch said twice, or many times over."""
    a, b = sorted((_place(text, random), _place(text, random)))
    return text[:a] + text[a:b] * random.choice((2, 2, 3, 20)) + text[b:]


def _swap(text: str, random: Random) -> str:
    """Two stretches in each other's place."""
    a, b, c = sorted(_place(text, random) for _ in range(3))
    return text[:a] + text[b:c] + text[a:b] + text[c:]


def _flip(text: str, random: Random) -> str:
    """A quote or a bracket that is another one."""
    for signs in random.sample((QUOTES, BRACKETS), 2):
        places = [at for at, character in enumerate(text) if character in signs]
        if places:
            at = random.choice(places)
            return text[:at] + random.choice(signs) + text[at + 1 :]
    return text


def _all_quotes(text: str, random: Random) -> str:
    """Every quote of one kind as one of another."""
    one, other = random.sample(QUOTES, 2)
    return text.replace(one, other)


def _poison(text: str, random: Random) -> str:
    """Something nasty put in."""
    at = _place(text, random)
    return text[:at] + random.choice(POISON) + text[at:]


def _replace_value(text: str, random: Random) -> str:
    """Something nasty in the place of a number or a word."""
    words = [w for w in ("2", "1.5", "1", "4", "true", "None", "null", "ely") if w in text]
    return text.replace(random.choice(words), random.choice(POISON), 1) if words else text


def _look_alike(text: str, random: Random) -> str:
    """A character, or all of its kind, as one that looks like it."""
    there = [character for character in CONFUSABLE if character in text]
    if not there:
        return text
    character = random.choice(there)
    other = random.choice(CONFUSABLE[character])
    return text.replace(character, other, random.choice((1, -1)))


def _nest(text: str, random: Random) -> str:
    """Put deep into brackets."""
    levels = random.choice((3, 39, 40, 41, 200, 1500))
    opened, closed = random.choice((("[", "]"), ("(", ")"), ('{"a": ', "}"), ("f(a=", ")")))
    return opened * levels + text + closed * random.choice((levels, levels - 1, 0))


def _drop(text: str, random: Random) -> str:
    """One character less."""
    at = _place(text, random)
    return text[:at] + text[at + 1 :]


def _case(text: str, random: Random) -> str:
    """Capitals where there were none."""
    return random.choice((text.upper(), text.title(), text.swapcase()))


def _place(text: str, random: Random) -> int:
    return random.randint(0, len(text))


MISHAPS: Sequence[Callable[[str, Random], str]] = (
    _cut,
    _double,
    _swap,
    _flip,
    _all_quotes,
    _poison,
    _replace_value,
    _look_alike,
    _nest,
    _drop,
    _case,
)
