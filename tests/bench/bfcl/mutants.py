"""Answers near to the right ones: calls changed, written out in each style, and the text spoilt."""

import json
import random
from collections.abc import Iterator
from typing import Any

from coalm.bench.bfcl import Case
from coalm.bench.bfcl.gold import gold_calls
from coalm.types import ToolCall

Asked = tuple[int, str, Any]
"""The number of a case, a style of `official.py`, and the raw answer in it."""


def asked(cases: list[Case], each: int, seed: int) -> Iterator[Asked]:
    """For every case its right answer in each style, and `each` more answers near to it."""
    rng = random.Random(seed)
    for number, case in enumerate(cases):
        gold = [ToolCall(c.name, dict(c.arguments)) for c in gold_calls(case)]
        for style in ("calls", "fc", "fc-dots", "prompt"):
            if style != "calls" or case.wanted:
                yield number, style, written(case, gold, style)
        for _ in range(each):
            calls = _accepted(rng, case) or [ToolCall(c.name, dict(c.arguments)) for c in gold]
            for _ in range(rng.choice((0, 1, 1, 1, 2))):
                mutate(rng, calls)
            style = rng.choice(("calls", "fc", "fc-dots", "prompt", "prompt", "prompt"))
            if style == "calls" and not case.wanted:
                style = "prompt"
            answer = written(case, calls, style)
            if style == "prompt":
                for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
                    answer = spoilt(rng, answer)
            elif style == "fc" and rng.random() < 0.1:
                answer = _odd(rng, answer)
            yield number, style, answer


def written(case: Case, calls: list[ToolCall], style: str) -> Any:
    """The calls as a model of that style leaves them in a result file."""
    if style == "calls":
        return [{call.name: call.arguments} for call in calls]
    if style.startswith("fc"):
        dots = style == "fc-dots"
        return [
            {(c.name if dots else c.name.replace(".", "_")): json.dumps(c.arguments)} for c in calls
        ]
    if case.category.language == "python":
        inner = (
            f"{c.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in calls
        )
    else:
        inner = (
            f"{c.name}({', '.join(f'{k}={_source(v)}' for k, v in c.arguments.items())})"
            for c in calls
        )
    return f"[{', '.join(inner)}]"


