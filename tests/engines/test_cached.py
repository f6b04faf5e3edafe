"""Answers on disk: never computed twice, never a loss, safe beside others, bounded."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coalm.engines import Completion, Sampling, Unanswered
from coalm.engines.answers import Answers, every
from coalm.engines.cached import Cached
from coalm.errors import ModelError
from coalm.formats import Piece

GREEDY = Sampling(max_tokens=9, end="<|im_end|>")


class Echo:
    """Says each prompt again, or fails where it says so; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def complete(
        self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
    ) -> list[Completion | Unanswered]:
        said: list[Completion | Unanswered] = []
        for prompt in prompts:
            text = "".join(piece.text for piece in prompt)
            self.asked.append(text)
            answer = Completion(text[::-1], "stop", len(text), 2, (-0.5, -0.25))
            said.append(Unanswered("lost") if "fail" in text else answer)
        return said


def asked(*texts: str) -> list[list[Piece]]:
    return [[Piece("<|im_start|>", control=True), Piece(text)] for text in texts]


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers" / "abc.sqlite", "tiny")


def test_an_answer_comes_from_disk_the_second_time_as_it_was(answers: Answers) -> None:
    engine = Echo()
    first = Cached(engine, answers).complete(asked("a", "\ud800 ☃"), GREEDY)
    again = Cached(engine, answers).complete(asked("b", "\ud800 ☃", "a"), GREEDY)
    assert again[1:] == first[::-1]
    assert engine.asked == ["<|im_start|>a", "<|im_start|>\ud800 ☃", "<|im_start|>b"]
    assert [a.cached for a in again if isinstance(a, Completion)] == [False, True, True]
    assert [a.cached for a in first if isinstance(a, Completion)] == [False, False]
    assert (answers.count(), answers.names()) == (3, ["tiny"])


@pytest.mark.parametrize(
    "other",
    [
        replace(GREEDY, max_tokens=10),
        replace(GREEDY, stops=("x",)),
        replace(GREEDY, end=""),
        replace(GREEDY, logprobs=True),
        replace(GREEDY, temperature=0.5),
    ],
    ids=str,
)
def test_another_sampling_is_another_question(answers: Answers, other: Sampling) -> None:
    engine = Echo()
    for sampling in (GREEDY, other, other, GREEDY):
        Cached(engine, answers).complete(asked("a"), sampling)
    assert len(engine.asked) == 2


def test_a_seed_tells_samples_apart_and_greedy_answers_not(answers: Answers) -> None:
    engine = Echo()
    for seed in (0, 1, 0):
        Cached(engine, answers).complete(asked("greedy"), replace(GREEDY, seed=seed))
        drawn = replace(GREEDY, temperature=1.0, seed=seed)
        Cached(engine, answers).complete(asked("drawn"), drawn)
    assert len(engine.asked) == 3


def test_data_that_looks_like_a_marker_is_another_prompt(answers: Answers) -> None:
    engine = Echo()
    control = [Piece("<|im_start|>", control=True), Piece("a")]
    Cached(engine, answers).complete([control, [Piece("<|im_start|>a")]], GREEDY)
    Cached(engine, answers).complete([[Piece("<|im_start|>"), Piece("a")]], GREEDY)
    assert len(engine.asked) == 2  # pieces that are tokenised as one are one


def test_engine_precision_and_model_tell_answers_apart(answers: Answers) -> None:
    engine = Echo()
    for decides in ({"dtype": "bf16"}, {"dtype": "fp32"}, {"dtype": "bf16"}):
        Cached(engine, answers, decides).complete(asked("a"), GREEDY)
    Cached(engine, replace(answers, path=answers.path.with_name("def.sqlite"))).complete(
        asked("a"), GREEDY
    )
    assert len(engine.asked) == 3


def test_what_was_not_answered_is_never_kept(answers: Answers) -> None:
    engine = Echo()
    for _ in range(2):
        [lost, said] = Cached(engine, answers).complete(asked("fail", "a"), GREEDY)
        assert lost == Unanswered("lost")
        assert isinstance(said, Completion)
    assert engine.asked.count("<|im_start|>fail") == 2
    assert answers.count() == 1


def test_where_all_is_known_the_engine_is_not_touched(answers: Answers) -> None:
    class Untouchable:
        def complete(
            self, prompts: Sequence[Sequence[Piece]], sampling: Sampling
        ) -> list[Completion | Unanswered]:
            raise AssertionError

    Cached(Echo(), answers).complete(asked("a"), GREEDY)
    assert len(Cached(Untouchable(), answers).complete(asked("a"), GREEDY)) == 1


def test_more_answers_than_one_question_can_name_are_found(answers: Answers) -> None:
    keys = {f"key{n}": Completion(str(n), "stop", 1, 1) for n in range(1201)}
    answers.put(keys)
    assert answers.get(list(keys)) == keys


def test_a_file_over_its_bound_loses_what_was_used_least_lately(answers: Answers) -> None:
    small = replace(answers, bound=200_000)
    for n in range(60):
        small.put({f"key{n}": Completion("x" * 10_000, "stop", 1, 1)})
        small.get(["key0"])
    assert small.path.stat().st_size <= 250_000
    assert 5 < small.count() < 25
    kept = small.get([f"key{n}" for n in range(60)])
    assert {"key0", "key59"} <= set(kept)
    assert "key1" not in kept


_WORK = """
import sys
from pathlib import Path
from coalm.engines import Completion
from coalm.engines.answers import Answers
answers = Answers(Path(sys.argv[1]), sys.argv[2])
for n in range(40):
    answers.put({f"{sys.argv[2]}{n}": Completion(sys.argv[2], "stop", n, 1)})
    answers.get([f"a{n}", f"b{n}", f"c{n}"])
"""


@pytest.mark.slow
def test_processes_side_by_side_lose_nothing(answers: Answers) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", _WORK, str(answers.path), name])
        for name in ("a", "b", "c")
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert (answers.count(), answers.names()) == (120, ["a", "b", "c"])


def test_a_broken_file_is_one_line_that_says_what_to_do(answers: Answers) -> None:
    answers.path.parent.mkdir()
    answers.path.write_text("no database at all, but long enough to be looked at" * 30)
    with pytest.raises(ModelError, match=r"abc\.sqlite cannot be used.*--no-cache"):
        Cached(Echo(), answers).complete(asked("a"), GREEDY)
    answers.delete()
    Cached(Echo(), answers).complete(asked("a"), GREEDY)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="COALM_CACHE"):
        Cached(Echo(), Answers(tmp_path / "file" / "abc.sqlite")).complete(asked("a"), GREEDY)


def test_all_files_are_found_in_the_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALM_CACHE", str(tmp_path))
    assert every() == []
    Cached(Echo(), Answers.of("123", "m")).complete(asked("a"), GREEDY)
    [found] = every()
    assert found.path == tmp_path / "answers" / "123.sqlite"
    assert found.names() == ["m"]
    found.delete()
    assert every() == []
