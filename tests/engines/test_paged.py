"""Continuous batching gives what batches give; where it fails, that is said and batches do it."""

from typing import Any

import pytest

from coalm.engines import Completion, Sampling, open_engine
from coalm.engines.paged import Paged, PagedError
from coalm.engines.transformers import Transformers
from coalm.formats import Piece, encode, format_of
from coalm.types import Dialogue, System, User
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow
FORMAT = format_of("chatml", "json")
SIZES: dict[str, Any] = {"page_size": 16, "num_blocks": 400, "max_batch_tokens": 512}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tiny_model(tmp_path_factory.mktemp("engine") / "tiny", tied=False)
    return open_engine("transformers", str(folder), dtype="fp32")


@pytest.fixture
def paged(engine: Transformers) -> Any:
    mine = Paged(engine.model, engine.tokenizer, **SIZES)
    told: list[str] = []
    yield Transformers(engine.model, engine.tokenizer, paged=mine, note=told.append)
    mine.close()
    assert told == []


def prompts() -> list[list[Piece]]:
    system = "A long shared beginning, the same for all. " * 3
    asked = ["hi", "what is this?", "tell me more of it, please", "x" * 60, "bye"]
    return [FORMAT.prompt(Dialogue((System(system), User(text)))) for text in asked]


def test_greedy_answers_are_those_of_batches(engine: Transformers, paged: Transformers) -> None:
    for end in ("", "<|im_end|>"):
        sampling = Sampling(max_tokens=12, end=end)
        assert paged.complete(prompts(), sampling) == engine.complete(prompts(), sampling)
    assert paged.paged is not None


def test_stop_strings_end_a_request_where_they_end_it_in_a_batch(
    engine: Transformers, paged: Transformers
) -> None:
    [whole, *_] = engine.complete(prompts(), Sampling(max_tokens=30))
    assert isinstance(whole, Completion)
    sampling = Sampling(max_tokens=200, stops=(whole.text[8:10],))
    there = engine.complete(prompts(), sampling)
    assert paged.complete(prompts(), sampling) == there
    assert {a.ended for a in there if isinstance(a, Completion)} >= {"stop"}
    assert paged.complete(prompts(), sampling) == there  # nothing of the first call is left


def test_logprobs_agree_with_those_of_batches(engine: Transformers, paged: Transformers) -> None:
    sampling = Sampling(max_tokens=8, logprobs=True)
    for ours, theirs in zip(
        paged.complete(prompts(), sampling), engine.complete(prompts(), sampling), strict=True
    ):
        assert isinstance(ours, Completion)
        assert isinstance(theirs, Completion)
        assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-3)
    assert paged.complete(prompts(), Sampling(max_tokens=8)) == engine.complete(
        prompts(), Sampling(max_tokens=8)
    )


def test_draws_go_through_batches_so_that_neighbours_do_not_matter(
    engine: Transformers, paged: Transformers
) -> None:
    sampling = Sampling(max_tokens=8, temperature=1.0, seed=4)
    assert paged.complete(prompts(), sampling) == engine.complete(prompts(), sampling)
    with pytest.raises(ValueError, match="depend on"):
        Paged(engine.model, engine.tokenizer).complete([(1, 2)], sampling)
    greedy = Sampling(max_tokens=4)
    assert paged.complete(prompts(), greedy) == engine.complete(prompts(), greedy)


@pytest.mark.parametrize(
    "sizes", [{"page_size": 16, "num_blocks": 3, "max_batch_tokens": 32}, {"page_size": 1}]
)
def test_where_it_fails_that_is_said_once_and_batches_go_on(
    engine: Transformers, sizes: dict[str, int]
) -> None:
    told: list[str] = []
    mine = Paged(engine.model, engine.tokenizer, **sizes)
    both = Transformers(engine.model, engine.tokenizer, paged=mine, note=told.append)
    sampling = Sampling(max_tokens=5)
    for _ in range(2):
        assert both.complete(prompts(), sampling) == engine.complete(prompts(), sampling)
    assert both.paged is None
    assert len(told) == 1
    assert "continuous batching failed" in told[0]


def test_a_failure_inside_the_loop_is_an_error_and_leaves_no_thread(engine: Transformers) -> None:
    import threading

    def before(*_: Any) -> None:
        raise RuntimeError("CUDA out of memory, made up")

    mine = Paged(engine.model, engine.tokenizer, **SIZES)
    row = encode(prompts()[0], engine.tokenizer).ids
    hook = engine.model.register_forward_pre_hook(before)
    running = threading.active_count()
    try:
        with pytest.raises(PagedError, match="made up"):
            mine.complete([row], Sampling(max_tokens=5))
    finally:
        hook.remove()
    assert threading.active_count() == running
