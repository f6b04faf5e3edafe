"""Our matcher against BFCL's own checker, run from the wheel in a process of its own."""

import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl import CATEGORIES, BfclAst, Case, Data, find
from coalm.bench.bfcl.match import fault
from coalm.types import ToolCall

pytestmark = [pytest.mark.data, pytest.mark.slow]

OFFICIAL = """
import json, sys, types

sys.path.insert(0, sys.argv[1])


class Any(types.ModuleType):
    def __getattr__(self, name):
        return {}


for name in (
    "bfcl_eval.constants.model_config",
    "bfcl_eval.eval_checker.ast_eval.type_convertor.java_type_converter",
    "bfcl_eval.eval_checker.ast_eval.type_convertor.js_type_converter",
):
    sys.modules[name] = Any(name)

from bfcl_eval.constants.enums import Language
from bfcl_eval.eval_checker.ast_eval import ast_checker as official

# Models that are prompted for text keep the dots in a function's name.
official.convert_func_name = lambda name, model: name
for line in sys.stdin:
    functions, output, answers, category = json.loads(line)
    try:
        found = official.ast_checker(
            functions, output, answers, Language.PYTHON, category, "any"
        )
        print("right" if found["valid"] else "wrong")
    except Exception as e:
        print("crash", type(e).__name__)
"""

Asked = tuple[Case, list[ToolCall]]


@pytest.fixture(scope="module")
def data() -> Data:
    found = find()
    if found.version == "miniature":
        if os.environ.get("COALM_REQUIRE_DATA") == "1":
            pytest.fail("the bfcl-eval wheel cannot be fetched")
        pytest.skip("the bfcl-eval wheel cannot be fetched")
    return found


def test_the_verdict_is_the_official_one(data: Data, tmp_path: Path) -> None:
    asked = list(_asked(data, ("simple_python",), 15))
    assert len(asked) >= 400 + 2000
    ours, official, crashes = _verdicts(data, asked, tmp_path)
    assert _differing(asked, ours, official) == []
    assert 0.15 < official.count("right") / len(official) < 0.85  # the mutants are no formality
    assert crashes <= len(asked) // 100


def test_it_is_so_in_every_other_category_with_answers(data: Data, tmp_path: Path) -> None:
    others = tuple(
        c.name for c in CATEGORIES.values() if c.wants == "these calls" and c.name != DEFAULT
    )
    asked = list(_asked(data, others, 4))
    ours, official, crashes = _verdicts(data, asked, tmp_path)
    assert _differing(asked, ours, official) == []
    assert crashes <= len(asked) // 100


def test_every_gold_answer_of_simple_is_officially_right(data: Data, tmp_path: Path) -> None:
    asked = list(_asked(data, ("simple_python",), 0))
    ours, official, _ = _verdicts(data, asked, tmp_path)
    assert ours == official == ["right"] * 400


DEFAULT = "simple_python"


def _verdicts(data: Data, asked: list[Asked], folder: Path) -> tuple[list[str], list[str], int]:
    """Ours and theirs, one each; and how often the official checker fell over."""
    with zipfile.ZipFile(data.path) as wheel:
        wheel.extractall(folder, [n for n in wheel.namelist() if n.endswith(".py")])
    lines = [
        json.dumps(
            [
                case.functions,
                [{call.name: call.arguments} for call in calls],
                case.wanted,
                case.category.name,
            ]
        )
        for case, calls in asked
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", OFFICIAL, str(folder)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    official = done.stdout.splitlines()
    assert len(official) == len(asked)
    ours = [
        "wrong" if fault(case.functions, calls, case.wanted) else "right" for case, calls in asked
    ]
    return ours, official, sum(verdict.startswith("crash") for verdict in official)


def _differing(asked: list[Asked], ours: list[str], official: list[str]) -> list[object]:
    """Where the two disagree; what makes the official checker fall over must be wrong for us."""
    return [
        (case.id, mine, theirs, calls, case.wanted)
        for (case, calls), mine, theirs in zip(asked, ours, official, strict=True)
        if mine != ("wrong" if theirs.startswith("crash") else theirs)
    ]


def _asked(data: Data, categories: tuple[str, ...], mutants: int) -> Iterator[Asked]:
    """Each case's gold calls, and `mutants` answers near to them."""
    rng = random.Random(7)
    benchmark = BfclAst(data, categories)
    for case in benchmark.cases():
        yield case, list(benchmark.gold_reply(case).turns[0].calls)
        for _ in range(mutants):
            calls = [
                ToolCall(name, {k: _spelt(rng, rng.choice(v)) for k, v in accepted.items() if v})
                for one in case.wanted
                for name, accepted in one.items()
            ]
            for _ in range(rng.choice((0, 1, 1, 1, 2))):
                _mutate(rng, calls)
            yield case, calls


def _spelt(rng: random.Random, value: Any) -> Any:
    """An accepted value written out; dicts list the values that their keys may have."""
    if isinstance(value, dict):
        spelt = {k: rng.choice(v) if isinstance(v, list) and v else v for k, v in value.items()}
        return {k: v for k, v in spelt.items() if v != "" or rng.random() < 0.1}
    if isinstance(value, list):
        return [_spelt(rng, item) if isinstance(item, dict) else item for item in value]
    return value


def _mutate(rng: random.Random, calls: list[ToolCall]) -> None:
    at = rng.randrange(len(calls)) if calls else 0
    call = calls[at] if calls else ToolCall("f", {})
    arguments = dict(call.arguments)
    names = list(arguments)
    name = rng.choice(names) if names else "x"
    match rng.randrange(14):
        case 0:
            arguments.pop(name, None)
        case 1:
            arguments[f"{name}_"] = arguments.pop(name, 1)
        case 2:
            arguments["extra"] = rng.choice((1, "", None, []))
        case 3:
            rng.shuffle(names)
            arguments = {n: arguments[n] for n in names}
        case 4:
            calls.append(call)
            return
        case 5:
            calls[at : at + 1] = []
            return
        case 6:
            rng.shuffle(calls)
            return
        case 7:
            call = ToolCall(call.name + rng.choice(("s", ".x", "")), {})
        case _:
            arguments[name] = _changed(rng, arguments.get(name))
    calls[at : at + 1] = [ToolCall(call.name, arguments)]


def _changed(rng: random.Random, value: Any) -> Any:
    """Another value, or the same in another dress."""
    common: tuple[Any, ...] = (str(value), [value], None, "", [], {}, 0, True, 1.5, value)
    near: tuple[Any, ...] = ()
    match value:
        case bool():
            near = (not value, int(value), str(value).lower())
        case int():
            near = (float(value), value + 1, -value)
        case float():
            near = (int(value), value + 0.5, f"{value:.1f}")
        case str():
            near = (value.upper(), f" {value} ", value.replace(" ", "-"), value + "s", f"'{value}'")
        case list() if value:
            one = rng.randrange(len(value))
            swapped = [*value[:one], _changed(rng, value[one]), *value[one + 1 :]]
            near = (swapped, swapped, value[::-1], value[1:], [*value, value[0]], [value])
        case dict() if value:
            key = rng.choice(list(value))
            without = {k: v for k, v in value.items() if k != key}
            changed = value | {key: _changed(rng, value[key])}
            near = (without, changed, changed, value | {"more": 1}, dict(reversed(value.items())))
    return rng.choice(near) if near and rng.random() < 0.7 else rng.choice(common)
