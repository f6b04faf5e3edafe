"""Conversations played to their end: gold, silence, garbage, lost transport, resumed runs."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from coalm.agent import Agent, Reply
from coalm.bench.base import Player, replies
from coalm.bench.bfcl import Data
from coalm.bench.bfcl.multiturn import BfclMultiTurn, Case, Limits
from coalm.bench.outcomes import outcomes
from coalm.bench.runner import RunSettings, rescore, run
from coalm.bench.table import open_benchmark
from coalm.engines import Completion, Engine, Model, Sampling, Unanswered
from coalm.engines.scripted import Answering, Scripted
from coalm.errors import RecipeError
from coalm.formats import Piece, format_of, plain
from coalm.types import Assistant, Observation, User
from tests.bench.bfcl_multiturn.conftest import write_cases

FORMAT = format_of("chatml", "pythonic")
TOOLS, PROMPTED = "bfcl:multi-turn", "bfcl:multi-turn-prompt"
both = pytest.mark.parametrize("name", [TOOLS, PROMPTED])


def bench(name: str) -> BfclMultiTurn:
    found = open_benchmark(name, miniature=True)
    assert isinstance(found, BfclMultiTurn)
    assert isinstance(found, Player)
    return found


def case_of(benchmark: BfclMultiTurn, name: str) -> Case:
    return next(case for case in benchmark.cases() if case.id == name)


def play(benchmark: BfclMultiTurn, case: Case, *texts: str | Unanswered) -> Reply:
    agent = Agent(Model(Scripted(list(texts)), FORMAT), {}, benchmark.about.max_steps)
    [reply] = replies(benchmark, agent, [case])
    return reply


def script(benchmark: BfclMultiTurn, case: Case) -> list[str]:
    said = benchmark.gold_reply(case).said
    return [
        s.completion.text or FORMAT.dialect.write(s.turn) if isinstance(s.turn, Assistant) else ""
        for s in said
    ]


class Playing:
    """Plays gold for whichever case a prompt belongs to; may fail or die on the way."""

    def __init__(self, benchmark: BfclMultiTurn, *, fails_at: int = -1, dies_at: int = -1) -> None:
        self.scripts = {case.said[0]: script(benchmark, case) for case in benchmark.cases()}
        self.fails_at, self.dies_at, self.asked = fails_at, dies_at, 0

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        return [self._answer(plain(prompt)) for prompt in prompts]

    def _answer(self, prompt: str) -> Completion | Unanswered:
        self.asked += 1
        if self.asked == self.dies_at:
            raise KeyboardInterrupt
        if self.asked == self.fails_at:
            return Unanswered("503")
        [texts] = [texts for said, texts in self.scripts.items() if f"user\n{said}<" in prompt]
        return Completion(texts[prompt.count("<|im_start|>assistant") - 1], "stop", 1, 1)


@both
def test_the_gold_script_scores_100(name: str, tmp_path: Path) -> None:
    benchmark = bench(name)
    scores = run(benchmark, Model(Playing(benchmark), FORMAT), tmp_path, RunSettings(batch=3))
    assert scores.cases == 5
    assert {figure.value for figure in scores.figures} == {100.0}
    assert [f.name for f in scores.figures][:2] == ["Multi-turn", "Multi-turn base"]


@both
def test_silence_is_right_in_turns_that_ask_for_none_and_nowhere_else(
    name: str, tmp_path: Path
) -> None:
    benchmark = bench(name)
    scores = run(benchmark, Model(Scripted(), FORMAT), tmp_path)
    found = {figure.name: figure.value for figure in scores.figures}
    assert found["Multi-turn"] == 0.0
    # One turn of the three of one case of five; the door is not open as it would be in
    # gold, but doors are private.
    assert found["Multi-turn, turns"] == pytest.approx(100 / 3 / 5)
    assert scores.kinds == {"no call": 5}


@both
@pytest.mark.parametrize(
    "text",
    ["words", "[" * 5000, "[f(", "\ud800", "[look()]" * 200, "[__import__('os').abort()]", "7"],
)
def test_garbage_ends_each_turn_and_never_raises(name: str, text: str) -> None:
    benchmark = bench(name)
    agent = Agent(Model(Answering(lambda prompt: text), FORMAT), {}, benchmark.about.max_steps)
    for case, reply in zip(
        benchmark.cases(), replies(benchmark, agent, benchmark.cases()), strict=True
    ):
        verdict = benchmark.score(case, reply)
        assert verdict.kind
        assert verdict.scores["right"] == 0.0


def test_calls_go_on_until_a_step_has_none() -> None:
    benchmark = bench(TOOLS)
    case = case_of(benchmark, "multi_turn_base_0")
    reply = play(
        benchmark,
        case,
        "[open_door()]",
        "[take(item='eggs', count=3)]",
        "Here you are.",
        "[take(item='flour'), note(text='flour (white)')]",
        "Done.",
    )
    assert reply.ended == "spoke"
    assert [type(turn).__name__ for turn in reply.dialogue.turns] == [
        *("User", "Assistant", "Observation", "Assistant", "Observation", "Assistant"),
        *("User", "Assistant", "Observation", "Observation", "Assistant"),
    ]
    seen = [turn for turn in reply.dialogue.turns if isinstance(turn, Observation)]
    assert [(s.tool, s.text) for s in seen] == [
        ("open_door", '{"door": "open"}'),
        ("take", '{"left": 9}'),
        ("take", '{"left": 1}'),
        ("note", "None"),
    ]
    assert benchmark.score(case, reply).kind == ""


def test_a_late_function_comes_with_its_turn() -> None:
    benchmark = bench(TOOLS)
    case = case_of(benchmark, "multi_turn_miss_func_0")
    engine = Scripted([*script(benchmark, case)])
    agent = Agent(Model(engine, FORMAT), {}, benchmark.about.max_steps)
    replies(benchmark, agent, [case])
    with_it = ["note(text" in prompt for prompt in engine.seen]
    assert with_it == [False, False, False, True, True]
    assert "There are more functions now." in engine.seen[3]


def test_prompted_it_is_shown_where_the_user_speaks() -> None:
    benchmark = bench(PROMPTED)
    case = case_of(benchmark, "multi_turn_miss_func_0")
    reply = play(benchmark, case, *script(benchmark, case))
    users = [turn.text for turn in reply.dialogue.turns if isinstance(turn, User)]
    assert "'name': 'note'" in users[2]
    assert reply.dialogue.tools == ()
    assert "You keep house." in reply.said[0].prompt


def test_prompted_an_answer_stands_in_the_dialogue_as_it_was_written() -> None:
    benchmark = bench(PROMPTED)
    case = case_of(benchmark, "multi_turn_base_1")
    text = "```\n[ share(total = 9,people=2+2) ]\n```"
    reply = play(benchmark, case, text, "Two and a quarter.")
    assert reply.dialogue.turns[2] == Assistant(text)
    assert reply.dialogue.turns[3] == Observation('{"result": 2.25}', "share")
    assert text in reply.said[1].prompt


def test_a_model_that_never_stops_calling_is_stopped() -> None:
    benchmark = bench(TOOLS)
    case = case_of(benchmark, "multi_turn_base_0")
    reply = play(benchmark, case, *["[look()]"] * 50)
    assert (reply.ended, len(reply.said)) == ("steps", 21)
    verdict = benchmark.score(case, reply)
    assert (verdict.kind, verdict.scores["right"]) == ("too many steps", 0.0)


def test_in_the_last_turn_what_it_did_still_counts() -> None:
    """As officially: the number of turns is then the right one."""
    benchmark = bench(TOOLS)
    case = case_of(benchmark, "multi_turn_miss_param_0")
    first, *_ = script(benchmark, case)
    right = "[take(item='flour', count=2)]"
    reply = play(benchmark, case, first, "[]", right, *["[look()]"] * 50)
    assert reply.ended == "steps"
    assert benchmark.score(case, reply).kind == ""


@both
def test_what_the_world_kept_from_being_answered_is_not_scored_and_asked_again(
    name: str, tmp_path: Path
) -> None:
    benchmark = bench(name)
    engine = Playing(benchmark, fails_at=8)
    first = run(benchmark, Model(engine, FORMAT), tmp_path, RunSettings(batch=2))
    assert (first.cases, first.not_answered) == (4, 1)
    assert first.main
    assert first.main.value == 100.0
    again = Playing(benchmark)
    scores = run(benchmark, Model(again, FORMAT), tmp_path, RunSettings(batch=2))
    assert (scores.cases, scores.not_answered) == (5, 0)
    assert 0 < again.asked < engine.asked


def test_a_stopped_run_is_taken_up_again(tmp_path: Path) -> None:
    benchmark = bench(TOOLS)
    with pytest.raises(KeyboardInterrupt):
        run(
            benchmark,
            Model(Playing(benchmark, dies_at=12), FORMAT),
            tmp_path,
            RunSettings(batch=1),
        )
    kept = len(outcomes(tmp_path))
    assert 0 < kept < 5
    second = Playing(benchmark)
    scores = run(benchmark, Model(second, FORMAT), tmp_path, RunSettings(batch=1))
    assert scores.cases == 5
    third = Playing(benchmark)
    assert run(benchmark, Model(third, FORMAT), tmp_path) == scores
    assert third.asked == 0


@both
def test_answers_can_be_judged_again_without_a_model(name: str, tmp_path: Path) -> None:
    benchmark = bench(name)
    run(benchmark, Model(Playing(benchmark), FORMAT), tmp_path)
    before = outcomes(tmp_path)
    scores = rescore(tmp_path, bench(name), FORMAT)
    assert outcomes(tmp_path) == before
    assert scores.main
    assert scores.main.value == 100.0


def test_a_limit_takes_of_each_category(tmp_path: Path) -> None:
    benchmark = bench(TOOLS)
    run(benchmark, Model(Playing(benchmark), FORMAT), tmp_path, RunSettings(limit=4))
    assert sorted(row["part"] for row in outcomes(tmp_path)) == sorted(
        {benchmark.part(case) for case in benchmark.cases()}
    )


def test_the_outcome_holds_every_step_and_no_result_of_another_case(tmp_path: Path) -> None:
    benchmark = bench(TOOLS)
    run(benchmark, Model(Playing(benchmark), FORMAT), tmp_path)
    row = next(r for r in outcomes(tmp_path) if r["id"] == "multi_turn_base_0")
    assert len(row["raw"]) == 4
    assert row["answer"].splitlines()[0] == "open_door()"
    assert json.dumps(row["scores"])


def test_prompting_in_another_dialect_is_refused_before_anything_is_left(tmp_path: Path) -> None:
    other = Model(Scripted(), format_of("chatml", "json"))
    with pytest.raises(RecipeError, match="leave the dialect out"):
        run(bench(PROMPTED), other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dialect", ["json", "react", "hermes"])
def test_tools_are_played_in_any_dialect(dialect: str, tmp_path: Path) -> None:
    benchmark = bench(TOOLS)
    fmt = format_of("llama3", dialect)
    case = case_of(benchmark, "multi_turn_base_0")
    said = [s.turn for s in benchmark.gold_reply(case).said]
    texts = [fmt.dialect.write(turn) for turn in said if isinstance(turn, Assistant)]
    agent = Agent(Model(Scripted([*texts]), fmt), {}, benchmark.about.max_steps)
    [reply] = replies(benchmark, agent, [case])
    assert benchmark.score(case, reply).kind == ""


@pytest.fixture
def exploding(trapped: Data) -> BfclMultiTurn:
    names = [f"multi_turn_base_{n}" for n in range(6)]
    write_cases(trapped, {name: [["mark(text='a')"], ["mark(text='b')"]] for name in names})
    return BfclMultiTurn(
        trapped, ["multi_turn_base"], limits=Limits(call_s=0.3, case_s=2, memory_mb=600)
    )


def test_an_environment_that_explodes_costs_its_case(
    exploding: BfclMultiTurn, tmp_path: Path
) -> None:
    begun = iter(["[forever()]", "[swell(megabytes=2000)]"])

    def answer(prompt: str) -> str:
        turn = prompt.rpartition("user\n")[2]
        if "assistant\n[" in turn:
            return "[]"
        if "turn 0" in turn:
            return next(begun, "[mark(text='a')]")
        return "[mark(text='b')]"

    engine: Engine = Answering(answer)
    scores = run(exploding, Model(engine, FORMAT), tmp_path, RunSettings(batch=6))
    assert scores.kinds == {"environment lost": 2}
    assert scores.main
    assert scores.main.value == pytest.approx(100 * 4 / 6)


def test_the_judge_changes_nothing() -> None:
    benchmark = bench(TOOLS)
    case = benchmark.cases()[0]
    reply = benchmark.gold_reply(case)
    before = repr((case, reply))
    assert benchmark.score(case, reply) == benchmark.score(case, reply)
    assert repr((case, reply)) == before
