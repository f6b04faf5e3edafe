"""Our verdict on conversations against BFCL's own checker, run in a process of its own."""

import json
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.base import Verdict
from coalm.bench.bfcl import Data, find
from coalm.bench.bfcl.multiturn import CATEGORIES, Case, cases, score_results
from tests.bench.bfcl_multiturn.mutants import gold_calls, mutant, spelt

pytestmark = [pytest.mark.data, pytest.mark.slow]

EACH = 3
"""Mutants of each case: 2,400 in all."""

Asked = tuple[Case, str, Any]


@pytest.fixture(scope="module")
def data() -> Data:
    found = find()
    if found.version == "miniature":
        if os.environ.get("COALM_REQUIRE_DATA") == "1":
            pytest.fail("the bfcl-eval wheel cannot be fetched")
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    return found


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_verdict_is_the_official_one(category: str, data: Data, tmp_path: Path) -> None:
    rng = random.Random(f"multi-turn {category}")
    known = cases(data, category)
    others = [call for case in known for turn in gold_calls(case) for call in turn]
    asked: list[Asked] = [
        (case, "decoded", [[list(turn)] if turn else [] for turn in case.gold]) for case in known
    ]
    asked += [(case, *spelt(rng, mutant(rng, case, others))) for case in known for _ in range(EACH)]
    official = _official(data, asked, tmp_path)
    ours = _ours(data, category, asked)
    # What makes the official checker fall over is wrong for us; its word for what is wrong
    # stands in our note.
    differing = [
        (case.id, mode, result, mine.note, theirs)
        for (case, mode, result), mine, theirs in zip(asked, ours, official, strict=True)
        if bool(mine.scores["right"]) != (theirs == "right")
        or (" " in theirs and theirs.split()[0] == "wrong" and theirs.split()[1] not in mine.note)
    ]
    assert differing == []
    counts = Counter(theirs.split()[0] for theirs in official[len(known) :])
    assert official[: len(known)] == ["right"] * 200
    assert 0.15 < counts["right"] / len(known) / EACH < 0.85  # the mutants are no formality
    assert counts["crash"] <= len(asked) // 100


def _ours(data: Data, category: str, asked: list[Asked]) -> list[Verdict]:
    """Each case once a call, since a result has one line a case."""
    found: list[Verdict | None] = [None] * len(asked)
    left = dict(enumerate(asked))
    while left:
        batch: dict[str, int] = {}
        for at, (case, _, _) in left.items():
            batch.setdefault(case.id, at)
        results = {name: asked[at][2] for name, at in batch.items()}
        for name, verdict in score_results(category, results, data).items():
            found[batch[name]] = verdict
            del left[batch[name]]
    return [verdict for verdict in found if verdict]


def _official(data: Data, asked: list[Asked], folder: Path) -> list[str]:
    with zipfile.ZipFile(data.path) as wheel:
        wheel.extractall(folder, [n for n in wheel.namelist() if n.endswith(".py")])
    lines = [json.dumps([_row(case), case.gold, mode, result]) for case, mode, result in asked]
    done = subprocess.run(
        [sys.executable, "-I", str(Path(__file__).with_name("official.py")), str(folder)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    assert len(found) == len(asked)
    return found


def _row(case: Case) -> dict[str, Any]:
    return {"id": case.id, "initial_config": case.config, "involved_classes": case.classes}
