"""Predictions scored: gold, silence, what is missing, and ten thousand answers gone wrong."""

import math
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pytest

from coalm.bench.apibank.calltext import write_call
from coalm.bench.apibank.predictions import Predictions
from coalm.bench.apibank.reading import FORMS, REASONS
from coalm.bench.apibank.scoring import Scores, judged, rows_of, score
from coalm.bench.base import Benchmark
from coalm.bench.table import open_benchmark
from coalm.formats import DIALECTS
from coalm.types import Assistant

PROTOCOLS = ("apibank:hammer", "apibank:damo", "apibank:toolrl")
each = pytest.mark.parametrize("name", PROTOCOLS)


@cache
def bench(name: str) -> Benchmark[Any]:
    return open_benchmark(name, miniature=True)


def scored(name: str, text: Callable[[Any], str | None], *, partial: bool = False) -> Scores:
    """The scores of a file that predicts what `text` says of each case."""
    benchmark = bench(name)
    said = {benchmark.id(case): text(case) for case in benchmark.cases()}
    texts = {id: one for id, one in said.items() if one is not None}
    missing = tuple(id for id, one in said.items() if one is None)
    return score(benchmark, Predictions("ids", texts, missing), partial=partial)


def values(scores: Scores) -> dict[str, float]:
    return {one.name: one.value for one in scores.figures if "unreadable" not in one.name}


@each
def test_gold_is_perfect_and_says_so_by_id(name: str) -> None:
    benchmark = bench(name)
    scores = scored(name, benchmark.gold)

    assert values(scores) == pytest.approx(dict.fromkeys(values(scores), 100.0))
    assert (scores.kinds, scores.missing, scores.reasons) == ({}, 0, {})
    assert [row.id for row in rows_of(benchmark)] == [one.id for one in scores.cases]


@each
def test_what_is_missing_is_wrong_unless_it_is_left_out(name: str) -> None:
    benchmark = bench(name)
    first = benchmark.id(benchmark.cases()[0])
    half = scored(name, lambda c: benchmark.gold(c) if benchmark.id(c) == first else None)
    only = scored(
        name, lambda c: benchmark.gold(c) if benchmark.id(c) == first else None, partial=True
    )
    silent = scored(name, lambda case: None)

    assert half.missing == only.missing == len(benchmark.cases()) - 1
    assert len(half.cases) == len(benchmark.cases())
    assert len(only.cases) == 1
    assert half.figures[0].value < 50.0 < only.figures[0].value
    assert set(values(silent).values()) == {0.0}


@each
@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) & set(FORMS)))
def test_a_call_counts_in_whichever_dialect_it_is(name: str, dialect: str) -> None:
    benchmark = bench(name)

    def text(case: Any) -> str:
        turn = benchmark.gold_reply(case).turns[0]
        return DIALECTS[dialect].write(turn) if turn.calls else str(benchmark.gold(case))

    scores = scored(name, text)
    assert scores.kinds == {}
    assert set(scores.forms) == {dialect}


def test_answers_that_cannot_be_read_are_told_by_reason() -> None:
    scores = scored("apibank:damo", lambda case: "[Add(a='1")
    found = {one.name: one.value for one in scores.figures}

    assert scores.reasons == {"cut off": 28}
    assert found["Answers unreadable"] == found["unreadable: cut off"] == 100.0
    assert scores.as_json()["unreadable"] == {"cut off": 28}


def test_a_requirement_is_met_if_all_its_calls_are_right() -> None:
    def text(case: Any) -> str:
        return "no" if case.id == "L-3/000#3" else str(case.text)

    found = {one.name: one for one in scored("apibank:damo", text).figures}
    assert found["Requirements with every call right (L-3)"].value == 50.0
    assert found["Requirements with every call right (L-3)"].n == 2


def mutant(text: str, random: Random) -> str:
    """The text cut, doubled, swapped, quoted otherwise or poisoned, one to three times."""
    for _ in range(random.randint(1, 3)):
        at, to = sorted(random.choices(range(len(text) + 1), k=2))
        poison = random.choice("[]{}()'\"=,:<>/\\\n\0\ud800\u202e`")
        text = random.choice(
            (
                text[:at],
                text[at:],
                text[:at] + text[to:],
                text[:at] + text[at:to] * 2 + text[to:],
                text[:at] + poison + text[at:],
                text.replace("'", '"'),
                text.replace('"', "'"),
                text.replace("arguments", "parameters"),
                f"```json\n{text}\n```",
                f"<tool_call>{text}</tool_call>",
                "[" * 60 + text,
                text[::-1],
                text.upper(),
            )
        )
    return text


@each
@pytest.mark.slow
def test_ten_thousand_mutated_gold_answers_get_a_verdict_each(name: str) -> None:
    benchmark, random = bench(name), Random(5)
    wholes = []
    for case in benchmark.cases():
        turn = benchmark.gold_reply(case).turns[0]
        written = [dialect.write(turn) for dialect in DIALECTS.values()]
        own = [f"API-Request: {write_call(call)}" for call in turn.calls]
        wholes.append([benchmark.gold(case), *written, *own])
    for number in range(10_000):
        at = number % len(wholes)
        text = mutant(random.choice(wholes[at]), random)
        one = judged(benchmark, benchmark.cases()[at], text)
        assert all(math.isfinite(value) for value in one.verdict.scores.values())
        assert one.read.reason in ("", *REASONS)
        right = one.verdict.scores.get("right", one.verdict.scores.get("exact", 0.0))
        assert not right or not one.verdict.kind


def test_a_turn_without_words_or_calls_is_silence() -> None:
    benchmark = bench("apibank:toolrl")
    case = benchmark.cases()[0]
    reply = benchmark.gold_reply(case)
    silent = type(reply)(benchmark.opening(case).then(Assistant()), "spoke")

    assert benchmark.score(case, silent).kind == "no call"
