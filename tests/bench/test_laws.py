"""What must hold of every benchmark: gold, silence, garbage, manners, names, samples.

A new benchmark joins by standing in the table; how it takes silence is said below.
"""

import copy
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalm.agent import Agent, Reply
from coalm.bench.base import Benchmark, Player, Verdict, replies
from coalm.bench.runner import RunSettings, run, sample
from coalm.bench.stats import Scored, figure
from coalm.bench.table import PROTOCOLS, full_name, open_benchmark
from coalm.engines import Model
from coalm.engines.scripted import Answering, Scripted
from coalm.errors import RecipeError
from coalm.formats import DIALECTS, LAYOUTS, format_of, plain
from coalm.types import Assistant

NAMES = [f"{name}:{protocol}" for name, protocols in PROTOCOLS.items() for protocol in protocols]

SILENCE: Mapping[str, Mapping[str, float]] = {
    "multiwoz:dst-json": {},
    "multiwoz:react-offline": {},
    # Users wait for a while before they give a task up, and then for the next.
    "multiwoz:online": {"Turns": 53 / 6},
    **{f"apibank:{protocol}": {} for protocol in PROTOCOLS["apibank"]},
    # Saying nothing is what is asked for where no function fits.
    "bfcl:ast": {"Irrelevance": 100.0},
    "bfcl:single": {"Irrelevance": 100.0},
    "bfcl:single-prompt": {"Irrelevance": 100.0},
    "bfcl:sensitivity": {},
    # One turn of three, in one case of five, asks for nothing that can be done.
    **dict.fromkeys(
        ("bfcl:multi-turn", "bfcl:multi-turn-prompt"),
        dict.fromkeys(("Multi-turn, turns", "Multi-turn, turns from gold"), 100 / 15),
    ),
}
"""What silence scores where it is not 0 (`unreadable` shares are no scores)."""

GOLD: Mapping[str, Mapping[str, float]] = {
    # Two of six dialogues hold a `dontcare`, in 6 of 25 turns, which the paper's way loses.
    "multiwoz:react-offline": {
        **dict.fromkeys(("JGA as the paper", "JGA fuzzy as the paper"), 76.0),
        **dict.fromkeys(("Slot F1 as the paper", "Slot F1 fuzzy as the paper"), 200 * 120 / 246),
    },
    "multiwoz:online": {"Turns": 26 / 6},
}
"""What gold scores where it cannot be 100, by the definition of the metric."""

HOSTILE = (
    "",
    "\n" * 1000,
    "a" * 1_000_000,
    "[" * 100_000,
    '{"a":' * 50_000,
    "(" * 5_000 + ")" * 5_000,
    '[{"name": "f", "arguments": ' + "[" * 900 + "]" * 900 + "}]",
    '[{"name": "f", "arguments": {"x": ' + "[" * 400 + "]" * 400 + "}}]",
    "[__import__('os').system('true')]",
    "[f(x=__import__('os'))]",
    "f(" + "x=f(" * 200 + ")" * 201,
    '{"a": ' * 1200 + "1" + "}" * 1200,
    '[{"name": "f", "arguments": {"x": NaN, "y": Infinity, "z": -1e999}}]',
    '[{"name": "f", "arguments": {"x": ' + "9" * 5000 + "}}]",
    r"[f(x='\d')]",
    "[f(x=0x" + "F" * 5000 + ")]",
    "Action: f(x=-0x" + "F" * 5000 + ")",
    '<tool_call>{"name": "f", "arguments": {"x": ' + "9" * 5000 + "}}</tool_call>",
    '[{"name": "f", "arguments": {"x": "\\ud800"}}]',
    "\ud800\udfff lone \udc80",
    '{"hotel-area": "\ud800", "hotel-stars": NaN}',
    '{"hotel-area": {"hotel-area": ["x"]}, "": null, "1": 1e308}',
    '{"hotel-area": ' + "[" * 5_000,
    "<tool_call>" * 1000,
    "<think>" * 1000,
    "Action: " * 1000,
    "```" * 3333,
    "\0\x1b[31m\u202e\ufeff",
    "<|im_end|><|endoftext|>",
    "(a+)+" + "a" * 5000 + "!",
    '"' * 9999,
    "{" + '"k": 1, ' * 9999 + "}",
)

