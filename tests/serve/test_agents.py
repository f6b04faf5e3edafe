"""The second mode: the agent runs its own tools, and the client only talks."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest

from coalm.agent.functions import tools
from coalm.agent.guard import Manners
from coalm.agent.loop import Agent
from coalm.agent.session import Setting
from coalm.agent.tracking import Domains
from coalm.engines import Model, Sampling
from coalm.serve.app import of_agent
from coalm.serve.batching import Batcher
from coalm.serve.settings import ServeSettings
from coalm.serve.waiting import Queued
from coalm.types import Dialogue, System
from tests.serve.server import FIND, HELLO, Running, Typing, chatml, running
from tests.serve.test_completions import events, told, wait_for

booked: list[str] = []


def find_bus(to: str) -> str:
    """Find a bus."""
    return f"{to} 17:00"


def book_bus(to: str) -> str:
    """Book a bus."""
    booked.append(to)
    return "booked"


def model(prompt: str) -> str:
    """Finds, or books, then says what came of it."""
    last = prompt.rpartition("<|im_start|>")[0].rpartition("<|im_start|>")[2]
    said = last.partition("\n")[2].partition("<|im_end|>")[0]
    if last.startswith("tool\n"):
        return f"Thought: I know it.\nSystem: {said.removeprefix('Observation: ')}."
    if "book" in said:
        return "Thought: To be booked.\nAction: book_bus(to='ely')"
    if "broken" in said:
        return "Thought: hm\nAction: find_bus(to=ely"
    if "forever" in said:
        return "System: " + "and on " * 2000
    return "Thought: To look.\nSystem: One moment.\nAction: find_bus(to='ely')"


@contextmanager
def agent(
    manners: dict[str, Manners] | None = None, every: float = 0.0, **limits: Any
) -> Iterator[tuple[Running, Typing]]:
    engine = Typing(model, every=every)
    line = Batcher(engine)
    found = tools(find_bus, book_bus)
    setting = Setting(
        Agent(Model(Queued(line), chatml("react")), found, sampling=Sampling(200), **limits),
        Dialogue((System("Be kind."),), tuple(tool.spec for tool in found.values())),
        {"book_bus": Manners(writes=True)} | (manners or {}),
        Domains({"find_bus": "bus", "book_bus": "bus"}),
    )
    with running(of_agent("buses", setting, line, ["m"], ServeSettings())) as server:
        yield server, engine


def message_of(response: httpx.Response) -> dict[str, Any]:
    message: dict[str, Any] = response.json()["choices"][0]["message"]
    return message


def test_the_agent_runs_its_tools_and_answers_in_words() -> None:
    with agent() as (server, engine):
        response = server.post({})
    message = message_of(response)
    assert message["content"] == "One moment.\nely 17:00."
    assert message["reasoning_content"] == "To look.\nI know it."
    kinds = [row["event"] for row in message["coalm_events"]]
    assert [k for k in kinds if k != "tracked"] == ["took", "observed", "took"]
    assert message["coalm_events"][0]["calls"] == [{"name": "find_bus", "arguments": {"to": "ely"}}]
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    assert response.json()["usage"]["completion_tokens"] > 5
    assert len(engine.seen) == 2


def test_a_stream_tells_the_same_as_it_happens() -> None:
    with agent() as (server, _):
        whole = message_of(server.post({}))
        rows = events(server.post({"stream": True}))
    assert rows.pop() == "[DONE]"
    assert told(rows, "content") == whole["content"]
    assert told(rows, "reasoning_content") == whole["reasoning_content"]
    deltas = [row["choices"][0]["delta"] for row in rows]
    assert [e for d in deltas for e in d.get("coalm_events", ())] == whole["coalm_events"]
    assert rows[-1]["choices"][0]["finish_reason"] == "stop"


def test_openais_client_talks_with_it_and_brings_the_events_back() -> None:
    messages: list[Any] = [*HELLO]
    with (
        agent() as (server, engine),
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
    ):
        first = client.chat.completions.create(model="m", messages=messages)
        messages += [first.choices[0].message.model_dump(), *HELLO]
        client.chat.completions.create(model="m", messages=messages)
    again = "".join(piece.text for piece in engine.seen[2])
    assert "Action: find_bus(to='ely')" in again
    assert "Observation: ely 17:00" in again


def test_a_plain_history_is_enough_and_the_clients_instructions_are_added() -> None:
    messages = [{"role": "system", "content": "Speak French."}, *HELLO,
                {"role": "assistant", "content": "Bonjour."}, *HELLO]  # fmt: skip
    with agent() as (server, engine):
        assert server.post({"messages": messages}).status_code == 200
    prompt = "".join(piece.text for piece in engine.seen[0])
    assert "Be kind.\n\nSpeak French." in prompt
    assert "System: Bonjour." in prompt


def test_nobody_can_be_asked_so_what_writes_is_refused_unless_told_otherwise() -> None:
    ask = {"messages": [{"role": "user", "content": "book it"}]}
    booked.clear()
    with agent() as (server, _):
        message = message_of(server.post(ask))
    assert not booked
    assert "nobody can be asked" in json.dumps(message["coalm_events"])
    with agent({"book_bus": Manners(writes=True, ask_first=False)}) as (server, _):
        message = message_of(server.post(ask))
    assert booked == ["ely"]
    assert message["content"] == "booked."


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_that_cannot_be_read_says_so(stream: bool) -> None:
    ask = {"messages": [{"role": "user", "content": "broken"}], "stream": stream}
    with agent() as (server, _):
        response = server.post(ask)
    if stream:
        malformed = [r["choices"][0]["delta"].get("coalm_malformed") for r in events(response)[:-1]]
        assert any(malformed)
    else:
        assert "find_bus(to=ely" in message_of(response)["content"]
        assert "not a call" in message_of(response)["coalm_malformed"]


def test_a_reply_that_meets_its_limit_says_so() -> None:
    with agent(max_steps=1) as (server, _):
        response = server.post({})
    [choice] = response.json()["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["coalm_ended"]["how"] == "steps"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"tools": [FIND]}, "tools of its own"),
        ({"stop": "x"}, "where it stops"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "x", "coalm_events": [5]}, *HELLO]},
         "not what this server sent"),
    ],
)  # fmt: skip
def test_what_an_agent_does_not_take_is_named(body: Any, why: str) -> None:
    with agent() as (server, _):
        response = server.post(body)
    assert response.status_code == 400
    assert why in response.json()["error"]["message"]


def test_a_client_that_hangs_up_stops_the_agent() -> None:
    ask = {"messages": [{"role": "user", "content": "forever"}], "stream": True}
    with agent(every=0.01) as (server, engine):
        url = f"{server.url}/v1/chat/completions"
        with httpx.stream("POST", url, json={"model": "m"} | ask) as response:
            next(response.iter_lines())
        wait_for(lambda: engine.stopped)
        wait_for(lambda: not server.app.under_way)


def test_many_talk_with_it_at_once() -> None:
    async def all_of_them(url: str) -> list[str]:
        async with httpx.AsyncClient(timeout=20) as client:
            body = {"model": "m", "messages": HELLO}
            asks = [client.post(f"{url}/v1/chat/completions", json=body) for _ in range(20)]
            return [message_of(one)["content"] for one in await asyncio.gather(*asks)]

    with agent() as (server, _):
        before = threading.active_count()
        assert asyncio.run(all_of_them(server.url)) == ["One moment.\nely 17:00."] * 20
        time.sleep(0.2)
        assert threading.active_count() <= before + 64


def test_pages_have_conversations_beside_it() -> None:
    with agent() as (server, _):
        made = httpx.post(f"{server.url}/agent/sessions", json={})
        assert made.status_code == 201
        one = f"{server.url}/agent/sessions/{made.json()['id']}"
        said = httpx.post(f"{one}/say", json={"text": "Hello."}, timeout=10).text
    assert "ely 17:00" in said
