"""Single-turn function calling, and Hammer's masking of it (Paper 4.1).

A masked row has random names where tools and parameters had speaking ones, so a model
can only go by the descriptions. Hammer: arXiv 2410.04587; the rules as CoALM's mixture
uses them are three shuffled copies of each row, each masked with probability 2/3.
"""

import random
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from coalm.corpora.records import chance
from coalm.corpora.schemas import unique
from coalm.types import Assistant, Dialogue, Json, Sample, ToolCall, ToolSpec, User

LETTERS = string.ascii_letters + string.digits + "_."
FUNCTION_LENGTHS = (5, 15)
PARAMETER_LENGTHS = (4, 10)


@dataclass(frozen=True, slots=True)
class Row:
    """A request, the tools at hand, and the calls that answer it; none where no tool fits."""

    id: str
    query: str
    tools: tuple[ToolSpec, ...]
    answers: tuple[ToolCall, ...]


def samples(
    row: Row, corpus: str, *, seed: int, masked: float = 2 / 3, copies: int = 1
) -> Iterator[Sample]:
    """`copies` samples of a row, each with its tools shuffled and masked with that probability."""
    for copy in range(copies):
        dice = random.Random(f"{seed}/{row.id}/{copy}")
        one = replace(row, tools=unique(row.tools))
        if chance(seed, row.id, copy, "masked") < masked:
            one = mask(one, dice)
        tools = list(one.tools)
        dice.shuffle(tools)
        # Irrelevant rows answer with an empty turn, which a dialect may write as `[]`.
        turns = (User(one.query), Assistant(calls=one.answers))
        suffix = f"#{copy}" if copies > 1 else ""
        yield Sample(row.id + suffix, corpus, Dialogue(turns, tuple(tools)), row.id)


def mask(row: Row, dice: random.Random) -> Row:
    """The row with random names throughout, and no default that is the answer by itself."""
    row = _new_defaults(row, dice)
    taken: set[str] = set()
    functions = {t.name: _name(dice, FUNCTION_LENGTHS, taken) for t in row.tools}
    parameters = {
        t.name: {p: _name(dice, PARAMETER_LENGTHS, taken) for p in t.properties} for t in row.tools
    }
    return replace(
        row,
        tools=tuple(_renamed(t, functions[t.name], parameters[t.name]) for t in row.tools),
        answers=tuple(
            ToolCall(functions[c.name], {parameters[c.name][k]: v for k, v in c.arguments.items()})
            for c in row.answers
        ),
    )


def _name(dice: random.Random, lengths: tuple[int, int], taken: set[str]) -> str:
    while True:
        name = "".join(dice.choices(LETTERS, k=dice.randint(*lengths)))
        if name not in taken:
            taken.add(name)
            return name


def _renamed(spec: ToolSpec, name: str, parameters: Mapping[str, str]) -> ToolSpec:
    properties: dict[str, Json] = {parameters[k]: v for k, v in spec.properties.items()}
    required: list[Json] = [parameters[k] for k in spec.required if k in parameters]
    schema = {**spec.parameters, "properties": properties, "required": required}
    return ToolSpec(name, spec.description, schema)


def _new_defaults(row: Row, dice: random.Random) -> Row:
    """Another value for each default that a gold argument repeats, wherever it is written.

    Otherwise a model could answer such a call by copying the default.
    """
    for call in row.answers:
        for name, value in call.arguments.items():
            if value == _default(row, call.name, name):
                row = _replaced(row, call.name, name, value, dice)
    return row


def _default(row: Row, tool: str, parameter: str) -> Json:
    schema = next((t.properties.get(parameter) for t in row.tools if t.name == tool), None)
    return schema.get("default") if isinstance(schema, dict) else None


def _replaced(row: Row, tool: str, parameter: str, old: Json, dice: random.Random) -> Row:
    # Deviation D13: only values that the request spells out (as a whole word) are replaced.
    # A value that is nowhere in the request cannot be changed without making the row false.
    if isinstance(old, bool) or not isinstance(old, str | int | float):
        return row
    word = re.compile(rf"(?<!\w){re.escape(str(old))}(?!\w)")
    if len(str(old)) < 2 or not word.search(row.query):
        return row
    new = _like(old, dice)

    def swap(value: Any) -> Any:
        """The new value for the old, in text, in numbers, in whatever holds them."""
        match value:
            case str():
                return word.sub(lambda _: str(new), value)
            case list():
                return [swap(item) for item in value]
            case dict():
                return {key: swap(item) for key, item in value.items()}
            case _:
                return new if type(value) is type(old) and value == old else value

    def respelled(spec: ToolSpec) -> ToolSpec:
        schema = spec.properties.get(parameter)
        if spec.name != tool or not isinstance(schema, dict):
            return spec
        properties: dict[str, Json] = {**spec.properties, parameter: swap(schema)}
        return replace(
            spec,
            description=swap(spec.description),
            parameters={**spec.parameters, "properties": properties},
        )

    return replace(
        row,
        query=swap(row.query),
        tools=tuple(map(respelled, row.tools)),
        answers=tuple(ToolCall(c.name, swap(dict(c.arguments))) for c in row.answers),
    )


def _like(old: str | int | float, dice: random.Random) -> str | int | float:
    """A random value of the same kind and size."""
    match old:
        case int():
            digits = max(2, len(str(abs(old))))
            return dice.choice([n for n in _numbers(dice, digits) if n != old])
        case float():
            return round(old + dice.choice([-1, 1]) * dice.uniform(0.1, 0.9), 4)
        case _:
            kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
            new = old
            while new == old:
                new = "".join(
                    next((dice.choice(kind) for kind in kinds if letter in kind), letter)
                    for letter in old
                )
                if not any(letter in kind for letter in old for kind in kinds):
                    new = old + dice.choice(string.ascii_lowercase)
            return new


def _numbers(dice: random.Random, digits: int) -> list[int]:
    low, high = 10 ** (digits - 1), 10**digits - 1
    return [dice.randint(low, high) for _ in range(4)] + [low, high]