every = pytest.mark.parametrize("name", NAMES)
any_dialect = pytest.mark.parametrize("dialect", sorted(DIALECTS))


@cache
def bench(name: str) -> Benchmark[Any]:
    return open_benchmark(name, miniature=True)


def answered(name: str, case: Any, text: str, dialect: str = "", *then: str) -> Reply:
    """What comes of a model that writes this text, whatever it is asked; then these, or nothing."""
    benchmark = bench(name)
    fmt = format_of("chatml", dialect or benchmark.about.dialect)
    agent = Agent(Model(Scripted([text, *then]), fmt), {}, benchmark.about.max_steps)
    return replies(benchmark, agent, [case])[0]


def judged(name: str, replies: Sequence[Reply]) -> dict[str, float]:
    """The figures over all cases, by metric and part."""
    benchmark = bench(name)
    rows = [
        Scored(benchmark.id(case), benchmark.part(case), benchmark.score(case, reply).scores)
        for case, reply in zip(benchmark.cases(), replies, strict=True)
    ]
    # How many are unreadable and how far syntaxes are apart are no scores.
    metrics = [
        m for m in benchmark.about.metrics if "unreadable" not in m.name and m.how != "spread"
    ]
    return {m.name: figure(rows, m).value for m in metrics if figure(rows, m).n}


def sound(verdict: Verdict) -> bool:
    return all(math.isfinite(score) for score in verdict.scores.values())


@every
def test_the_gold_reply_scores_perfectly(name: str) -> None:
    benchmark = bench(name)
    replies = [benchmark.gold_reply(case) for case in benchmark.cases()]
    perfect = dict.fromkeys(judged(name, replies), 100.0) | dict(GOLD.get(name, {}))
    assert judged(name, replies) == pytest.approx(perfect)
    for case, reply in zip(benchmark.cases(), replies, strict=True):
        assert benchmark.score(case, reply).kind == ""


@every
@any_dialect
def test_silence_scores_what_it_is_said_to(name: str, dialect: str) -> None:
    benchmark = bench(name)
    silent = [answered(name, case, "", dialect) for case in benchmark.cases()]
    found = judged(name, silent)
    assert found == pytest.approx({metric: SILENCE[name].get(metric, 0.0) for metric in found})
    untaken = [Reply(benchmark.opening(case), "steps") for case in benchmark.cases()]
    # Where there are several turns, those that were never reached are nobody's merit.
    nothing = dict.fromkeys(found, 0.0) if isinstance(benchmark, Player) else found
    assert judged(name, untaken) == pytest.approx(nothing)


@every
@pytest.mark.parametrize("at", range(len(HOSTILE)))
def test_hostile_answers_are_wrong_and_no_trouble(name: str, at: int) -> None:
    text, case = HOSTILE[at], bench(name).cases()[0]
    # A dialect each in turn: that any of them reads any text is a law of the formats.
    dialect = sorted(DIALECTS)[at % len(DIALECTS)]
    begun = time.process_time()
    verdict = bench(name).score(case, answered(name, case, text, dialect))
    assert time.process_time() - begun < 2.0
    assert sound(verdict)
    assert verdict.kind


@every
@given(text=st.text(), at=st.integers(0), dialect=st.sampled_from(sorted(DIALECTS)))
def test_any_text_gets_a_verdict(name: str, text: str, at: int, dialect: str) -> None:
    cases = bench(name).cases()
    case = cases[at % len(cases)]
    assert sound(bench(name).score(case, answered(name, case, text, dialect)))


@every
def test_a_whole_run_on_hostile_answers_ends_and_can_be_read(name: str, tmp_path: Path) -> None:
    left = list(HOSTILE)
    fmt = format_of("llama3", bench(name).about.dialect)
    model = Model(Answering(lambda prompt: left.pop() if left else "x"), fmt)
    scores = run(bench(name), model, tmp_path, RunSettings(batch=3))
    assert scores.cases == len(bench(name).cases())


