"""`coalm web` as a user starts it: over an endpoint, with mistakes, and to its end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from coalm.agent import traces
from coalm.cli import app
from coalm.errors import CoalmError
from coalm.types import Assistant
from tests.endpoints.server import Endpoint, Say
from tests.serve.stage import Stage, stage

AGENT = """
name: echo
policy: Say things.
tools: [{python: tools.py}]
"""
TOOLS = '''
def find(food: str = "", area: str = "") -> dict:
    """Find places."""
    return {"hits": [{"name": "Cow"}]}
'''


@pytest.fixture(scope="module")
def upstream() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    (tmp_path / "tools.py").write_text(TOOLS)
    file = tmp_path / "echo.yaml"
    file.write_text(AGENT)
    return file


@contextmanager
def web(
    agent: Path, url: str, traces: Path, *more: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`coalm web` in a process of its own, over an endpoint."""
    command = [sys.executable, "-c", "from coalm.cli import main; main()", "web", "tuned"]
    command += ["--agent", str(agent), "--engine", "server", "--base-url", url]
    command += ["--port", "0", "--traces", str(traces), *more]
    work = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert work.stdout is not None
    try:
        told = ""
        while "Ctrl-C ends" not in told and (line := work.stdout.readline()):
            told += line
        found = re.search(r"http://127\.0\.0\.1:\d+", told)
        assert found, told
        yield found[0], work
    finally:
        work.kill()
        work.wait()
        work.stdout.close()


def talked(url: str, words: str) -> dict[str, Any]:
    """How a new conversation answers."""
    about = httpx.post(f"{url}/agent/sessions", json={}, timeout=30).json()
    assert (about["agent"], about["model"]) == ("echo", "tuned")
    say = f"{url}/agent/sessions/{about['id']}/say"
    lines = httpx.post(say, json={"text": words}, timeout=30).text.strip().splitlines()
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("data: "))
    return found


@pytest.mark.slow
def test_an_agent_over_a_chat_endpoint_is_talked_with_until_ctrl_c(
    upstream: Stage, agent: Path, tmp_path: Path
) -> None:
    file = tmp_path / "traces.jsonl"
    with web(agent, f"{upstream.url}/v1", file) as (url, work):
        assert talked(url, "thai please")["how"] == "spoke"
        api = httpx.post(f"{url}/v1/chat/completions", json={})
        assert api.status_code == 501
        assert "chat endpoint" in api.json()["error"]["message"]
        work.send_signal(signal.SIGINT)
        assert work.wait(15) == 0
    [trace] = traces.read(file)
    assert trace.dialogue.turns[-1] == Assistant("Thai House is in the north.", "One is enough.")


@pytest.mark.slow
def test_an_endpoint_that_takes_our_prompts_is_served_as_well(agent: Path, tmp_path: Path) -> None:
    raw = ("--raw", "--layout", "chatml")
    with (
        Endpoint(lambda _: Say("System: Raw hello."), models=("tuned",)) as server,
        web(agent, server.url, tmp_path / "t.jsonl", *raw) as (url, _),
    ):
        assert talked(url, "hello")["how"] == "spoke"
        body = {"model": "tuned", "messages": [{"role": "user", "content": "hi"}]}
        row = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20).json()
        assert row["choices"][0]["message"]["content"] == "Raw hello."
        assert {request.path for request in server.requests} >= {"/v1/completions"}


def refused(*arguments: str) -> str:
    """What a person is told instead of a page."""
    done = CliRunner().invoke(app, ["web", *arguments])
    assert isinstance(done.exception, CoalmError), done.output
    return str(done.exception)


def test_mistakes_are_named_before_anything_is_opened(agent: Path, tmp_path: Path) -> None:
    assert "which model" in refused("--agent", str(agent))
    assert "did you mean 'cambridge'" in refused("m", "--agent", "cambrige")
    assert "did you mean 'smollm2-135m'" in refused("smolm2-135m", "--agent", str(agent))
    assert "nowhere" in refused("nowhere/at/all", "--agent", str(agent))
    told = refused("m", "--agent", str(agent), "--traces", str(tmp_path))
    assert "cannot be written" in told
    where = ["--engine", "server", "--base-url", "http://127.0.0.1:9/v1", "--agent", str(agent)]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = refused("m", *where, "--port", str(taken.getsockname()[1]))
    assert "try another --port" in told
