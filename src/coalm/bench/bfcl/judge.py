"""What the calls of an answer are worth: one verdict, whoever asks and however it was read."""

from collections.abc import Sequence

from coalm.bench.base import Verdict
from coalm.bench.bfcl.data import Case
from coalm.bench.bfcl.executable import how, results_fault, right_calls
from coalm.bench.bfcl.match import Rules, fault, short
from coalm.bench.bfcl.reading import Refused, Unreadable
from coalm.types import ToolCall

Read = Sequence[ToolCall] | Unreadable
"""The calls of an answer, or why it has none that can be read."""


def verdict(case: Case, read: Read, underscores: bool = False) -> Verdict:
    """Judge an answer: `right`, `name` (the right functions), `unreadable`; each 0 or 1."""
    unreadable = float(isinstance(read, Unreadable))
    if case.category.wants in ("no call", "any call"):
        return _without_answers(case, read, unreadable)
    rules = Rules(case.category.language, underscores)
    scores = {"right": 0.0, "name": 0.0, "unreadable": unreadable}
    executable = case.category.wants == "these results"
    if executable:
        scores["executed"] = float(how(case) == "executed")
    if isinstance(read, Unreadable):
        return Verdict(scores, "format", str(read))
    due = [name for one in case.wanted for name in one]
    due = [call.name for call in right_calls(case)] if executable else due
    scores["name"] = float(sorted(call.name for call in read) == sorted(map(rules.name, due)))
    if executable:
        found = results_fault(case, read, rules)
    else:
        found = fault(case.functions, read, case.wanted, rules)
    if found:
        return Verdict(scores, found.kind, found.note)
    executed = {"right_executed": scores["executed"]} if executable else {}
    return Verdict(scores | {"right": 1.0} | executed)


def _without_answers(case: Case, read: Read, unreadable: float) -> Verdict:
    """Where no call is due, or just any."""
    scores = {"right": 0.0, "unreadable": unreadable}
    if isinstance(read, Refused):
        return Verdict(scores, "format", str(read))
    # Officially, what cannot be read as a call is none: right where none is due.
    calls = () if isinstance(read, Unreadable) else read
    due = case.category.wants == "any call"
    if due == bool(calls):
        return Verdict(scores | {"right": 1.0})
    if due:
        return Verdict(scores, "format" if unreadable else "no call", "a call is due")
    names = ", ".join(short(call.name) for call in calls)
    return Verdict(scores, "needless call", f"calls {names[:80]} where nothing fits")