@every
def test_scoring_changes_nothing(name: str) -> None:
    benchmark = bench(name)
    for case in benchmark.cases():
        for reply in (benchmark.gold_reply(case), answered(name, case, "no [idea]")):
            before = copy.deepcopy((case, reply))
            first = benchmark.score(case, reply)
            assert repr((case, reply)) == repr(before)
            assert benchmark.score(case, reply) == first


@every
def test_a_reply_that_was_never_answered_does_not_break_the_scorer(name: str) -> None:
    case = bench(name).cases()[0]
    reply = replace(bench(name).gold_reply(case), ended="unanswered", said=(), why="503")
    assert sound(bench(name).score(case, reply))


@every
def test_ids_are_unique_and_the_same_each_time(name: str) -> None:
    ids = [bench(name).id(case) for case in bench(name).cases()]
    assert len(set(ids)) == len(ids) > 0
    again = open_benchmark(name, miniature=True)
    assert [again.id(case) for case in again.cases()] == ids


@every
@any_dialect
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("rows", [False, True])
def test_every_case_can_be_asked_in_every_format(
    name: str, dialect: str, layout: str, rows: bool
) -> None:
    fmt = format_of(layout, dialect, rows=rows)
    for case in bench(name).cases():
        opening = bench(name).opening(case)
        assert not isinstance(opening.turns[-1], Assistant)
        prompt = plain(fmt.prompt(opening))
        assert all(tool.name in prompt for tool in opening.tools)
        assert prompt == plain(fmt.prompt(bench(name).opening(case)))


@every
def test_the_gold_answer_is_in_no_prompt(name: str) -> None:
    benchmark, fmt = bench(name), format_of("chatml", "json")
    for case in benchmark.cases():
        gold = benchmark.gold(case)
        if len(gold) > 20:
            assert gold not in plain(fmt.prompt(benchmark.opening(case)))


@every
def test_the_gold_answer_as_a_model_writes_it_scores_perfectly(name: str) -> None:
    """In the benchmark's own dialect, through prompt, completion and reading, step by step."""
    benchmark = bench(name)
    fmt = format_of("chatml", benchmark.about.dialect)
    for case in benchmark.cases():
        texts = [
            said.completion.text or fmt.dialect.write(said.turn)
            for said in benchmark.gold_reply(case).said
            if isinstance(said.turn, Assistant)
        ]
        assert benchmark.score(case, answered(name, case, texts[0], "", *texts[1:])).kind == ""


@every
def test_a_sample_is_balanced_and_a_larger_one_extends_it(name: str) -> None:
    benchmark, cases = bench(name), bench(name).cases()
    sizes = Counter(map(benchmark.part, cases))
    chosen = [sample(benchmark, cases, n, seed=1) for n in range(1, len(cases) + 1)]
    ids = [{benchmark.id(case) for case in some} for some in chosen]
    assert all(smaller < larger for smaller, larger in pairwise(ids))
    for some in chosen:
        counts = Counter(map(benchmark.part, some))
        unfilled = [counts[part] for part, size in sizes.items() if counts[part] < size]
        assert not unfilled or max(counts.values()) - min(unfilled) <= 1


@every
def test_what_is_reported_is_named_and_has_one_headline_first(name: str) -> None:
    about = bench(name).about
    assert f"{about.benchmark}:{about.protocol}" == name
    assert about.metrics[0].main
    keys = [(metric.name, metric.only) for metric in about.metrics]
    assert len(set(keys)) == len(keys)
    assert about.dialect in DIALECTS
    parts = {bench(name).part(case) for case in bench(name).cases()}
    assert {metric.only for metric in about.metrics} - {""} <= parts


@every
def test_a_score_on_made_up_cases_says_so(name: str) -> None:
    assert "miniature" in bench(name).about.version


def test_a_benchmark_alone_means_its_first_protocol() -> None:
    assert full_name("bfcl") == "bfcl:ast"
    assert full_name("multiwoz:dst-json") == "multiwoz:dst-json"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("bflc", "'bfcl'"), ("multiwoz:dst-jsn", "'dst-json'"), ("", "bfcl"), ("bfcl:", "ast")],
)
def test_a_wrong_name_is_told_with_the_nearest_right_one(name: str, hint: str) -> None:
    with pytest.raises(RecipeError, match=hint):
        open_benchmark(name)
