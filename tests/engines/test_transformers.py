"""The in-process engine: batches, shared beginnings and stops change nothing but the speed."""

from collections.abc import Callable
from typing import Any

import pytest

from coalm.engines import Completion, Model, Said, Sampling, Unanswered, open_engine
from coalm.engines.ending import ended, window
from coalm.engines.transformers import Transformers
from coalm.errors import RecipeError
from coalm.formats import Piece, encode, format_of
from coalm.types import Dialogue, System, User
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow
FORMAT = format_of("chatml", "json")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tiny_model(tmp_path_factory.mktemp("engine") / "tiny", tied=False)
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
    monkeypatch.setattr("coalm.engines.generation._SHARED", 10**9)
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


def test_padding_is_never_more_than_what_it_stands_beside(engine: Transformers) -> None:
    asked = [FORMAT.prompt(Dialogue((User("z" * n),))) for n in (1, 900, 5, 450, 800, 60, 30, 2)]
    sampling = Sampling(max_tokens=2)
    with Small(engine, 10**9, no_room) as small:
        together = texts(engine.complete(asked, sampling))
    real = sum(len(encode(prompt, engine.tokenizer).ids) for prompt in asked)
    assert small.prefilled <= 2 * real
    assert 1 < len(small.rows) < 2 * len(asked)
    assert together == [text for p in asked for text in texts(engine.complete([p], sampling))]


# --- draws --------------------------------------------------------------------------------


def test_a_sample_does_not_depend_on_its_neighbours(engine: Transformers) -> None:
    sampling = Sampling(max_tokens=15, temperature=1.0, seed=3)
    together = texts(engine.complete(prompts(), sampling))
    assert together == [text for p in prompts() for text in texts(engine.complete([p], sampling))]
    assert together != texts(engine.complete(prompts(), Sampling(max_tokens=15)))


def test_draws_follow_the_softmax_of_the_logits_over_the_temperature() -> None:
    import torch

    from coalm.engines.draws import Draws

    logits, temperature = torch.tensor([[0.0, 1.0, 2.0, -1.0]]), 0.7
    counts = torch.zeros(4)
    for seed in range(3000):
        scores = Draws([(1, 2)], temperature, seed, logprobs=False)(torch.zeros(1, 1), logits)
        counts[scores.argmax()] += 1
    expected = torch.softmax(logits[0] / temperature, -1)
    assert torch.allclose(counts / 3000, expected, atol=0.03)


# --- log-probabilities --------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_logprobs_are_the_models_own_for_what_it_wrote(
    engine: Transformers, temperature: float
) -> None:
    import torch

    sampling = Sampling(max_tokens=9, temperature=temperature, logprobs=True)
    for prompt, answer in zip(prompts(), engine.complete(prompts(), sampling), strict=True):
        assert isinstance(answer, Completion)
        assert answer.logprobs is not None
        assert answer.logprob == pytest.approx(sum(answer.logprobs))
        ids = list(encode(prompt, engine.tokenizer).ids)
        new = new_ids(engine, ids, answer, temperature)
        with torch.no_grad():
            logits = engine.model(torch.tensor([ids + new])).logits[0, len(ids) - 1 : -1]
        own = torch.log_softmax(logits.float(), -1)[range(len(new)), new]
        assert list(answer.logprobs) == pytest.approx(own.tolist(), abs=1e-3)


def new_ids(
    engine: Transformers, ids: list[int], answer: Completion, temperature: float
) -> list[int]:
    """The ids behind a text of bytes; greedy ones are asked of the model itself."""
    import torch

    if temperature:
        # Bytes that are no text decode to one mark, so ids are drawn again, token by token.
        from coalm.engines.draws import Draws

        draws, new = Draws([ids], temperature, 0, logprobs=False), list[int]()
        for _ in range(answer.completion_tokens):
            with torch.no_grad():
                scores = engine.model(torch.tensor([ids + new])).logits[:, -1]
            new.append(int(draws(torch.tensor([ids + new]), scores).argmax()))
        return new
    out = engine.model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=answer.completion_tokens,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    found: list[int] = out[0, len(ids) :].tolist()
    return found


def test_logprobs_stop_where_the_text_does(engine: Transformers) -> None:
    [whole] = texts(engine.complete(prompts()[:1], Sampling(max_tokens=30)))
    sampling = Sampling(max_tokens=30, stops=(whole[8:10],), logprobs=True)
    [cut] = engine.complete(prompts()[:1], sampling)
    assert isinstance(cut, Completion)
    assert cut.logprobs is not None
    assert len(cut.logprobs) == cut.completion_tokens < 30
    [plain] = engine.complete(prompts()[:1], Sampling(max_tokens=3))
    assert isinstance(plain, Completion)
    assert plain.logprobs is None


# --- stops --------------------------------------------------------------------------------


