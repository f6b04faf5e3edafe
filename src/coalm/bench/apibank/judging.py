"""Whether a call of API-Bank is right: run it, run the gold one, and compare what came back.

Each case has a world of its own, with the dialogue's earlier calls done in it. Both calls are
run from there, and are compared as the API's own rule has it: some parameters by their words
or as dates, results by equality.

Deviation D95: upstream runs the call in a fresh database, without what the dialogue did before,
and compares with a result that was kept from when the dialogue was written. So it judges some
gold calls as wrong. `fresh` does it that way.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from coalm.bench.apibank.apis import APIS, Api, Result, World, planned
from coalm.bench.apibank.apis.base import unpacked
from coalm.bench.apibank.damo_rows import DamoCase
from coalm.bench.apibank.library import KEYWORDS, NAME, Library, results_of, same_keywords
from coalm.bench.base import Kind
from coalm.types import ToolCall

Basis = Literal["executed", "compared", "searched"]
"""How a call was judged: by running it, by its parameters alone, by our own search."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a call came to."""

    basis: Basis
    kind: Kind = ""
    """Empty if the call is right."""
    note: str = ""


class Mistyped(ValueError):
    """A value that cannot be what its parameter asks for; the text names the parameter."""


@dataclass(frozen=True, slots=True)
class Court:
    """What is needed to judge: databases, libraries of tools, and results of old."""

    databases: Mapping[str, Any]
    libraries: Mapping[str, Library]
    """By level."""
    recorded: Mapping[str, Sequence[tuple[ToolCall, str]]]
    """By dialogue, its calls in order and what each gave when it was written."""
    fresh: bool = False
    """Whether to judge as upstream does; see the module."""

    def judge(self, case: DamoCase, said: ToolCall) -> Judgement:
        """Judge a call where `case.call` is due."""
        gold = case.call
        assert gold is not None
        basis = basis_of(case)
        if said.name != gold.name:
            return Judgement(basis, "wrong function", f"called {said.name}, not {gold.name}")
        if gold.name == NAME:
            return self._searched(case, gold, said)
        api = APIS.get(gold.name)
        if case.level == "L-3" or api is None or _faulty(api, gold):
            return _by_parameters(gold, said)
        return self._run(case, api, gold, said)

    def _run(self, case: DamoCase, api: Api, gold: ToolCall, said: ToolCall) -> Judgement:
        basis: Basis = "executed" if api.offline else "compared"
        wanted = typed(api, gold.arguments)
        fault = _fault(api, said)
        if fault:
            return Judgement(basis, *fault)
        try:
            given = typed(api, said.arguments)
        except Mistyped as e:
            return Judgement(basis, "wrong type", f"{said.name}: {e}")
        differs = api.differs(wanted, given)
        ours = api.call(self.world(case), given)
        if differs:
            note = _apart(said.name, differs, given.get(differs), wanted.get(differs))
            return Judgement(basis, "wrong argument", note)
        if self.fresh and api.offline:
            right = self._as_recorded(case, api, ours)
        else:
            theirs = api.call(self.world(case), wanted)
            right = ours.refusal == theirs.refusal and (not api.outputs or ours == theirs)
        if not right:
            why = ours.refusal or "another result"
            return Judgement(basis, "wrong argument", f"{said.name}: {why}")
        return Judgement(basis)

    def world(self, case: DamoCase) -> World:
        """The databases as the dialogue's earlier calls left them; as they were, if `fresh`."""
        world = World(self.databases)
        if not self.fresh:
            for line in case.lines:
                if line.call is not None and line.call.name in APIS:
                    api = APIS[line.call.name]
                    if not _faulty(api, line.call):
                        api.call(world, typed(api, line.call.arguments))
        return world

    def result_of_old(self, case: DamoCase) -> str | None:
        """What the due call gave when the dialogue was written; None where no row shows it."""
        place = sum(line.call is not None for line in case.lines)
        known = self.recorded.get(case.dialogue, ())
        if case.call is None or place >= len(known) or known[place][0] != case.call:
            return None
        return known[place][1]

    def _as_recorded(self, case: DamoCase, api: Api, ours: Result) -> bool:
        if ours.refusal:
            return False
        old = self.result_of_old(case)
        return old is None or not api.outputs or agrees(ours, old)

    def _searched(self, case: DamoCase, gold: ToolCall, said: ToolCall) -> Judgement:
        if set(said.arguments) != {KEYWORDS}:
            short: Kind = "extra argument" if KEYWORDS in said.arguments else "missing argument"
            return Judgement("searched", short, f"{NAME} takes {KEYWORDS} and nothing else")
        wanted, given = str(gold.arguments[KEYWORDS]), str(said.arguments[KEYWORDS])
        if same_keywords(wanted, given):
            return Judgement("searched")
        found = self.libraries[case.level].best(given)
        old = results_of(self.result_of_old(case) or "")
        due = old[-1][0] if old else self.libraries[case.level].best(wanted)
        if found == due and due:
            return Judgement("searched")
        return Judgement(
            "searched", "wrong argument", f"{_short(given)} finds {found or 'nothing'}"
        )


