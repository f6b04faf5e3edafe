"""The verdict on a conversation's calls, and on whole result files.

All or nothing, as the official checker has it: every turn that gold calls in must end in
gold's state, with gold's results among what has come back so far. Beside it two shares of
turns, since one slip loses a case whole: turns that are right as the conversation went,
and turns that would be right if everything before them had been gold's.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from coalm.bench.base import Kind, Verdict
from coalm.bench.bfcl.data import Data, find
from coalm.bench.bfcl.multiturn.cases import Case, cases
from coalm.bench.bfcl.multiturn.decode import decoded
from coalm.bench.bfcl.multiturn.environment import Environments, Limits, Lost
from coalm.bench.bfcl.multiturn.impossible import IMPOSSIBLE
from coalm.errors import DataError, unknown

Steps = list[list[str]]
"""The calls of one turn, by step."""

_KINDS: Mapping[str, Kind] = {
    "": "",
    "empty_turn_model_response": "no call",
    "instance_state_mismatch": "wrong state",
    "execution_response_mismatch": "missing information",
    "force_terminated": "too many steps",
    "inference_error": "format",
}
"""The official checker's words in ours."""


def score_results(
    category: str,
    results: Mapping[str, object],
    data: Data | None = None,
    *,
    workers: int | None = None,
    limits: Limits | None = None,
) -> dict[str, Verdict]:
    """By id, the verdict on each result of a category, in the order given.

    A result is what the official layout holds: turns, in each of them steps, in each step
    what the model gave (see `decode.decoded`). Never raises for what a result holds; an
    id that the category does not have is a `DataError`.
    """
    data = data or find()
    known = {case.id: case for case in cases(data, category)}
    for name in results:
        if name not in known:
            raise DataError(unknown(f"case of {category}", name, known))
    classes = [kind for case in known.values() for kind in case.classes]
    workers = workers or min(8, os.cpu_count() or 1)
    with (
        Environments(data, classes, limits) as environments,
        ThreadPoolExecutor(workers) as pool,
    ):
        judge = pool.map(
            lambda item: verdict(environments, known[item[0]], turns_of(item[1])), results.items()
        )
        return dict(zip(results, judge, strict=True))


def turns_of(result: object) -> list[Steps] | None:
    """The calls of a result, by turn and step; None if it is not a list of turns at all.

    A step that cannot be read as calls is left out, as the official harness leaves it out.
    """
    if not isinstance(result, list | tuple):
        return None
    return [_steps(turn) for turn in result]


def verdict(environments: Environments, case: Case, said: Sequence[Steps] | None) -> Verdict:
    """Judge the calls of each turn.

    Scores: `right`, the shares `turns` and `turns_from_gold`, and `possible` with
    `possible_right` for the figure without the impossible cases.
    """
    try:
        found = environments.judge(case.scene, (said or [])[: len(case.gold)], case.gold)
    except Lost as e:
        return Verdict(_scores(case, False, (), ()), "environment lost", f"lost: {e}")
    error, note = found.error, f"turn {found.turn + 1}: {found.what}" if found.error else ""
    if said is None:
        error, note = "inference_error", "not a list of turns"
    elif len(said) != len(case.gold):
        error, note = "force_terminated", f"{len(said)} turns, not {len(case.gold)}"
    scores = _scores(case, not error, found.turns, found.from_gold)
    return Verdict(scores, _KINDS[error], f"{error}: {note}" if error else "")


def _scores(
    case: Case, right: bool, turns: Sequence[bool], from_gold: Sequence[bool]
) -> dict[str, float]:
    possible = float(case.id not in IMPOSSIBLE)
    return {
        "right": float(right),
        "turns": sum(turns) / len(case.gold),
        "turns_from_gold": sum(from_gold) / len(case.gold),
        "possible": possible,
        "possible_right": possible * right,
    }


def _steps(turn: object) -> Steps:
    return list(_readable(turn)) if isinstance(turn, list | tuple) else []


def _readable(turn: Sequence[object]) -> Iterator[list[str]]:
    for step in turn:
        calls = decoded(step)
        if calls:
            yield calls
