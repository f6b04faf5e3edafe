"""Answers near to gold: calls dropped, moved, repeated, changed, and spelt in other ways."""

import ast
import json
import random
from collections.abc import Sequence
from typing import Any

from coalm.bench.bfcl.multiturn import Case

Call = tuple[str, dict[str, Any]]
Turn = list[list[Call]]


def gold_calls(case: Case) -> list[list[Call]]:
    """The gold calls with every argument named."""
    offered = [*case.functions, *(f for late in case.late.values() for f in late)]
    return [[_named(offered, text) for text in turn] for turn in case.gold]


def _named(offered: Sequence[Any], text: str) -> Call:
    node = ast.parse(text.strip(), mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    names = next(f for f in reversed(offered) if f["name"] == name)["parameters"]["properties"]
    given = dict(zip(names, node.args, strict=False))
    given |= {word.arg: word.value for word in node.keywords if word.arg}
    return name, {key: ast.literal_eval(value) for key, value in given.items()}


def mutant(rng: random.Random, case: Case, others: Sequence[Call]) -> list[Turn]:
    """Gold with zero to three changes, its calls in one or more steps."""
    turns = [list(calls) for calls in gold_calls(case)]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        _change(rng, turns, others)
    stepped = [_steps(rng, calls) for calls in turns]
    if rng.random() < 0.02:
        stepped.pop()
    return stepped


def _steps(rng: random.Random, calls: list[Call]) -> Turn:
    if rng.random() < 0.5:
        return [calls] if calls else []
    return [[call] for call in calls]


def _change(rng: random.Random, turns: list[list[Call]], others: Sequence[Call]) -> None:
    full = [calls for calls in turns if calls]
    calls = rng.choice(full) if full else turns[0]
    at = rng.randrange(len(calls)) if calls else 0
    match rng.randrange(13):
        case 0 if calls:
            calls.pop(at)
        case 1 if calls:
            calls.insert(rng.randrange(len(calls)), calls.pop(at))
        case 2 if calls:
            calls.insert(at, calls[at])
        case 3 if calls:
            rng.choice(turns).append(calls.pop(at))
        case 4:
            rng.choice(turns).insert(0, rng.choice(others))
        case 5:
            calls.append(rng.choice(ODD))
        case 6 if calls:
            calls[at] = (calls[at][0] + "s", calls[at][1])
        case 7 if calls:
            rng.shuffle(calls)
        case 8 if calls:
            left = dict(list(calls[at][1].items())[1:])
            calls[at] = (calls[at][0], left)
        case _ if calls and calls[at][1]:
            name, arguments = calls[at]
            key = rng.choice(list(arguments))
            calls[at] = (name, arguments | {key: changed(rng, arguments[key])})
        case _:
            calls.append(rng.choice(others))


ODD: tuple[Call, ...] = (
    ("ls", {"a": True}),
    ("pwd", {}),
    ("nothing_of_the_kind", {"x": 1}),
    ("kill", {"pid": 1}),
    ("mean", {"numbers": [1, 2, 3]}),
    ("mean", {"numbers": []}),
    ("logarithm", {"value": 2.0, "base": 10, "precision": 5}),
    ("GorillaFileSystem.ls", {"a": True}),
    ("_load_scenario", {"scenario": {}}),
    ("rm.run", {"file_name": "x"}),
    ("echo", {"content": "a word (in brackets) and find(this)", "file_name": "x"}),
    ("post_tweet", {"content": "so (much)", "tags": ["#a"], "mentions": []}),
    ("displayCarStatus", {"option": "fuel"}),
    ("get_outside_temperature_from_google", {}),
    ("check_tire_pressure", {}),
    ("cd", {"folder": "/"}),
    ("edit_ticket", {"ticket_id": 1, "updates": {"priority": 2}}),
    ("edit_ticket", {"ticket_id": 1, "updates": {}}),
    ("edit_ticket", {"ticket_id": 1, "updates": {"a": {"b": 1}}}),
    ("get_stock_info", {"symbol": "AAPL"}),
)


def changed(rng: random.Random, value: Any) -> Any:
    """Another value, or the same in another dress."""
    match value:
        case bool():
            return rng.choice((not value, int(value), str(value)))
        case int() | float():
            return rng.choice((value + 1, float(value), int(value), str(value), -value, None))
        case str():
            spaced = value.replace("(", " (")
            return rng.choice((value + "x", value.upper(), spaced, f"{value} (x)", "", 7, [value]))
        case list() if value:
            return rng.choice((value[::-1], value[1:], [*value, value[0]], str(value), value))
        case _:
            return rng.choice((None, "x", [], {}))


def spelt(rng: random.Random, turns: list[Turn]) -> tuple[str, list[list[Any]]]:
    """The answer as a prompted model, a function-calling model or a decoder gives it."""
    mode = rng.choice(("raw", "raw", "objects", "decoded"))
    return mode, [[_spelt(rng, mode, step) for step in turn] + _last(rng, mode) for turn in turns]


def _last(rng: random.Random, mode: str) -> list[Any]:
    """What a model says when it has nothing more to call, if it is kept at all."""
    if mode == "decoded" or rng.random() < 0.5:
        return []
    return [rng.choice(("Done.", "[]", "", "Which one?", "[1, 2]"))]


def _spelt(rng: random.Random, mode: str, step: list[Call]) -> Any:
    if mode == "objects":
        return [{name: json.dumps(arguments)} for name, arguments in step]
    texts = [f"{n}({', '.join(f'{k}={v!r}' for k, v in a.items())})" for n, a in step]
    if mode == "decoded":
        return texts
    text = ", ".join(_dressed(rng, t) for t in texts)
    return rng.choice((f"[{text}]", text, f"```\n[{text}]\n```", f" [ {text} ]\n", f"[{text}"))


def _dressed(rng: random.Random, text: str) -> str:
    """Now and then a call with its first argument's name left out, or within another call."""
    roll = rng.random()
    if roll < 0.02 and "=" in text:
        head, _, rest = text.partition("(")
        return f"{head}({rest.partition('=')[2]}"
    if roll < 0.04:
        return f"mean(numbers={text})"
    return text