def test_each_row_counts_its_tokens_up_to_its_own_stop(engine: Transformers) -> None:
    whole = texts(engine.complete(prompts(), Sampling(max_tokens=30)))
    stop = next(w[4:6] for w in whole if "\ufffd" not in w[4:6])
    cut = engine.complete(prompts(), Sampling(max_tokens=30, stops=(stop,)))
    for text, answer in zip(whole, cut, strict=True):
        assert isinstance(answer, Completion)
        if stop in text:
            assert (answer.text, answer.ended) == (text[: text.index(stop)], "stop")
            alone = engine.tokenizer.text(text[: text.index(stop)] + stop)
            if "\ufffd" not in answer.text:
                assert answer.completion_tokens == len(alone)
        else:
            assert (answer.text, answer.ended, answer.completion_tokens) == (text, "length", 30)


def test_a_stop_string_that_is_split_over_tokens_is_found_and_its_tokens_are_counted(
    engine: Transformers,
) -> None:
    tokens = engine.tokenizer
    new = [*tokens.text("Let me see.\nObservé"), *tokens.text(": x"), *tokens.text("tail")]
    sampling = Sampling(stops=("never", "\nObservé:"))
    found = ended(new, 5, tokens, sampling)
    needed = len(tokens.text("Let me see.\nObservé:"))
    assert found == Completion("Let me see.", "stop", 5, needed)
    assert window(sampling.stops) > len(tokens.text("\nObservé:"))


def test_the_earliest_of_several_stops_cuts_and_an_end_before_it_wins(
    engine: Transformers,
) -> None:
    tokens = engine.tokenizer
    end = tokens.control("<|im_end|>")
    new = [*tokens.text("one two three"), end, *tokens.text(" four")]
    assert ended(new, 1, tokens, Sampling(stops=("three", "two"))).text == "one "
    assert ended(new, 1, tokens, Sampling(end="<|im_end|>", stops=("four",))) == Completion(
        "one two three", "stop", 1, 13
    )


# --- memory -------------------------------------------------------------------------------


class Small:
    """A model that runs out of memory, really, where a batch has over so many tokens."""

    def __init__(self, engine: Transformers, limit: int, fail: Callable[[], object]) -> None:
        self.engine, self.limit, self.fail = engine, limit, fail
        self.rows: list[int] = []
        self.prefilled = 0

    def __enter__(self) -> "Small":
        def before(model: Any, args: Any, kwargs: dict[str, Any]) -> None:
            ids = args[0] if args else kwargs["input_ids"]
            if ids.shape[1] > 1:
                self.rows.append(ids.shape[0])
                self.prefilled += ids.numel()
            if ids.numel() > self.limit:
                self.fail()

        self.hook = self.engine.model.register_forward_pre_hook(before, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.hook.remove()


def no_room() -> object:
    import torch

    return torch.empty(1 << 52)  # the allocator's own refusal


def no_cuda_room() -> object:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def no_python_room() -> object:
    raise MemoryError


@pytest.mark.parametrize("fail", [no_room, no_cuda_room, no_python_room])
def test_a_batch_that_does_not_fit_is_halved_and_stays_small(
    engine: Transformers, fail: Callable[[], object]
) -> None:
    asked = [FORMAT.prompt(Dialogue((User(f"{n} " + "and so on " * 2),))) for n in range(20)]
    sampling = Sampling(max_tokens=6)
    whole = texts(engine.complete(asked, sampling))
    told: list[str] = []
    mine = Transformers(engine.model, engine.tokenizer, note=told.append)
    with Small(mine, 700, fail) as small:
        assert texts(mine.complete(asked, sampling)) == whole
        tries, small.rows = small.rows, []
        assert tries[0] == 20 > max(tries[1:])
        assert texts(mine.complete(asked, sampling)) == whole  # remembered: nothing fails again
        assert max(small.rows) < 20
    assert mine.batch_tokens < 32_000
    assert "out of memory with 20 prompts" in told[0]
    assert len(told) <= 3


def test_a_single_prompt_that_does_not_fit_is_unanswered_and_the_others_are_answered(
    engine: Transformers,
) -> None:
    long = FORMAT.prompt(Dialogue((User("y" * 900),)))
    asked = [prompts("")[0], long, prompts("")[1]]
    mine = Transformers(engine.model, engine.tokenizer)
    with Small(mine, 500, no_room):
        said = mine.complete(asked, Sampling(max_tokens=4))
    assert isinstance(said[1], Unanswered)
    assert "out of memory" in said[1].why
    assert texts([said[0], said[2]]) == texts(
        engine.complete([asked[0], asked[2]], Sampling(max_tokens=4))
    )


def test_another_failure_is_no_lack_of_memory(engine: Transformers) -> None:
    def fail() -> None:
        raise RuntimeError("a mistake of ours")

    with Small(engine, 10, fail), pytest.raises(RuntimeError, match="of ours"):
        engine.complete(prompts(), Sampling(max_tokens=4))


def test_an_unknown_engine_gets_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="did you mean 'transformers'"):
        open_engine("transformer", "x")
