"""The OpenVINO engine as one that a prompt may join at any moment."""

import pytest

pytest.importorskip("openvino_genai")

from coalm.engines import Completion, Sampling, Unanswered
from coalm.engines.openvino import OpenVino, open_openvino
from coalm.engines.streaming import Continuous
from coalm.formats import Piece

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def engine() -> OpenVino:
    return open_openvino("smollm2-135m", options={"cache_gb": 0.2})


def asked(text: str) -> list[Piece]:
    start, end = Piece("<|im_start|>", control=True), Piece("<|im_end|>", control=True)
    return [start, Piece(f"user\n{text}"), end, Piece("\n"), start, Piece("assistant\n")]


COLD = Sampling(max_tokens=12, end="<|im_end|>")


def test_those_who_join_are_answered_as_a_batch_is(engine: OpenVino) -> None:
    assert isinstance(engine, Continuous)
    prompts = [asked(f"Count from {n} to {n + 3}.") for n in range(5)]
    found: dict[int, Completion | Unanswered] = {}
    seen: dict[int, list[str]] = {n: [] for n in range(5)}

    def told(number: int, text: str) -> bool:
        seen[number].append(text)
        return True

    for n, prompt in enumerate(prompts):
        engine.join(prompt, COLD, lambda t, n=n: told(n, t), lambda a, n=n: found.update({n: a}))  # type: ignore[misc]
        engine.step()
    while engine.step():
        pass
    assert not engine.step()
    batch = engine.complete(prompts, COLD)
    assert [found[n] for n in range(5)] == batch
    for n, answer in enumerate(batch):
        assert isinstance(answer, Completion)
        assert seen[n][-1] == answer.text


def test_a_short_one_that_comes_late_is_done_first(engine: OpenVino) -> None:
    order: list[str] = []
    long = Sampling(max_tokens=60)  # no end marker: it uses all of its tokens
    engine.join(asked("Tell a story."), long, lambda _: True, lambda _: order.append("long"))
    for _ in range(10):
        engine.step()
    short = Sampling(max_tokens=3)
    engine.join(asked("Hi."), short, lambda _: True, lambda _: order.append("short"))
    while engine.step():
        pass
    assert order == ["short", "long"]


def test_who_is_stopped_or_too_long_leaves_at_once(engine: OpenVino) -> None:
    found: list[Completion | Unanswered] = []
    engine.join(asked("Tell a story."), COLD, lambda text: len(text) < 5, found.append)
    while engine.step():
        pass
    [stopped] = found
    assert isinstance(stopped, Completion)
    assert stopped.ended == "stop"
    assert stopped.completion_tokens < 12
    engine.join(asked("word " * 9_000), COLD, lambda _: True, found.append)
    assert found[1] == Completion("", "length", found[1].prompt_tokens, 0)  # type: ignore[union-attr]
    # What is asked for beyond the context is cut there, or refused for want of memory.
    engine.join(asked("Hi."), Sampling(max_tokens=10**6), lambda _: False, found.append)
    while engine.step():
        pass
    assert len(found) == 3
