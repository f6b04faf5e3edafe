"""Who waits for an engine, in which order they are answered, and what they are told."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from coalm.engines import Completion, Model, Sampling, Unanswered
from coalm.engines.scripted import Answering
from coalm.engines.streaming import Continuous
from coalm.formats import Piece
from coalm.serve.batching import STOPPING, Batcher
from coalm.serve.waiting import Answer, Queued, Ticket
from coalm.types import Dialogue, User
from tests.serve.server import Batched, Typing, chatml, saying

COLD = Sampling()


def prompt(text: str) -> list[Piece]:
    return [Piece(text)]


async def answers(batcher: Batcher, texts: Sequence[str], sampling: Sampling = COLD) -> list[Any]:
    async def one(text: str) -> Any:
        return [step async for step in batcher.ask(prompt(text), sampling).growing()][-1]

    return await asyncio.gather(*map(one, texts))


def echo(text: str) -> str:
    return f"{text} back"


@pytest.mark.parametrize("batched", [False, True])
def test_each_gets_its_own_answer_whoever_else_asks(batched: bool) -> None:
    engine: Any = Typing(echo)
    batcher = Batcher(Batched(engine) if batched else engine)
    texts = [f"word{n}" for n in range(200)]
    found = asyncio.run(answers(batcher, texts))
    assert [one.text for one in found] == [f"{text} back" for text in texts]
    batcher.close()


def test_a_short_request_that_comes_late_overtakes_a_long_one() -> None:
    engine = Typing(lambda text: "long " * 100 if text == "long" else "short", every=0.002)
    assert isinstance(engine, Continuous)
    order: list[str] = []

    async def ask(batcher: Batcher) -> None:
        async def one(text: str) -> None:
            async for _ in batcher.ask(prompt(text), COLD).growing():
                pass
            order.append(text)

        first = asyncio.create_task(one("long"))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, one("short"))

    batcher = Batcher(engine)
    asyncio.run(ask(batcher))
    batcher.close()
    assert order == ["short", "long"]


def test_those_that_wait_share_a_batch_if_they_are_drawn_alike() -> None:
    engine = Batched(Typing(echo, every=0.02))

    async def ask(batcher: Batcher) -> None:
        first = asyncio.create_task(answers(batcher, ["first"]))
        await asyncio.sleep(0.02)
        hot = Sampling(temperature=1.0)
        await asyncio.gather(
            first,
            answers(batcher, ["a", "b", "c"]),
            answers(batcher, ["d", "e"], hot),
            answers(batcher, [f"{n}" for n in range(5)]),
        )

    batcher = Batcher(engine, batch=6)
    asyncio.run(ask(batcher))
    batcher.close()
    assert engine.batches[0] == 1
    assert sorted(engine.batches[1:]) == [2, 2, 6]


def test_no_growth_is_lost_though_the_loop_is_slow() -> None:
    engine = saying("0123456789" * 20, size=1)

    async def ask(batcher: Batcher) -> list[Any]:
        steps = []
        async for step in batcher.ask(prompt("x"), COLD).growing():
            steps.append(step)
            time.sleep(0.005)  # the engine writes on meanwhile
        return steps

    batcher = Batcher(engine)
    *texts, last = asyncio.run(ask(batcher))
    batcher.close()
    assert isinstance(last, Completion)
    assert last.text == "0123456789" * 20
    assert all(last.text.startswith(text) for text in texts)
    assert texts == sorted(texts, key=len)


def test_a_ticket_takes_the_first_end_alone_and_survives_its_loop() -> None:
    async def made() -> Ticket:
        return Ticket([], COLD, asyncio.get_running_loop())

    ticket = asyncio.run(made())
    ticket.end(STOPPING)
    ticket.end(Completion("late", "stop", 1, 1))
    assert ticket.answer == STOPPING
    assert ticket.grow("more")


def test_whoever_is_in_line_is_told_when_the_server_stops() -> None:
    engine = Batched(saying("x" * 40, every=0.02))
    told: list[Answer] = []

    class Waits:
        prompt, sampling, gone = prompt("x"), COLD, False

        def grow(self, text: str) -> bool:
            return not self.gone

        def end(self, answer: Answer) -> None:
            told.append(answer)

    batcher = Batcher(engine, batch=1)
    for _ in range(3):
        batcher.put(Waits())
    while not engine.batches:
        time.sleep(0.005)
    batcher.close()
    batcher.put(Waits())
    batcher.close()
    assert [type(one) for one in told] == [Completion, Unanswered, Unanswered, Unanswered]
    assert told[1:] == [STOPPING] * 3


def test_who_is_under_way_is_told_if_the_end_cannot_wait() -> None:
    engine = saying("x" * 4000, every=0.01)

    async def ask(batcher: Batcher) -> Any:
        ticket = batcher.ask(prompt("x"), COLD)
        steps = ticket.growing()
        await anext(steps)
        threading.Thread(target=batcher.close, args=(0.05,)).start()
        return [step async for step in steps][-1]

    assert asyncio.run(ask(Batcher(engine))) == STOPPING


def test_what_an_engine_raises_is_told_to_those_it_had_and_it_lives_on() -> None:
    class Moody(Typing):
        def step(self) -> bool:
            if any("bad" in row[1] for row in self._rows):
                self._rows.clear()
                raise RuntimeError("no more")
            return super().step()

    batcher = Batcher(Moody(echo))
    assert asyncio.run(answers(batcher, ["bad"])) == [Unanswered("RuntimeError: no more")]
    assert asyncio.run(answers(batcher, ["good"]))[0].text == "good back"
    batcher.close()


def test_an_engine_that_answers_too_few_leaves_nobody_waiting() -> None:
    class Forgetful:
        def complete(self, prompts: Any, sampling: Any) -> Any:
            return []

    batcher = Batcher(Forgetful())
    [found] = asyncio.run(answers(batcher, ["x"]))
    assert isinstance(found, Unanswered)
    batcher.close()


def test_threads_share_the_line_as_an_engine() -> None:
    batcher = Batcher(Typing(echo, every=0.001))
    engine = Queued(batcher)
    seen: list[str] = []
    texts = [prompt("a"), prompt("b")]

    def growing(number: int, text: str) -> bool:
        seen.append(text)
        return number == 0

    found = engine.stream(texts, COLD, growing)
    assert isinstance(found[0], Completion)
    assert found[0].text == "a back"
    assert isinstance(found[1], Completion)
    assert len(found[1].text) < len("b back")
    speaker = Model(engine, chatml())
    said: list[Any] = []

    def speak() -> None:
        said.extend(speaker.speak([Dialogue((User("Hello."),))], COLD))

    threads = [threading.Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(said) == 8
    batcher.close()
    assert engine.complete([prompt("c")], COLD) == [STOPPING]


def test_a_thread_is_rid_of_an_engine_that_cannot_be_stopped() -> None:
    def slow(_: str) -> str:
        time.sleep(1)
        return "late"

    batcher = Batcher(Answering(slow))
    begun = time.monotonic()
    [found] = Queued(batcher).stream([prompt("x")], COLD, lambda _n, _t: False)
    assert found == Completion("", "stop", 0, 0)
    assert time.monotonic() - begun < 0.9
    batcher.close()
