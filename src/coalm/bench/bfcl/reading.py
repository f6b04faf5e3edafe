"""An answer in Python's spelling, `[f(a=1), g(b=2)]`, read as BFCL's harness reads it.

The verdict is the harness's, its oddities kept: positional arguments are dropped, a name
stands for its own letters, `+5` is -5, a tuple stays a tuple. Nothing is ever run.

Deviation D70: where the harness hands arithmetic such as `1/6` to `eval`, ours works it
out from literals and a few plain functions. An expression that needs the harness's own
names, fills in a text (`'%s' % x`) or grows beyond all use is no call here.
Deviation D71: an answer that looks like calls and is longer than 50,000 characters, or
nests deeper than 40 brackets, is refused and wrong in every category; the harness parses
it, however long that takes.
"""

import ast
import re
import warnings
from typing import Any

from coalm.bench.bfcl.arithmetic import compute
from coalm.formats.dialects.calls import DEEPEST
from coalm.types import ToolCall

LONGEST = 50_000
"""Characters of an answer that are looked at; the longest right one has about 1,200."""


class Unreadable(ValueError):
    """The answer is no list of calls; the message says why."""


class Refused(Unreadable):
    """The answer is a list of calls in looks, and too large or too deep to be looked at."""


UNREADABLE = (
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)
"""What odd text makes a parser raise."""

_LOOKS = re.compile(r"[`\s]*\[?\s*[\w.]{1,200}\s*\(")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_BRACKETS = re.compile(r"[()\[\]{}]")


def bracketed(text: str) -> str:
    """The answer as the harness reads it: fences off, brackets of the list put in place."""
    text = text.strip("`\n ")
    text = text if text.startswith("[") else f"[{text}"
    return text if text.endswith("]") else f"{text}]"


def guard(text: str, longest: int = LONGEST) -> None:
    """`Refused` for what looks like calls and is too long or too deep; else words: `Unreadable`."""
    if len(text) > longest:
        why = f"longer than {longest} characters"
    elif deeper(text, DEEPEST):
        why = f"nested deeper than {DEEPEST} brackets"
    else:
        return
    raise (Refused if _LOOKS.match(text) else Unreadable)(why)


def deeper(text: str, most: int) -> bool:
    """Whether brackets outside of quotes nest deeper than that."""
    if sum(map(text.count, "([{")) <= most:
        return False
    depth = 0
    for found in _BRACKETS.finditer(_QUOTED.sub("", text)):
        depth += 1 if found.group() in "([{" else -1
        if depth > most:
            return True
    return False


def read_python(text: str, *, as_is: bool = False) -> tuple[ToolCall, ...]:
    """The calls of an answer; `Unreadable` if the harness could not read it either.

    `as_is` leaves fences on and puts no brackets around, as for what stood in a tag.
    """
    guard(text)
    source = text.strip() if as_is else bracketed(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in a model's text are no news
            body = ast.parse(source.strip("'"), mode="eval").body
        match body:
            case ast.Call():
                return (_call(body),)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return tuple(_call(item) for item in items)
    except UNREADABLE as e:
        raise Unreadable(f"not a list of calls: {type(e).__name__} {str(e)[:120]}") from None
    raise Unreadable("not a list of calls")


def _call(node: ast.expr) -> ToolCall:
    """A call's name with all its dots, and its named arguments."""
    if not isinstance(node, ast.Call):
        raise ValueError(f"{type(node).__name__} among the calls")  # noqa: TRY004  text, not a type
    function, parts = node.func, []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    arguments: dict[Any, Any] = {word.arg: _value(word.value) for word in node.keywords}
    return ToolCall(".".join(reversed(parts)), arguments)


def _value(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=value):
            return "..." if value is Ellipsis else value
        case ast.UnaryOp(operand=ast.Constant(value=value)):
            return -value  # type: ignore[operator]  # of a text: a TypeError, so unreadable
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Dict(keys=keys, values=values):
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True)}
        case ast.BinOp():
            return compute(node)
        case ast.Name(id=name):
            return name
        case ast.Call(keywords=[]):
            return ast.unparse(node)
        case ast.Call():
            call = _call(node)
            return {call.name: call.arguments}
        case ast.Subscript(value=value, slice=inside):
            return f"{ast.unparse(value)}[{ast.unparse(inside)}]"
        case _:
            raise ValueError(f"{type(node).__name__} is no value")
