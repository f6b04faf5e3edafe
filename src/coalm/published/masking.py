"""Hammer's masking as it was published, on records in xLAM's own layout (Paper 4.1).

The rules are those of Hammer's data script (github.com/MadeAgents/Hammer, 2024): tools of
one name are one tool, names become random, and so does every default that a gold argument
equals, in the tool, its description, the answer and the query. `corpora.masking` has the
same idea with more care for what a row says; this one keeps the published rows' traits.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from coalm.corpora.masking import FUNCTION_LENGTHS, LETTERS, PARAMETER_LENGTHS
from coalm.types import Json

Object: TypeAlias = Mapping[str, Any]
Fresh: TypeAlias = Callable[[bool | int | float | str], Json]
"""Old default -> another in its place."""

TEXT_LENGTH = 5
"""Characters of a new default that is a text."""


@dataclass(frozen=True, slots=True)
class Request:
    """A query, tools (`name`, `description`, `parameters`) and answers (`name`, `arguments`)."""

    query: str
    tools: tuple[Object, ...]
    answers: tuple[Object, ...]


def masked(request: Request, dice: random.Random) -> Request:
    """The request with each tool once, in random order, with random names and defaults."""
    tools = list({t["name"]: t for t in reversed(request.tools)}.values())[::-1]
    taken: set[str] = set()
    functions = {t["name"]: _name(dice, FUNCTION_LENGTHS, taken) for t in tools}
    parameters = {
        t["name"]: {p: _name(dice, PARAMETER_LENGTHS, taken) for p in t["parameters"]}
        for t in tools
    }
    dice.shuffle(tools)
    named = renamed(replace(request, tools=tuple(tools)), functions, parameters)
    return with_new_defaults(named, lambda old: fresh(old, dice))


def renamed(
    request: Request,
    functions: Mapping[str, str],
    parameters: Mapping[str, Mapping[str, str]],
) -> Request:
    """The request with other names: tool -> name, and tool -> parameter -> name.

    A tool's parameters keep their order, and the arguments of a call take it.
    """
    tools = tuple(
        {
            **t,
            "name": functions[t["name"]],
            "parameters": {parameters[t["name"]][p]: v for p, v in t["parameters"].items()},
        }
        for t in request.tools
    )
    answers = tuple(
        {
            **a,
            "name": functions.get(a["name"], a["name"]),
            "arguments": _reordered(a["arguments"], parameters.get(a["name"], {})),
        }
        for a in request.answers
    )
    return replace(request, tools=tools, answers=answers)


def with_new_defaults(request: Request, new: Fresh) -> Request:
    """The request with another value for each default that a gold argument equals.

    Equal means that both look the same as text. A default that is a list, an object, empty or
    none stays. The answer and the query change only where the values are equal as values too.
    """
    for place, tool in enumerate(request.tools):
        for name, parameter in tool["parameters"].items():
            old = parameter.get("default") if isinstance(parameter, dict) else None
            if not isinstance(old, bool | int | float | str) or old == "":
                continue
            given = [a["arguments"] for a in request.answers if a["name"] == tool["name"]]
            if any(name in g and str(g[name]) == str(old) for g in given):
                request = _replaced(request, place, name, old, new(old))
    return request


def fresh(old: bool | int | float | str, dice: random.Random) -> Json:
    """Another default: a little larger, or five random letters. True becomes a number."""
    match old:
        case bool() | float():
            return old + dice.random()
        case int():
            return old + dice.randint(1, 4)
        case _:
            return "".join(dice.choices(LETTERS, k=TEXT_LENGTH))


def _name(dice: random.Random, lengths: tuple[int, int], taken: set[str]) -> str:
    while True:
        name = "".join(dice.choices(LETTERS, k=dice.randint(*lengths)))
        if name not in taken:
            taken.add(name)
            return name


def _reordered(arguments: Object, names: Mapping[str, str]) -> dict[str, Any]:
    """Arguments under their new names in the tool's order, after those that it does not have."""
    unknown = {k: v for k, v in arguments.items() if k not in names}
    return unknown | {new: arguments[old] for old, new in names.items() if old in arguments}


def _replaced(request: Request, place: int, name: str, old: Json, new: Json) -> Request:
    tool = request.tools[place]
    parameter = dict(tool["parameters"][name]) | {"default": new}
    if "description" in parameter:
        parameter["description"] = parameter["description"].replace(str(old), str(new))
    tools = list(request.tools)
    tools[place] = {**tool, "parameters": {**tool["parameters"], name: parameter}}
    query, answers = request.query, []
    for answer in request.answers:
        arguments = answer["arguments"]
        if answer["name"] == tool["name"] and name in arguments and arguments[name] == old:
            answer = {**answer, "arguments": {**arguments, name: new}}
            query = _respelled(query, str(old), str(new))
        answers.append(answer)
    return Request(query, tuple(tools), tuple(answers))


def _respelled(query: str, old: str, new: str) -> str:
    for spelling in (str, str.capitalize, str.lower, str.upper):
        query = query.replace(spelling(old), spelling(new))
    return query
