"""Our verdicts against BFCL's own, item by item; its code runs in a process apart."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coalm import sources
from coalm.bench.bfcl import CATEGORIES, Case, Data, find
from coalm.bench.bfcl.answers import calls_of
from coalm.bench.bfcl.judge import Read, verdict
from coalm.bench.bfcl.reading import Unreadable
from coalm.types import ToolCall

from .mutants import Asked, asked

pytestmark = pytest.mark.data

PINNED = ("tree_sitter==0.21.3", "tree-sitter-java==0.21.0", "tree-sitter-javascript==0.21.4")
"""What the wheel asks for; it has no builds for Python 3.13."""

SCORED = [c for c in CATEGORIES.values() if c.wants != "these results"]
"""The official code for the executable categories is not in the wheel."""


def _missing(what: str) -> None:
    if os.environ.get("COALM_REQUIRE_DATA") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def data() -> Data:
    found = find()
    if found.version == "miniature":
        _missing("the bfcl-eval wheel cannot be fetched")
    return found


@pytest.fixture(scope="module")
def official(data: Data, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that judges officially."""
    if sys.version_info >= (3, 13):
        pytest.skip("BFCL's pinned parsers have no build for this Python")
    wheel = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(data.path) as file:
        file.extractall(wheel, [n for n in file.namelist() if n.endswith(".py")])
    parsers = sources.cache() / "parsers" / f"bfcl-{sys.version_info[0]}.{sys.version_info[1]}"
    if not parsers.exists():
        parsers.parent.mkdir(parents=True, exist_ok=True)
        draft = tempfile.mkdtemp(dir=parsers.parent)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", draft]
        if subprocess.run([*pip, *PINNED], capture_output=True, check=False).returncode:
            shutil.rmtree(draft)
            _missing("BFCL's pinned parsers cannot be fetched")
        Path(draft).rename(parsers)
    script = str(Path(__file__).with_name("official.py"))
    return [sys.executable, "-I", script, str(wheel), str(parsers)]


def theirs(command: list[str], cases: list[Case], answers: list[Asked]) -> list[str]:
    """The official verdicts."""
    rows = [[c.id, c.category.name, c.functions, c.wanted] for c in cases]
    lines = [json.dumps(rows), *(json.dumps(one) for one in answers)]
    done = subprocess.run(
        command,
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = done.stdout.splitlines()
    assert len(found) == len(answers)
    return found


def ours(case: Case, style: str, answer: Any) -> str:
    """Our verdict."""
    read: Read
    if style == "calls":
        read = [ToolCall(name, given) for one in answer for name, given in one.items()]
    else:
        kind = "fc" if style.startswith("fc") else "prompt"
        try:
            read = calls_of(answer, kind, case.category.language)  # type: ignore[arg-type]
        except Unreadable as e:
            read = e
    return "right" if verdict(case, read, style == "fc").scores["right"] else "wrong"


def compare(command: list[str], data: Data, each: int, seed: int) -> tuple[Counter[str], list[Any]]:
    """How often each official verdict came, by style; and the items where ours is another.

    Where the official code falls over, a run of the leaderboard ends; ours must say wrong.
    """
    cases = [case for category in SCORED for case in data.cases(category)]
    answers = list(asked(cases, each, seed))
    found = theirs(command, cases, answers)
    tally: Counter[str] = Counter()
    differing = []
    for (number, style, answer), official in zip(answers, found, strict=True):
        case = cases[number]
        tally[f"{case.category.language} {style} {official.split()[0]}"] += 1
        mine = ours(case, style, answer)
        if mine != ("wrong" if official.startswith("crash") else official):
            differing.append((case.id, style, mine, official, answer))
    return tally, differing


def test_a_sample_of_answers_gets_the_official_verdict(official: list[str], data: Data) -> None:
    cases = [c for category in SCORED for c in data.cases(category)[::23]]
    answers = list(asked(cases, 4, seed=3))
    found = theirs(official, cases, answers)
    mine = [ours(cases[n], style, answer) for n, style, answer in answers]
    expected = ["wrong" if one.startswith("crash") else one for one in found]
    assert [row for row in zip(answers, mine, expected, strict=True) if row[1] != row[2]] == []
    assert len(answers) > 1000
    assert 0.2 < found.count("right") / len(found) < 0.8  # the mutants are no formality


@pytest.mark.slow
def test_twenty_thousand_mutants_get_the_official_verdict(official: list[str], data: Data) -> None:
    tally, differing = compare(official, data, each=8, seed=7)
    assert differing == []
    assert sum(tally.values()) > 20_000
    for language in ("python", "java", "javascript"):
        for style in ("calls", "fc", "fc-dots", "prompt"):
            for what in ("right", "wrong"):
                assert tally[f"{language} {style} {what}"] > 20, (language, style, what)


if __name__ == "__main__":  # python -m tests.bench.bfcl.test_parity EACH SEED WHEEL PARSERS
    each, seed, wheel, parsers = sys.argv[1:]
    script = str(Path(__file__).with_name("official.py"))
    counted, others = compare(
        [sys.executable, "-I", script, wheel, parsers], find(), int(each), int(seed)
    )
    for row in others:
        print(row)
    print(sum(counted.values()), "answers,", len(others), "different;", dict(counted))
