"""In front of another server: our prompt goes out, our grammar reads what comes back."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from coalm.errors import EndpointError
from coalm.serve.app import around
from coalm.serve.settings import ServeSettings
from coalm.serve.upstream import Upstream, greet
from tests.endpoints.server import Drop, Endpoint, Request, Say, Stall, Status, Step, Stream
from tests.serve.server import FIND, HELLO, Running, chatml, running
from tests.serve.test_completions import CALL, events, told, wait_for


@contextmanager
def behind(
    *behave: Callable[[Request], Step], timeout: float = 5.0, **more: Any
) -> Iterator[tuple[Running, list[Endpoint]]]:
    """Our server in front of some."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Endpoint(one, models=("m",), **more)) for one in behave]
        line = Upstream("m", [one.url for one in servers], timeout=timeout)
        made = around(line, chatml(), ["m"], ServeSettings(timeout=60))
        yield stack.enter_context(running(made)), servers


def test_our_prompt_goes_out_and_the_reply_is_read() -> None:
    with behind(lambda _: Say(f"<think>To Ely.</think>\n{CALL}")) as (server, [upstream]):
        row = server.post({"tools": [FIND], "seed": 7, "max_tokens": 9}).json()
    message = row["choices"][0]["message"]
    assert message["reasoning_content"] == "To Ely."
    assert message["tool_calls"][0]["function"]["name"] == "find_bus"
    assert row["usage"]["prompt_tokens"] == 100
    [request] = upstream.requests
    assert request.path == "/v1/completions"
    assert request.prompt.startswith("<|im_start|>system\n")
    assert request.prompt.endswith("<|im_start|>assistant\n")
    assert "find_bus(to: string)" in request.prompt
    assert request.body["stop"] == ["<|im_end|>"]
    assert (request.body["seed"], request.body["max_tokens"]) == (7, 9)
    assert request.body["add_special_tokens"] is False


def test_a_stream_passes_through_as_it_comes() -> None:
    with behind(lambda _: Say("words " * 20, every=0.02)) as (server, _):
        url = f"{server.url}/v1/chat/completions"
        body = {"model": "m", "messages": HELLO, "stream": True}
        times, parts = [], []
        with httpx.stream("POST", url, json=body) as response:
            for line in response.iter_lines():
                parts.append(line)
                times.append(time.monotonic())
    assert times[-1] - times[0] > 0.2
    assert parts[-2] == "data: [DONE]"


def test_requests_go_out_as_they_come_to_whoever_has_fewest() -> None:
    async def ask(url: str) -> list[int]:
        async with httpx.AsyncClient(timeout=20) as client:
            body = {"model": "m", "messages": HELLO}
            asks = [client.post(f"{url}/v1/chat/completions", json=body) for _ in range(24)]
            return [one.status_code for one in await asyncio.gather(*asks)]

    slow: Callable[[Request], Step] = lambda _: Say("hi", after=0.3)  # noqa: E731
    with behind(slow, slow) as (server, upstreams):
        begun = time.monotonic()
        assert asyncio.run(ask(server.url)) == [200] * 24
        assert time.monotonic() - begun < 3
        assert [one.most_in_flight for one in upstreams] == [12, 12]


@pytest.mark.parametrize("ill", [Drop(begun=False), Status(500), Status(429)])
def test_what_one_does_not_begin_another_is_asked_for(ill: Step) -> None:
    with behind(lambda _: ill, lambda _: Say("from the other")) as (server, upstreams):
        found = [server.post({}).json() for _ in range(4)]
    assert all(one["choices"][0]["message"]["content"] == "from the other" for one in found)
    assert len(upstreams[0].requests) <= 1  # it is left alone for a while


@pytest.mark.parametrize(
    ("step", "status", "why"),
    [
        (Drop(begun=True), 503, "broke off"),
        (Status(400, "this model's maximum context length is 9"), 400, "more than the model"),
        (Status(400, "no such thing"), 503, "no such thing"),
        (Status(401, "bad key"), 503, "HTTP 401"),
        (Status(502, text="<html>Bad Gateway</html>"), 503, "HTTP 502"),
        (Stream("{"), 503, "cannot be read"),
        (Stream("[]"), 503, "cannot be read"),
        (Stream('{"error": {"message": "out of memory"}}'), 503, "out of memory"),
        (Stream('{"choices": [{"text": "half"}]}'), 503, "broke off"),
        (Stall(), 503, "the connection"),
    ],
)
def test_what_goes_wrong_there_is_told_here(step: Step, status: int, why: str) -> None:
    with behind(lambda _: step, timeout=0.3) as (server, _):
        response = server.post({})
        assert (response.status_code, why in response.text) == (status, True), response.text
        assert server.post({}).status_code == status  # and it lives on


def test_half_a_stream_is_not_told_as_a_whole_one() -> None:
    with behind(lambda _: Stall(begun=True), timeout=0.5) as (server, _):
        rows = events(server.post({"stream": True}))
    assert told(rows[:-1], "content") == "half of"
    assert "broke off" in rows[-1]["error"]["message"]


def test_a_field_that_is_refused_is_left_out_from_then_on() -> None:
    def picky(request: Request) -> Step:
        if "add_special_tokens" in request.body:
            return Status(400, "Unknown field add_special_tokens")
        return Say("fine")

    with behind(picky) as (server, [upstream]):
        assert server.post({}).status_code == 200
        assert server.post({}).status_code == 200
    assert len(upstream.requests) == 3


def test_who_hangs_up_here_hangs_up_there() -> None:
    with behind(lambda _: Say("words " * 5_000, every=0.01)) as (server, [upstream]):
        body = {"model": "m", "messages": HELLO, "stream": True}
        with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=body) as response:
            next(response.iter_lines())
        wait_for(lambda: not server.app.under_way)
        wait_for(lambda: not upstream.in_flight)


def test_nobody_there_is_told_at_once() -> None:
    with pytest.raises(EndpointError, match="cannot reach"):
        greet(["http://127.0.0.1:9/v1"])
    with Endpoint(key="k") as upstream, pytest.raises(EndpointError, match="asks for a key"):
        greet([upstream.url], "COALM_TEST_NO_KEY")


def test_a_closed_line_tells_everybody() -> None:
    with behind(lambda _: Stall()) as (server, _):
        found: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: found.append(server.post({})))
        asking.start()
        wait_for(lambda: server.app.under_way)
        server.app.line.close(0.0)
        asking.join(5)
        assert "stopping" in found[0].text
        assert "stopping" in server.post({}).text
