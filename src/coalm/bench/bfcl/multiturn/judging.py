"""What a case's environments do with calls, and whether that is what was wanted.

Imports nothing of coalm and nothing heavy: it is loaded by the worker process.

A call is parsed, looked up by name among the public methods of the case's environments,
and given literal arguments; no text is ever evaluated. What comes back is worded as the
official executor words it, because the words are compared.

Deviation D74: the official executor evaluates the text of a call as Python. Here a call
is a method of the case's environments with literals or such calls as arguments; builtins,
modules, attributes and operators are unknown names or refused.
"""

import ast
import copy
import inspect
import json
import random
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

DENIED = frozenset({"kill", "exit", "quit", "remove", "unlink", "popen", "Popen", "run"})
"""Names that the official executor refuses by name."""

_SPACED = re.compile(r"\b([a-zA-Z_]\w*)\s+(?=\()")

Methods = Mapping[str, Callable[..., Any]]
Instances = dict[str, Any]


def executed(call: str, methods: Methods) -> str:
    """What one call gives back, as text; an error is text as well."""
    # The official executor rewrites the text and so loses blanks between a word and a
    # bracket, in a user's words too.
    call = _SPACED.sub(r"\1", call)
    try:
        _refuse(call, methods)
        body = _parsed(call)
    except (Exception, MemoryError) as e:
        return f"Error during execution: {e}"
    try:
        return _text(_called(body, methods))
    except MemoryError:  # the end of the session, and not an answer
        raise
    except Exception as e:
        return f"Error during execution: {e}"


def _refuse(call: str, methods: Methods) -> None:
    """Raise for the names that are refused, found in the text as the official executor does."""
    parts = call.partition("(")[0].split(".")
    name = parts[0] if len(parts) == 1 else parts[1]
    if name in DENIED and parts[-1] not in methods:
        raise PermissionError(f"Function call {name} is not allowed.")


def _parsed(call: str) -> ast.Call:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = ast.parse(call.lstrip(" \t"), "<string>", "eval").body
    if not isinstance(body, ast.Call):
        raise TypeError(f"{type(body).__name__} is no call")
    return body


def _value(node: ast.expr | None, methods: Methods) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Call():
            return _called(node, methods)
        case ast.Name(id=name):
            raise NameError(f"name {name!r} is not defined")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items):
            return [_value(item, methods) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, methods) for item in items)
        case ast.Set(elts=items):
            return {_value(item, methods) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_value(k, methods): _value(v, methods) for k, v in pairs}
        case _:
            raise TypeError(f"{type(node).__name__} is neither a call nor a literal")


def _called(node: ast.Call, methods: Methods) -> Any:
    match node.func:
        case ast.Name(id=name) if name in methods:
            method = methods[name]
        case ast.Name() | ast.Attribute():
            first: ast.expr = node.func
            while isinstance(first, ast.Attribute):
                first = first.value
            if isinstance(first, ast.Name):
                raise NameError(f"name {first.id!r} is not defined")  # noqa: TRY004 - as Python
            raise TypeError("only a name can be called")
        case _:
            raise TypeError("only a name can be called")
    given = [keyword.arg for keyword in node.keywords]
    twice = next((name for name in given if given.count(name) > 1), "")
    if twice:
        raise SyntaxError(f"keyword argument repeated: {twice} (<string>, line 1)")
    arguments = [_value(argument, methods) for argument in node.args]
    keywords = {k.arg: _value(k.value, methods) for k in node.keywords if k.arg}
    if len(keywords) < len(given):
        raise TypeError("** is neither a call nor a literal")
    return method(*arguments, **keywords)


def _text(result: Any) -> str:
    if isinstance(result, dict) and type(result) is dict:
        try:
            return json.dumps(result)
        except (TypeError, ValueError, RecursionError):
            return str(result)
    return result if type(result) is str else str(result)


def instances(known: Mapping[str, type], case: Mapping[str, Any]) -> Instances:
    """An environment of each of the case's `classes`, in the state with which it begins."""
    made: Instances = {}
    for name in case["classes"]:
        made[name] = known[name]()
        if hasattr(made[name], "_load_scenario"):
            made[name]._load_scenario(
                copy.deepcopy(case["config"].get(name, {})), long_context=case["long"]
            )
    return made


