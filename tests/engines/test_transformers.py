"""The in-process engine: batches, shared beginnings and stops change nothing but the speed."""

from typing import Any

import pytest

from coalm.engines import Completion, Model, Said, Sampling, open_engine
from coalm.engines.transformers import Transformers
from coalm.errors import RecipeError
from coalm.formats import Piece, format_of
from coalm.types import Dialogue, System, User
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow
FORMAT = format_of("chatml", "json")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tiny_model(tmp_path_factory.mktemp("engine") / "tiny")
    return open_engine("transformers", str(folder), dtype="fp32")


def prompts(system: str = "A long shared beginning, the same for all. " * 3) -> list[list[Piece]]:
    asked = ["hi", "what is this?", "tell me more of it, please", "x" * 60, "bye"]
    return [FORMAT.prompt(Dialogue((System(system), User(text)))) for text in asked]


def texts(answers: list[Any]) -> list[str]:
    assert all(isinstance(a, Completion) for a in answers)
    return [a.text for a in answers]


def test_a_batch_says_what_each_prompt_alone_is_told(engine: Transformers) -> None:
    sampling = Sampling(max_tokens=12, end="<|im_end|>")
    together = texts(engine.complete(prompts(), sampling))
    alone = [text for p in prompts() for text in texts(engine.complete([p], sampling))]
    assert together == alone


def test_a_shared_beginning_changes_nothing(
    engine: Transformers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = Sampling(max_tokens=12, end="<|im_end|>")
    shared = texts(engine.complete(prompts(), sampling))
    monkeypatch.setattr("coalm.engines.transformers._SHARED", 10**9)
    assert texts(engine.complete(prompts(), sampling)) == shared


def test_small_batches_change_nothing_and_keep_the_order(engine: Transformers) -> None:
    sampling = Sampling(max_tokens=8, end="<|im_end|>")
    small = Transformers(engine.model, engine.tokenizer, batch_tokens=1)
    assert texts(small.complete(prompts(), sampling)) == texts(engine.complete(prompts(), sampling))


def test_a_stop_string_ends_the_text_before_it(engine: Transformers) -> None:
    [whole] = texts(engine.complete(prompts()[:1], Sampling(max_tokens=30)))
    stop = whole[8:10]
    [cut] = engine.complete(prompts()[:1], Sampling(max_tokens=30, stops=(stop,)))
    assert isinstance(cut, Completion)
    assert cut.text == whole[: whole.index(stop)]
    assert cut.ended == "stop"
    assert cut.completion_tokens < 30


def test_counts_are_of_the_prompt_and_of_what_is_new(engine: Transformers) -> None:
    from coalm.formats import encode

    for prompt, answer in zip(
        prompts(), engine.complete(prompts(), Sampling(max_tokens=7)), strict=True
    ):
        assert isinstance(answer, Completion)
        assert answer.prompt_tokens == len(encode(prompt, engine.tokenizer).ids)
        assert (answer.completion_tokens, answer.ended) == (7, "length")


def test_a_prompt_that_does_not_fit_is_silence_and_the_others_are_answered(
    engine: Transformers,
) -> None:
    long = FORMAT.prompt(Dialogue((User("y" * 5000),)))
    said = engine.complete([long, prompts()[0]], Sampling(max_tokens=4))
    assert said[0] == Completion("", "length", said[0].prompt_tokens, 0)  # type: ignore[union-attr]
    assert texts(said[1:])[0] != ""


def test_the_same_seed_draws_the_same_and_another_does_not(engine: Transformers) -> None:
    def drawn(seed: int) -> list[str]:
        return texts(
            engine.complete(prompts(), Sampling(max_tokens=20, temperature=2.0, seed=seed))
        )

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_speaker_reads_what_its_engine_wrote(engine: Transformers) -> None:
    [said] = Model(engine, FORMAT).speak([Dialogue((User("hi"),))], Sampling(max_tokens=5))
    assert isinstance(said, Said)
    assert said.turn == FORMAT.read(said.completion.text)
    assert said.prompt.endswith("<|im_start|>assistant\n")


def test_an_unknown_engine_gets_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="did you mean 'transformers'"):
        open_engine("transformer", "x")
