"""Answers gone wrong through every scorer: a verdict each time, of a kind that is known.

The readers alone get ten thousand each (`tests/formats/test_fuzz.py`); a scorer is slower,
so that the quick test tries a few on each, and the slow one ten thousand on one of each
way to read and compare an answer.
"""

import copy
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any, get_args

import pytest

from coalm.agent import Agent, Reply
from coalm.bench.apibank.reading import FORMS, REASONS, read
from coalm.bench.base import Benchmark, Kind, Player, replies
from coalm.bench.table import PROTOCOLS, open_benchmark
from coalm.engines import Completion, Model, Said
from coalm.engines.scripted import Scripted
from coalm.formats import DIALECTS, Malformed, format_of
from coalm.types import Assistant
from tests.bench.test_kinds import names
from tests.formats.growth import LENGTH, steep, texts
from tests.formats.mutations import TURNS, WHOLE, mutants

SEED = 20261122
FEW, MANY = 120, 10_000
EVERY = [f"{name}:{way}" for name, ways in PROTOCOLS.items() for way in ways]
SINGLE = [name for name in EVERY if "multi-turn" not in name]
"""Those whose scorer starts no process of its own."""
QUICK = ["multiwoz:dst-json", "apibank:hammer", "apibank:toolrl", "bfcl:ast", "bfcl:single-prompt"]
"""One of each way to read and to compare a single answer."""


@cache
def bench(name: str) -> Benchmark[Any]:
    return open_benchmark(name, miniature=True)


@cache
def own(name: str) -> Sequence[str]:
    """Right answers as a model would write them, among those in every dialect."""
    benchmark = bench(name)
    fmt = format_of("chatml", benchmark.about.dialect)
    gold = [
        said.completion.text or fmt.dialect.write(said.turn)
        for case in benchmark.cases()
        for said in benchmark.gold_reply(case).said
        if isinstance(said.turn, Assistant)
    ]
    return [*gold * max(1, 40 // len(gold)), *WHOLE]


def answered(name: str, case: Any, dialect: str, words: Sequence[str]) -> Reply:
    """What comes of a model that writes these words: the first of them, or a conversation."""
    benchmark, fmt = bench(name), format_of("chatml", dialect)
    if isinstance(benchmark, Player):
        agent = Agent(Model(Scripted(list(words)), fmt), {}, benchmark.about.max_steps)
        return replies(benchmark, agent, [case])[0]
    turn, opening = fmt.read(words[0]), benchmark.opening(case)
    said = (Said(turn, Completion(words[0], "stop", 0, 0), ""),)
    if isinstance(turn, Malformed):
        return Reply(opening, "malformed", said, turn.why)
    return Reply(opening.then(turn), "steps" if turn.calls else "spoke", said)


def tried(name: str, n: int) -> Counter[str]:
    """The kinds that so many mutants come to; each verdict is sound."""
    benchmark, kinds = bench(name), Counter[str]()
    cases, left = benchmark.cases(), list(mutants(SEED, n * 2, own(name)))
    dialects = [benchmark.about.dialect, *DIALECTS]
    for at in range(n):
        case = cases[at % len(cases)]
        reply = answered(name, case, dialects[at % len(dialects)], [left.pop(), left.pop()])
        before = copy.deepcopy((case, reply)) if at % 10 == 0 else None
        verdict = benchmark.score(case, reply)
        assert before is None or repr((case, reply)) == repr(before)
        assert verdict.kind in get_args(Kind)
        assert bool(verdict.kind) or not verdict.note or name == "bfcl:sensitivity"
        assert all(math.isfinite(score) for score in verdict.scores.values())
        kinds[verdict.kind] += 1
    return kinds


@pytest.mark.parametrize("name", SINGLE)
def test_a_mutant_gets_a_verdict_of_a_kind_that_the_page_names(name: str) -> None:
    kinds = tried(name, FEW)
    assert [kind for kind in kinds if kind and not names(kind, name)] == []
    assert len(kinds) > 1, "a scorer that says the same of every mutant was not tried"


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_thousands_of_mutants_get_a_verdict_each(name: str) -> None:
    # Text overlap takes a hundred times as long as a comparison of calls.
    kinds = tried(name, MANY // 10 if name == "apibank:hammer" else MANY)
    assert [kind for kind in kinds if kind and not names(kind, name)] == []


@pytest.mark.parametrize("name", [name for name in EVERY if name not in SINGLE])
def test_a_conversation_of_mutants_is_judged_too(name: str) -> None:
    benchmark, left = bench(name), list(mutants(SEED, 60, own(name)))
    for case in list(benchmark.cases())[:3]:
        verdict = benchmark.score(case, answered(name, case, benchmark.about.dialect, left[:20]))
        assert verdict.kind in get_args(Kind)
        assert not verdict.kind or names(verdict.kind, name)
        del left[:20]


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_no_answer_takes_a_scorer_time_by_the_square_of_its_length(name: str) -> None:
    benchmark = bench(name)
    case = benchmark.cases()[0]

    def score(text: str) -> object:
        return benchmark.score(case, answered(name, case, benchmark.about.dialect, [text]))

    score("")  # dictionaries and such are read once
    # A few of the readers' texts, each unit in some surrounding; text overlap is slow and linear.
    longest, every = (LENGTH // 4, 31) if name == "apibank:hammer" else (LENGTH, 9)
    pairs = zip(texts(longest // 4), texts(longest), strict=True)
    some = islice(pairs, 0, None, every)
    assert [long[:30] for short, long in some if steep(score, short, long)] == []


def test_ten_thousand_mutants_are_read_in_any_form_or_told_why_not() -> None:
    came = Counter[str]()
    forms = [DIALECTS[name].write(turn) for name in FORMS if name in DIALECTS for turn in TURNS]
    for text in mutants(SEED, MANY, [*WHOLE, *forms * 2]):
        found = read(text)
        came["calls" if found.calls else found.reason or "words"] += 1
        assert bool(found.calls) == bool(found.form)
        assert not (found.calls and found.reason)
        assert bool(found.reason) == bool(found.why)
    assert min(came[kind] for kind in ("calls", "words", *REASONS)) > 10, came


def test_no_text_takes_the_reader_of_any_form_time_by_the_square_of_its_length() -> None:
    pairs = islice(zip(texts(LENGTH // 4), texts(LENGTH), strict=True), 0, None, 3)
    assert [long[:30] for short, long in pairs if steep(read, short, long)] == []