def methods_of(made: Instances) -> dict[str, Callable[..., Any]]:
    """The public methods; where two environments share a name, the later one has it."""
    return {
        name: method
        for instance in made.values()
        for name, method in inspect.getmembers(instance, inspect.ismethod)
        if not name.startswith("_")
    }


def _copied(made: Instances) -> Instances:
    """The same environments in the same state, apart from the first ones."""
    known: dict[int, Any] = {}
    for instance in made.values():
        for value in vars(instance).values():
            if isinstance(value, random.Random):  # six hundred numbers, which copy takes one by one
                known[id(value)] = random.Random(0)
                known[id(value)].setstate(value.getstate())
    return copy.deepcopy(made, known)


def differing(said: Instances, gold: Instances) -> list[str]:
    """The public attributes, `Class.name`, whose values are not those of the gold instances."""
    found = []
    for kind, instance in gold.items():
        for name, value in vars(instance).items():
            if name.startswith("_"):
                continue
            try:
                # Asked as the official checker asks: `!=` may be a method of its own.
                differs = not hasattr(said[kind], name) or getattr(said[kind], name) != value
            except (Exception, MemoryError):
                differs = True
            if differs:
                found.append(f"{kind}.{name}")
    return found


def missing(wanted: Sequence[str], had: Sequence[str]) -> list[str]:
    """Of the wanted results those that are not among what was had, each counted once."""
    left = list(had)
    lacking = []
    for result in wanted:
        if result in left:
            left.remove(result)
        else:
            lacking.append(result)
    return lacking


def judged(
    known: Mapping[str, type], request: Mapping[str, Any], arm: Callable[[], None]
) -> dict[str, Any]:
    """The verdict on the calls of each turn: `said` and `gold`, run side by side.

    `error` is the official checker's word for the first fault and empty if there is none;
    `turns` and `from_gold` say which turns are right. `arm` is called before each call.
    """
    said, gold = instances(known, request), instances(known, request)
    ours, theirs = methods_of(said), methods_of(gold)
    had: list[str] = []
    results: list[list[str]] = []
    before: list[Instances] = [_copied(gold)]
    fault, kept = ("", "", -1), []
    for turn, wanted in enumerate(request["gold"]):
        steps = request["said"][turn] if turn < len(request["said"]) else []
        for call in (call for step in steps for call in step):
            arm()
            had.append(executed(call, ours))
        arm()
        results.append([executed(call, theirs) for call in wanted])
        before.append(_copied(gold))
        wrong = _turn_fault(steps, results[-1], differing(said, gold), had)
        reached = turn < len(request["said"])
        kept.append(reached and not wrong[0])
        if wrong[0] and wanted and not fault[0] and reached:
            fault = (*wrong, turn)
    return {
        "error": fault[0],
        "what": fault[1][:500],
        "turn": fault[2],
        "turns": kept,
        "from_gold": _from_gold(request, before, results, arm),
    }


def _from_gold(
    request: Mapping[str, Any],
    before: list[Instances],
    results: list[list[str]],
    arm: Callable[[], None],
) -> list[bool]:
    """For each turn, whether its calls are right if everything before it had been."""
    right = []
    for turn, steps in enumerate(request["said"][: len(results)]):
        methods = methods_of(before[turn])
        had = [result for earlier in results[:turn] for result in earlier]
        for call in (call for step in steps for call in step):
            arm()
            had.append(executed(call, methods))
        state = differing(before[turn], before[turn + 1])
        right.append(not _turn_fault(steps, results[turn], state, had)[0])
    return right + [False] * (len(results) - len(right))


def _turn_fault(
    steps: Sequence[Sequence[str]], wanted: list[str], state: list[str], had: list[str]
) -> tuple[str, str]:
    if wanted and (not steps or (len(steps) == 1 and not steps[0])):
        return "empty_turn_model_response", "no call, where some were due"
    if state:
        return "instance_state_mismatch", f"{', '.join(state)} differ"
    lacking = missing(wanted, had) if wanted else []
    if lacking:
        return "execution_response_mismatch", f"nothing gave {lacking[0]!r}"
    return "", ""
