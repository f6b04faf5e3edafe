"""The protocol `bfcl:ast`: one turn, its calls compared with the accepted ones (Paper 5).

Deviation D30: the answer is asked for and read in the run's own dialect, without BFCL's
system prompt and its note on Python syntax; the official prompting mode asks for
`[f(a=1)]` and reads it with Python's parser. What is judged, and how, is the same.
Deviation D31: a subset of BFCL V3, so there is no overall score; and no mean of the
parts, because a weighted sum over a sample would only resemble the official one.
Deviation D32: an argument that a model writes as a Python tuple counts as a list; the
official checker refuses a tuple where the schema says array.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coalm.agent import Reply
from coalm.bench.base import About, Metric, Verdict, mean
from coalm.bench.bfcl.data import CATEGORIES, Case, Category, Data, find
from coalm.bench.bfcl.match import fault
from coalm.engines import Completion, Said
from coalm.errors import RecipeError, unknown
from coalm.formats import Malformed
from coalm.formats.dialects.calls import write_calls
from coalm.types import Assistant, Dialogue, Json, ToolCall

DEFAULT = ("simple_python", "irrelevance")


class BfclAst:
    """BFCL's single-turn Python categories: a `Benchmark`."""

    def __init__(self, data: Data | None = None, categories: Sequence[str] = DEFAULT) -> None:
        for name in categories:
            if name not in CATEGORIES:
                raise RecipeError(unknown("BFCL category", name, CATEGORIES))
        data = data or find()
        chosen = [CATEGORIES[name] for name in categories]
        self._cases = tuple(case for category in chosen for case in data.cases(category))
        self._about = About(
            benchmark="bfcl",
            protocol="ast",
            version=data.version,
            metrics=tuple(_metrics(chosen)),
            max_steps=1,
            # The longest right call of the default categories takes SmolLM2 103 tokens.
            max_tokens=128,
        )

    @property
    def about(self) -> About:
        """Names, versions, metrics."""
        return self._about

    def cases(self) -> Sequence[Case]:
        """Every case, a category after the other."""
        return self._cases

    def id(self, case: Case) -> str:
        """BFCL's own id."""
        return case.id

    def part(self, case: Case) -> str:
        """The category."""
        return case.category.name

    def opening(self, case: Case) -> Dialogue:
        """The user's question and the functions on offer."""
        return Dialogue(case.turns, case.tools)

    def gold(self, case: Case) -> str:
        """Right calls, one spelling of them."""
        calls = _gold_calls(case)
        return f"[{write_calls(calls)}]" if calls else "no call"

    def gold_reply(self, case: Case) -> Reply:
        """A reply with the right calls, or with none."""
        turn = Assistant(calls=_gold_calls(case))
        said = Said(turn, Completion("", "stop", 0, 0), "")
        dialogue = self.opening(case).then(turn)
        return Reply(dialogue, "steps" if turn.calls else "spoke", (said,))

    def score(self, case: Case, reply: Reply) -> Verdict:
        """Judge the first turn: `right`, `name` (the right functions), `unreadable`."""
        turn = reply.said[0].turn if reply.said else Assistant()
        calls = turn.calls if isinstance(turn, Assistant) else ()
        unreadable = float(isinstance(turn, Malformed))
        if case.category.wants != "these calls":
            # Officially, what cannot be read as a call is none: right where none is due.
            due = case.category.wants == "any call"
            right = due == bool(calls)
            scores = {"right": float(right), "unreadable": unreadable}
            if right:
                return Verdict(scores)
            if due:
                return Verdict(scores, "format" if unreadable else "no call", "a call is due")
            names = ", ".join(call.name for call in calls)
            return Verdict(scores, "needless call", f"calls {names[:80]} where nothing fits")
        due_names = sorted(name for one in case.wanted for name in one)
        name = float(sorted(call.name for call in calls) == due_names)
        scores = {"right": 0.0, "name": name, "unreadable": unreadable}
        if isinstance(turn, Malformed):
            return Verdict(scores, "format", turn.why)
        found = fault(case.functions, calls, case.wanted)
        if found:
            return Verdict(scores, found.kind, found.note)
        return Verdict(scores | {"right": 1.0})


def _metrics(chosen: Sequence[Category]) -> Iterable[Metric]:
    """A score a category; beside it how often the functions' names alone are right.

    Where no call is due, an unreadable one is right as well, so their share is shown.
    """
    for category in chosen:
        name = category.name
        yield mean(category.title, "right", only=name, main=category is chosen[0])
        if category.wants == "these calls":
            kind = category.title.removesuffix(" (AST)")
            title = "Function name" if name == "simple_python" else f"{kind}, function name"
            yield mean(title, "name", only=name)
        else:
            yield mean(f"{category.title}, unreadable", "unreadable", only=name)


def _gold_calls(case: Case) -> tuple[ToolCall, ...]:
    match case.category.wants:
        case "no call":
            return ()
        case "any call":
            return (ToolCall(case.functions[0]["name"], {}),)
        case _:
            return tuple(
                ToolCall(name, _first(accepted, _needed(case, name)))
                for one in case.wanted
                for name, accepted in one.items()
            )


def _needed(case: Case, name: str) -> Sequence[str]:
    return next((tool.required for tool in case.tools if tool.name == name), ())


def _first(accepted: Mapping[str, Any], needed: Sequence[str] = ()) -> dict[str, Json]:
    """For each argument its first accepted value; left out where it may be and is not needed."""
    found = {}
    for name, values in accepted.items():
        given = [value for value in values if value != ""] or (values if name in needed else [])
        if given and (name in needed or "" not in values):
            found[name] = _value(given[0])
    return found


def _value(value: Any) -> Json:
    """An accepted value as a model would write it; each key of a dict lists its own."""
    match value:
        case dict() if all(isinstance(values, list) for values in value.values()):
            return _first(value)
        case list():
            return [_value(item) for item in value]
        case _:
            plain: Json = value
            return plain
