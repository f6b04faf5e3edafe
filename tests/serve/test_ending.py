"""How the server ends, and what clients can tell of it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coalm.errors import RecipeError
from coalm.serve.running import address_of, listener
from tests.serve.server import HELLO, saying, served
from tests.serve.test_completions import events, wait_for

BODY = {"model": "m", "messages": HELLO}

SCRIPT = """
import sys, time
from coalm.serve.app import make
from coalm.serve.running import address_of, listener, run
from coalm.serve.settings import ServeSettings
sys.path.insert(0, sys.argv[1])
from tests.serve.server import chatml, saying
sock = listener("127.0.0.1", int(sys.argv[2]))
app = make(saying("word " * 40, every=0.02), chatml(), ["m"], ServeSettings())
say = lambda text: print(text, flush=True)
run(app, sock, drain=float(sys.argv[3]), note=say, ready=lambda: say(address_of(sock)))
say("ended")
"""


@contextmanager
def process(port: int = 0, drain: float = 10.0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process of its own, and its address."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", SCRIPT, root, str(port), str(drain)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        try:
            yield made, made.stdout.readline().strip()
        finally:
            made.kill()


def asking(url: str, stream: bool, found: list[Any]) -> threading.Thread:
    def ask() -> None:
        try:
            address = f"{url}/v1/chat/completions"
            found.append(httpx.post(address, json=BODY | {"stream": stream}, timeout=20))
        except httpx.TransportError as e:
            found.append(e)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_what_was_begun_is_finished_and_nobody_else_let_in() -> None:
    with served(saying("word " * 40, every=0.02)) as server:
        found: list[Any] = []
        threads = [asking(server.url, stream, found) for stream in (False, True)]
        wait_for(lambda: server.app.under_way == 2)
        server.stop.set()
        wait_for(lambda: server.app.door.closing)
        late = server.post({})
        assert (late.status_code, late.json()["error"]["message"]) == (
            503,
            "the server is stopping",
        )
        assert httpx.get(f"{server.url}/healthz").status_code == 503
        for thread in threads:
            thread.join(10)
        server.end()
    assert [one.status_code for one in found] == [200, 200]
    assert any(one.text.endswith("data: [DONE]\n\n") for one in found)
    assert "finishing 2 requests" in server.notes[0]


@pytest.mark.parametrize("stream", [False, True])
def test_who_is_not_done_in_time_is_told(stream: bool) -> None:
    with served(saying("word " * 4000, every=0.02), drain=0.3) as server:
        found: list[Any] = []
        thread = asking(server.url, stream, found)
        wait_for(lambda: server.app.under_way)
        server.end()
        thread.join(10)
    [one] = found
    assert "the server is stopping" in one.text
    if stream:
        assert "[DONE]" not in one.text
        assert "error" in events(one)[-1]
    else:
        assert one.status_code == 503


def test_a_port_that_is_taken_is_one_line() -> None:
    with listener("127.0.0.1", 0) as sock:
        sock.listen()
        with pytest.raises(RecipeError, match="another --port"):
            listener("127.0.0.1", sock.getsockname()[1])
        assert address_of(sock).startswith("http://127.0.0.1:")
    with pytest.raises(RecipeError, match="cannot listen"):
        listener("no.such.host.invalid", 1)


@pytest.mark.slow
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(sig: int) -> None:
    with process() as (made, url):
        found: list[Any] = []
        thread = asking(url, False, found)
        time.sleep(0.4)
        made.send_signal(sig)
        thread.join(10)
        assert made.wait(10) == 0
        assert made.stdout is not None
        assert "ended" in made.stdout.read()
    assert found[0].status_code == 200


@pytest.mark.slow
def test_killed_under_load_no_half_reply_looks_whole_and_it_starts_again() -> None:
    found: list[Any] = []
    with process() as (made, url):
        threads = [asking(url, n % 2 == 0, found) for n in range(16)]
        time.sleep(0.6)
        made.kill()
        for thread in threads:
            thread.join(10)
    port = int(re.sub(r".*:", "", url))
    assert len(found) == 16
    for one in found:
        whole = isinstance(one, httpx.Response) and (
            one.text.endswith("[DONE]\n\n") or one.json().get("choices")
        )
        assert not whole
    with process(port) as (_, again):
        assert again == url
        assert httpx.post(f"{again}/v1/chat/completions", json=BODY, timeout=20).status_code == 200


def test_half_an_answer_can_be_told_from_a_whole_one() -> None:
    with served(saying("word " * 10)) as server:
        whole = server.post({})
        assert int(whole.headers["content-length"]) == len(whole.content)
        host, port = server.url.removeprefix("http://").split(":")
        body = json.dumps(BODY | {"stream": True}).encode()
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
            raw = b""
            while not raw.endswith(b"0\r\n\r\n"):
                raw += sock.recv(65536)
        assert b"transfer-encoding: chunked" in raw.lower()
        assert raw.count(b"data: [DONE]") == 1


def test_answers_are_not_held_back_by_the_kernel() -> None:
    with served(saying("hi")) as server, httpx.Client() as client:
        url = f"{server.url}/v1/chat/completions"
        client.post(url, json=BODY)
        times = []
        for _ in range(20):
            begun = time.monotonic()
            client.post(url, json=BODY)
            times.append(time.monotonic() - begun)
    assert min(times) < 0.03
