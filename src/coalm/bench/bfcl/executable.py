"""BFCL's executable categories: calls are run and their results compared, where that can be.

Deviation D72: the functions are ours, written from their descriptions, because the
originals left BFCL with version 4; results that agree to nine digits are equal. Of 240
items 134 call only functions that need no network. A call of any other function, and
every one of `rest`, is compared with the right call instead: in 2024 the official harness
asked live services, most of which are gone. Which items are which is said in each verdict.
"""

import ast
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from coalm.bench.bfcl.data import Case
from coalm.bench.bfcl.functions import LOCAL
from coalm.bench.bfcl.match import Fault, Rules, fault, short
from coalm.bench.bfcl.reading import UNREADABLE, read_python
from coalm.errors import DataError
from coalm.types import ToolCall

How = Literal["executed", "call match", "executed and call match"]
"""What a verdict rests on."""

CLOSE = 1e-9
"""How far two numbers may be apart, of the larger one."""


def how(case: Case) -> How:
    """What the case's verdict rests on."""
    local = {call.name in LOCAL for call in right_calls(case)}
    if local == {True}:
        return "executed"
    return "executed and call match" if True in local else "call match"


def results_fault(
    case: Case, calls: Sequence[ToolCall], rules: Rules | None = None
) -> Fault | None:
    """What is wrong with the calls, or None; each right call takes the first that answers to it."""
    right = right_calls(case)
    if len(calls) != len(right):
        why = f"{len(calls)} calls where {len(right)} are due"
        return Fault("wrong count" if calls else "no call", why)
    left = list(calls)
    for due in right:
        faults = [_fault(case, call, due, rules or Rules()) for call in left]
        if None not in faults:
            return next((f for f in faults if f and f.kind != "wrong function"), faults[0])
        del left[faults.index(None)]
    return None


def right_calls(case: Case) -> tuple[ToolCall, ...]:
    """The case's right calls; arguments that the data gives by place have their names."""
    return tuple(_right(text, case) for text in case.expected)


def _right(text: str, case: Case) -> ToolCall:
    (call,) = read_python(text)
    given = _by_place(text)
    if not given:
        return call
    function = next((f for f in case.functions if f["name"] == call.name), None)
    if function is None:
        raise DataError(f"{case.id}: the data offers no function {call.name!r}")
    names = list(function["parameters"]["properties"])
    arguments = {**dict(zip(names, given, strict=False)), **call.arguments}
    return ToolCall(call.name, arguments)


@cache
def _by_place(text: str) -> tuple[Any, ...]:
    node = ast.parse(text.strip(), mode="eval").body
    return tuple(map(ast.literal_eval, node.args)) if isinstance(node, ast.Call) else ()


def _fault(case: Case, call: ToolCall, due: ToolCall, rules: Rules) -> Fault | None:
    function = LOCAL.get(due.name)
    if function is None:
        functions = [f for f in case.functions if f["name"] == due.name]
        if not functions:
            raise DataError(f"{case.id}: the data offers no function {due.name!r}")
        return fault(functions, [call], [{due.name: _accepted(due, functions[0])}], rules)
    if call.name != rules.name(due.name):
        return Fault("wrong function", f"calls {short(call.name)}, not {due.name!r}")
    try:
        result = function(**call.arguments)
    except UNREADABLE as e:
        return Fault("wrong argument", f"{due.name} fails: {type(e).__name__} {str(e)[:120]}")
    expected = function(**due.arguments)
    if same(result, expected):
        return None
    return Fault("wrong argument", f"{due.name} gives {short(result)}, not {short(expected)}")


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, numbers to nine digits, a tuple like a list."""
    match one, other:
        case bool(), _:
            return one is other
        case int(), int():
            return one == other
        case ((int() | float()), (int() | float())):
            try:
                return math.isclose(one, other, rel_tol=CLOSE)
            except OverflowError:
                return False
        case ((list() | tuple()), (list() | tuple())):
            return len(one) == len(other) and all(map(same, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
        case complex(), complex():
            return same(one.real, other.real) and same(one.imag, other.imag)
        case _:
            return bool(one == other)


def _accepted(due: ToolCall, function: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The right call as accepted values: what is left out of it may be given as its default."""
    required = function["parameters"].get("required", ())
    accepted: dict[str, list[Any]] = {}
    for name, schema in function["parameters"]["properties"].items():
        if name in due.arguments:
            value = due.arguments[name]
            accepted[name] = [_open(value)]
            if name not in required and "default" in schema and schema["default"] == value:
                accepted[name].append("")
        elif "default" in schema:
            accepted[name] = [schema["default"], ""]
    return accepted


def _open(value: Any) -> Any:
    """A value as an accepted one: a dict lists the values of each of its keys."""
    match value:
        case dict():
            return {k: [_open(v)] for k, v in value.items()}
        case list() | tuple():
            return [_open(v) for v in value]
        case _:
            return value
