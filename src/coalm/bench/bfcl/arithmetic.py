"""Arithmetic that a model wrote, worked out without `eval` and without ever growing large.

BFCL's answers hold `p=1/6`, its executable functions take `'lambda x: 3*x**2'`. Only
literals, operators, a few plain functions and names that the caller gives are known.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

LARGEST_BITS = 10_000
"""Of a whole number."""
LONGEST = 100_000
"""Of a text or a list."""

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.RShift: operator.rshift,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
_PLAIN: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (abs, bool, float, int, len, max, min, round, str, sum)
}


def compute(node: ast.expr, given: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression; `given` holds the values and functions of its names.

    A `ValueError`, `TypeError` or `ArithmeticError` if it has none, or one that is too large.
    """
    given = given or {}
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in given:
            return given[name]
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](compute(operand, given))
        case ast.BinOp(left=left, op=op, right=right):
            return _small(_applied(op, compute(left, given), compute(right, given)))
        case ast.List(elts=items):
            return [compute(item, given) for item in items]
        case ast.Tuple(elts=items):
            return tuple(compute(item, given) for item in items)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            function = given.get(name) or _PLAIN.get(name)
            if callable(function):
                return _small(function(*(compute(arg, given) for arg in args)))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), args=args):
            function = given.get(f"{module}.{name}")
            if callable(function):
                return _small(function(*(compute(arg, given) for arg in args)))
    raise ValueError(f"{type(node).__name__} is no arithmetic")


def _applied(op: ast.operator, left: Any, right: Any) -> Any:
    match op, left, right:
        case ast.Pow(), int(), int() if right > 0 and left.bit_length() * right > LARGEST_BITS:
            raise OverflowError("the power is too large")
        case ast.Pow(), _, _:
            return left**right
        case ast.LShift(), int(), int() if right > LARGEST_BITS:
            raise OverflowError("the shift is too large")
        case ast.LShift(), _, _:
            return left << right
        case ast.Mult(), (str() | bytes() | list() | tuple()) as many, int(times):
            return _repeated(many, times)
        case ast.Mult(), int(times), (str() | bytes() | list() | tuple()) as many:
            return _repeated(many, times)
        case ast.Mod(), str() | bytes(), _:
            raise ValueError("a text is not filled in")
        case _:
            return _BINARY[type(op)](left, right)


def _repeated(many: Any, times: int) -> Any:
    if len(many) * times > LONGEST:
        raise OverflowError("the repetition is too long")
    return many * times


def _small(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise OverflowError("the number is too large")
    if isinstance(value, str | bytes | list | tuple) and len(value) > LONGEST:
        raise OverflowError("the value is too long")
    return value
