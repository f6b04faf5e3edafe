"""Runs: sampled, resumed, refused, counted."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from coalm import store
from coalm.agent import Reply
from coalm.bench.base import About, Verdict, mean
from coalm.bench.outcomes import Scores, outcomes, scored
from coalm.bench.runner import RunSettings, rescore, run, sample
from coalm.engines import Completion, Engine, Model, Said, Sampling, Unanswered
from coalm.engines.scripted import Answering
from coalm.errors import DataError, RecipeError
from coalm.formats import Piece, format_of, plain
from coalm.types import Assistant, Dialogue, User

FORMAT = format_of("chatml", "json")
WHO = {"model": "tiny", "format": "chatml/json"}


class Sums:
    """Six easy sums and three hard ones."""

    about = About("sums", "add", "1", (mean("Right", "right", main=True),), {"ours": "1"})

    def cases(self) -> Sequence[int]:
        return [*range(6), *range(100, 103)]

    def id(self, case: int) -> str:
        return f"sum#{case}"

    def part(self, case: int) -> str:
        return "hard" if case >= 100 else "easy"

    def opening(self, case: int) -> Dialogue:
        return Dialogue((User(f"{case} + 1?"),))

    def gold(self, case: int) -> str:
        return str(case + 1)

    def gold_reply(self, case: int) -> Reply:
        turn = Assistant(self.gold(case))
        said = Said(turn, Completion(turn.text, "stop", 0, 0), "")
        return Reply(self.opening(case).then(turn), "spoke", (said,))

    def score(self, case: int, reply: Reply) -> Verdict:
        right = bool(reply.turns) and reply.turns[0].text == self.gold(case)
        return Verdict({"right": float(right)}, "" if right else "wrong argument")


class Asked:
    """Answers sums rightly, and remembers what it was asked."""

    def __init__(self, *, fails: Sequence[str] = (), dies_at: int = -1) -> None:
        self.fails, self.dies_at = set(fails), dies_at
        self.asked: list[str] = []

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        said: list[Completion | Unanswered] = []
        for prompt in prompts:
            if len(self.asked) == self.dies_at:
                raise KeyboardInterrupt
            number = plain(prompt).split("user\n")[1].split(" ")[0]
            self.asked.append(number)
            unanswered = number in self.fails
            answer = str(int(number) + 1)
            said.append(Unanswered("503") if unanswered else Completion(answer, "stop", 7, 2))
        return said


def _run(engine: Engine, out: Path, limit: int | None = None, **more: Any) -> Scores:
    settings = RunSettings(limit, batch=2)
    return run(Sums(), Model(engine, FORMAT), out, settings, **({"identity": WHO} | more))


def test_the_right_answers_score_100_and_leave_a_whole_folder(tmp_path: Path) -> None:
    scores = _run(Asked(), tmp_path)
    assert scores.main
    assert (scores.main.value, scores.cases, scores.not_answered) == (100, 9, 0)
    assert (scores.prompt_tokens, scores.completion_tokens) == (63, 18)
    [row, *_] = outcomes(tmp_path)
    assert row == row | {
        "id": "sum#0",
        "part": "easy",
        "raw": ["1"],
        "ended": "spoke",
        "gold": "1",
        "answer": "1",
        "scores": {"right": 1.0},
        "kind": "",
        "prompt_tokens": 7,
    }
    assert "0 + 1?" in row["prompt"]
    written = store.read_json(tmp_path / "scores.json")
    assert written == written | {
        "benchmark": "sums",
        "protocol": "add",
        "version": "1",
        "libraries": {"ours": "1"},
        "model": "tiny",
        "identity": WHO,
        "cases": 9,
        "available": 9,
        "limit": None,
        "kinds": {},
    }
    [metric] = written["metrics"]
    assert metric["numerator"] == [["right", 1.0]]
    assert (metric["value"], metric["n"], metric["main"]) == (100, 9, True)


def test_what_is_wrong_is_counted_by_kind(tmp_path: Path) -> None:
    scores = _run(Answering(lambda prompt: "1"), tmp_path)
    assert scores.kinds == {"wrong argument": 8}
    assert scores.main
    assert scores.main.value == pytest.approx(100 / 9)


def test_a_stopped_run_is_taken_up_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    first = Asked(dies_at=5)
    with pytest.raises(KeyboardInterrupt):
        _run(first, tmp_path)
    assert len(outcomes(tmp_path)) == 4
    assert not (tmp_path / "scores.json").exists()

    second, notes = Asked(), list[str]()
    scores = _run(second, tmp_path, note=notes.append)
    assert sorted([*first.asked[:4], *second.asked], key=int) == [str(n) for n in Sums().cases()]
    assert scores.cases == 9
    assert "4 of 9" in notes[0]


def test_a_torn_last_line_is_asked_again(tmp_path: Path) -> None:
    _run(Asked(), tmp_path)
    log = tmp_path / "outcomes.jsonl"
    log.write_text(log.read_text()[:-20])
    again = Asked()
    assert _run(again, tmp_path).cases == 9
    assert again.asked == ["102"]


def test_a_finished_run_asks_nothing_and_says_the_same(tmp_path: Path) -> None:
    first = _run(Asked(), tmp_path)
    before = (tmp_path / "scores.json").read_bytes(), (tmp_path / "outcomes.jsonl").read_bytes()
    again = Asked()
    assert _run(again, tmp_path) == first
    assert again.asked == []
    assert before == (
        (tmp_path / "scores.json").read_bytes(),
        (tmp_path / "outcomes.jsonl").read_bytes(),
    )


def test_an_answer_to_another_prompt_is_not_kept(tmp_path: Path) -> None:
    _run(Asked(), tmp_path)
    rows = store.read_log(tmp_path / "outcomes.jsonl")
    rows[3]["prompt_sha"] = "0" * 16
    (tmp_path / "outcomes.jsonl").write_text("".join(store.compact(r) + "\n" for r in rows))
    again = Asked()
    assert _run(again, tmp_path).cases == 9
    assert again.asked == ["3"]


def test_what_the_world_did_is_not_scored_and_is_asked_again(tmp_path: Path) -> None:
    notes: list[str] = []
    scores = _run(Asked(fails=["3", "101"]), tmp_path, note=notes.append)
    assert scores.main
    assert (scores.main.value, scores.main.n, scores.cases) == (100, 7, 7)
    assert scores.not_answered == 2
    assert "2 cases were not answered" in notes[-1]
    lost = store.read_log(tmp_path / "unanswered.jsonl")
    assert {(row["id"], row["why"]) for row in lost} == {("sum#3", "503"), ("sum#101", "503")}

    again = Asked()
    assert _run(again, tmp_path).not_answered == 0
    assert sorted(again.asked) == ["101", "3"]
    assert not (tmp_path / "unanswered.jsonl").exists()


def test_where_nothing_was_answered_there_is_no_figure(tmp_path: Path) -> None:
    scores = _run(Asked(fails=[str(n) for n in Sums().cases()]), tmp_path)
    assert (scores.figures, scores.main, scores.not_answered) == ((), None, 9)


@pytest.mark.parametrize("change", [{"model": "other"}, {"format": "llama3/json"}, {"quant": "q8"}])
def test_a_folder_of_another_run_is_refused_by_name(change: dict[str, str], tmp_path: Path) -> None:
    _run(Asked(), tmp_path)
    before = (tmp_path / "outcomes.jsonl").read_bytes()
    with pytest.raises(RecipeError, match=next(iter(change))) as caught:
        _run(Asked(), tmp_path, identity=WHO | change)
    assert "--out" in str(caught.value)
    assert (tmp_path / "outcomes.jsonl").read_bytes() == before


def test_another_version_of_the_data_is_refused(tmp_path: Path) -> None:
    _run(Asked(), tmp_path)
    newer = Sums()
    newer.about = replace(newer.about, version="2")
    with pytest.raises(RecipeError, match=r"version was '1' and is '2'"):
        run(newer, Model(Asked(), FORMAT), tmp_path, identity=WHO)


def test_another_label_is_the_same_run(tmp_path: Path) -> None:
    _run(Asked(), tmp_path, identity=WHO | {"label": "a"})
    again = Asked()
    _run(again, tmp_path, identity=WHO | {"label": "b"})
    assert again.asked == []
    assert store.read_json(tmp_path / "scores.json")["label"] == "b"


def test_a_larger_limit_adds_to_a_smaller_one_and_back(tmp_path: Path) -> None:
    small, large, back = Asked(), Asked(), Asked()
    first = _run(small, tmp_path, 4)
    assert (first.cases, first.available, first.not_answered) == (4, 9, 0)
    assert _run(large, tmp_path, 7).cases == 7
    assert len(large.asked) == 3
    assert _run(back, tmp_path, 4) == first  # the outcomes beside the scores are their outcomes
    assert back.asked == []
    assert len(scored(tmp_path)) == 4
    assert len(store.read_log(tmp_path / "aside.jsonl")) == 3
    assert _run(back, tmp_path, 7).cases == 7
    assert back.asked == []


def test_a_sample_is_stable_balanced_and_grows() -> None:
    sums = Sums()
    picked = [sample(sums, sums.cases(), n, seed=3) for n in range(1, 10)]
    for n, (smaller, larger) in enumerate(pairwise(picked), 1):
        assert len(smaller) == n
        assert set(smaller) < set(larger)
    assert Counter(map(sums.part, picked[4])) == {"easy": 3, "hard": 2}
    assert Counter(map(sums.part, picked[7])) == {"easy": 5, "hard": 3}
    assert sample(sums, sums.cases(), 4, seed=3) == picked[3]
    assert any(sample(sums, sums.cases(), 4, seed=s) != picked[3] for s in range(9))
    assert sample(sums, sums.cases()[::-1], 4, seed=3)[::-1] == picked[3]  # order is no matter


@pytest.mark.parametrize("settings", [RunSettings(limit=0), RunSettings(batch=0)])
def test_settings_that_cannot_be_meant_leave_nothing(settings: RunSettings, tmp_path: Path) -> None:
    with pytest.raises(RecipeError):
        run(Sums(), Model(Asked(), FORMAT), tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


def test_progress_counts_up_to_the_end_with_the_headline(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    _run(Asked(), tmp_path, progress=lambda *told: seen.append(told))
    assert [done for done, _, _ in seen] == [0, 2, 4, 6, 8, 9]
    assert seen[-1] == (9, 9, "Right 100.0")


def test_the_longest_prompts_are_asked_first(tmp_path: Path) -> None:
    engine = Asked()
    _run(engine, tmp_path)
    assert {*engine.asked[:3]} == {"100", "101", "102"}


def test_text_that_no_file_can_carry_is_kept_as_far_as_it_can(tmp_path: Path) -> None:
    scores = _run(Answering(lambda prompt: "bad \ud800\u2028 text\n"), tmp_path)
    assert scores.cases == 9
    assert outcomes(tmp_path)[0]["raw"] == ["bad ?\u2028 text\n"]


def test_answers_can_be_judged_again_without_a_model(tmp_path: Path) -> None:
    _run(Answering(lambda prompt: "1"), tmp_path)
    before = outcomes(tmp_path)

    class Kinder(Sums):
        def score(self, case: int, reply: Reply) -> Verdict:
            return Verdict({"right": 1.0})

    scores = rescore(tmp_path, Kinder(), FORMAT)
    assert scores.main
    assert (scores.main.value, scores.kinds) == (100, {})
    assert store.read_json(tmp_path / "scores.json")["metrics"][0]["value"] == 100
    assert [r["raw"] for r in outcomes(tmp_path)] == [r["raw"] for r in before]
    rescore(tmp_path, Sums(), FORMAT)
    assert outcomes(tmp_path) == before
    with pytest.raises(DataError, match="sum#0"):
        rescore(tmp_path, Sums(), format_of("llama3", "json"))


def test_outcomes_are_json_lines_that_others_can_read(tmp_path: Path) -> None:
    _run(Asked(), tmp_path)
    lines = (tmp_path / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"sum#{n}" for n in Sums().cases()]