def basis_of(case: DamoCase) -> Basis:
    """How a case's call is judged."""
    assert case.call is not None
    if case.call.name == NAME:
        return "searched"
    api = APIS.get(case.call.name)
    if case.level == "L-3" or api is None or not api.offline or _faulty(api, case.call):
        return "compared"
    return "executed"


def agrees(ours: Result, old: str) -> bool:
    """Whether a result is the one that the data shows as text."""
    text = old.strip()
    if isinstance(ours.output, str):
        return ours.output == text
    try:
        return bool(ast.literal_eval(text) == ours.output)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def typed(api: Api, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the API takes them; `Mistyped` names one that cannot be."""
    found = {}
    for name, value in arguments.items():
        hint = api.parameters[name].annotation
        kind = next((k for k in get_args(hint) if k is not type(None)), hint)
        kind = hint if get_origin(hint) is list else kind
        found[name] = _typed(name, value, get_origin(kind) or kind)
    return found


def _typed(name: str, value: Any, kind: Any) -> Any:
    """One value: in the data everything is a text, in JSON it may have its type already."""
    if kind is bool:
        return value if isinstance(value, bool) else str(value).strip().lower() == "true"
    if kind is int and not (isinstance(value, int) and not isinstance(value, bool)):
        if not str(value).isdecimal():
            raise Mistyped(f"{name} is {_short(value)}, which is no whole number")
        return int(str(value)[:40])
    if kind is list and not isinstance(value, list):
        try:
            return unpacked(value if isinstance(value, str) else "")
        except ValueError:
            raise Mistyped(f"{name} is {_short(value)}, which is no list") from None
    if kind is str and not isinstance(value, str):
        if isinstance(value, list | dict) or value is None:
            raise Mistyped(f"{name} is {_short(value)}, which is no text")
        return str(value)
    return value


def _fault(api: Api, said: ToolCall) -> tuple[Kind, str] | None:
    """What is wrong with the names of a call's parameters."""
    for name in said.arguments:
        if name not in api.parameters:
            return "extra argument", f"{api.name} has no parameter {name}"
    for name, known in api.parameters.items():
        if known.default is inspect.Parameter.empty and name not in said.arguments:
            return "missing argument", f"{api.name} lacks {name}"
    return None


def _faulty(api: Api, gold: ToolCall) -> bool:
    """Whether a gold call is none that its API takes, which a few of the data's are not."""
    try:
        return bool(_fault(api, gold)) or typed(api, gold.arguments) is None
    except Mistyped:
        return True


def _by_parameters(gold: ToolCall, said: ToolCall) -> Judgement:
    """A call that is not run, by its parameters."""
    for name in gold.arguments:
        if name not in said.arguments:
            return Judgement("compared", "missing argument", f"{gold.name} lacks {name}")
    for name in said.arguments:
        if name not in gold.arguments:
            return Judgement("compared", "extra argument", f"{gold.name} was given {name}")
    wanted, given = plain(gold.arguments), plain(said.arguments)
    differs = planned.differs(gold.name, wanted, given)
    if differs:
        note = _apart(gold.name, differs, given[differs], wanted[differs])
        return Judgement("compared", "wrong argument", note)
    return Judgement("compared")


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with numbers and lists as such, whether or not they came as texts."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        found[name] = value
        if isinstance(value, str):
            text = value.strip()
            if text.startswith("["):
                try:
                    found[name] = unpacked(text)
                except ValueError:
                    continue
            elif _number(text):
                found[name] = float(text)
    return found


def _apart(name: str, parameter: str, given: object, wanted: object) -> str:
    return f"{name}.{parameter} is {_short(wanted)}, not {_short(given)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _number(text: str) -> bool:
    return (
        len(text) < 40
        and text.replace(".", "", 1).isascii()
        and (text.replace(".", "", 1).isdigit())
    )


def results_of_old(cases: Sequence[DamoCase]) -> dict[str, list[tuple[ToolCall, str]]]:
    """By dialogue, the longest row of calls and results that any of its rows shows."""
    found: dict[str, list[tuple[ToolCall, str]]] = {}
    for case in cases:
        calls = [(line.call, line.result) for line in case.lines if line.call is not None]
        if len(calls) > len(found.get(case.dialogue, ())):
            found[case.dialogue] = calls
    return found