def _source(value: Any) -> str:
    """A text as a quoted one where it is no other kind of value."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = value.replace("_", "").isalnum() or value[:1] in "[{-" or value.startswith("new ")
    return value if plain and len(value) % 3 else json.dumps(value, ensure_ascii=False)


def _accepted(rng: random.Random, case: Case) -> list[ToolCall]:
    """The right calls, each value any of the accepted ones; empty where no answers are given."""
    if case.category.language != "python":
        return []
    return [
        ToolCall(name, {k: _spelt(rng, rng.choice(v)) for k, v in accepted.items() if v})
        for one in case.wanted
        for name, accepted in one.items()
    ]


def _spelt(rng: random.Random, value: Any) -> Any:
    """An accepted value written out; dicts list the values that their keys may have."""
    if isinstance(value, dict):
        spelt = {k: rng.choice(v) if isinstance(v, list) and v else v for k, v in value.items()}
        return {k: v for k, v in spelt.items() if v != "" or rng.random() < 0.1}
    if isinstance(value, list):
        return [_spelt(rng, item) if isinstance(item, dict) else item for item in value]
    return value


def mutate(rng: random.Random, calls: list[ToolCall]) -> None:
    """Change one thing: a call or an argument dropped, renamed, doubled, moved, another value."""
    at = rng.randrange(len(calls)) if calls else 0
    call = calls[at] if calls else ToolCall("f", {})
    arguments: dict[str, Any] = dict(call.arguments)
    names = list(arguments)
    name = rng.choice(names) if names else "x"
    match rng.randrange(14):
        case 0:
            arguments.pop(name, None)
        case 1:
            arguments[f"{name}_"] = arguments.pop(name, 1)
        case 2:
            arguments["extra"] = rng.choice((1, "", None, []))
        case 3:
            rng.shuffle(names)
            arguments = {n: arguments[n] for n in names}
        case 4:
            calls.append(call)
            return
        case 5:
            calls[at : at + 1] = []
            return
        case 6:
            rng.shuffle(calls)
            return
        case 7:
            call = ToolCall(call.name + rng.choice(("s", ".x", "")), {})
        case _:
            arguments[name] = changed(rng, arguments.get(name))
    calls[at : at + 1] = [ToolCall(call.name, arguments)]


def changed(rng: random.Random, value: Any) -> Any:
    """Another value, or the same in another dress."""
    common: tuple[Any, ...] = (str(value), [value], None, "", [], {}, 0, True, 1.5, value)
    near: tuple[Any, ...] = ()
    match value:
        case bool():
            near = (not value, int(value), str(value).lower())
        case int():
            near = (float(value), value + 1, -value)
        case float():
            near = (int(value), value + 0.5, f"{value:.1f}")
        case str():
            near = (
                value.upper(),
                f" {value} ",
                value.replace(" ", "-"),
                value + "s",
                f"'{value}'",
                f'"{value}"',
                value.replace("new ", "new  "),
                value.replace(",", " , "),
                value.replace('"', "'"),
                value[:-1],
            )
        case list() if value:
            one = rng.randrange(len(value))
            swapped = [*value[:one], changed(rng, value[one]), *value[one + 1 :]]
            near = (swapped, swapped, value[::-1], value[1:], [*value, value[0]], [value])
        case dict() if value:
            key = rng.choice(list(value))
            without = {k: v for k, v in value.items() if k != key}
            other = value | {key: changed(rng, value[key])}
            near = (without, other, other, value | {"more": 1}, dict(reversed(value.items())))
    return rng.choice(near) if near and rng.random() < 0.7 else rng.choice(common)


_PIECES = (
    *"()[]{}=,;:.\"'\n \t+-/%#<>!?`~@&|",
    *("0", "5", "x", "é", "中", "None", "true", "null", "a.b", "f(x=1)", "f(1)", "g()", "x[1]"),
    *("1+1", "2/3", "-(1)", "not True", "(1, 2)", "{'a': 1}", "lambda: 1", "f'a'", "...", "b'x'"),
    *("=1", "x=", "**k", "*a", "new ", "L", ".5", "e3", "0x1F", "1_000", "1j", "/*", "*/", "//"),
)


def spoilt(rng: random.Random, text: str) -> str:
    """The text in fences or with words around, or with pieces put in, taken out or moved."""
    i = rng.randrange(len(text) + 1)
    j = min(len(text), i + rng.randrange(1, 12))
    k = rng.randrange(len(text) + 1)
    match rng.randrange(12):
        case 0:
            left, right = rng.choice(
                (("```", "```"), ("```\n", "\n```"), ("```python\n", "\n```"), ("\n ", "\n"))
            )
            return f"{left}{text}{right}"
        case 1:
            before = rng.choice(("Sure: ", "", "# ", "[", "(", "x = "))
            after = rng.choice(("", " Done.", "]", ")", "\n# done", ";", ","))
            return f"{before}{text}{after}"
        case 2:
            return text.removeprefix("[").removesuffix("]")
        case 3:
            return text.replace("'", '"')
        case 4:
            return text.replace("=", rng.choice((": ", " = ", "==")), 1)
        case 5 | 6:
            return text[:i] + text[j:]
        case 7:
            return text[:k] + text[i:j] + text[k:]
        case _:
            piece: str = rng.choice(_PIECES)
            return text[:i] + piece + text[i:]


def _odd(rng: random.Random, answer: list[dict[str, str]]) -> Any:
    """What function-calling models leave when they call nothing, or call badly."""
    name, arguments = next(iter(answer[0].items())) if answer else ("f", "{}")
    return rng.choice(
        (
            "",
            "I cannot do that.",
            [],
            [{}],
            {},
            None,
            [{name: arguments[:-1]}],
            [{name: "[1]"}],
            [{name: "null"}],
            [{name: arguments, "more": "{}"}],
            [name],
            5,
        )
    )
