"""`coalm serve` as a user starts it: what it says, and what it does not take."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from coalm.cli import app
from coalm.errors import CoalmError
from coalm.serve.running import listener
from coalm.serve.settings import ServeSettings
from tests.endpoints.server import Endpoint, Say


def refused(*words: str) -> str:
    """What `coalm serve` says to words that it does not take."""
    result = CliRunner().invoke(app, ["serve", *words])
    if isinstance(result.exception, CoalmError):
        return str(result.exception)
    return result.output


@contextmanager
def started(*words: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command as a process, and its first lines."""
    command = [sys.executable, "-c", "from coalm.cli import main; main()"]
    command += ["serve", *words, "--port", "0"]
    whole = {**os.environ, "COLUMNS": "200", **env}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=whole) as made:
        assert made.stdout is not None
        lines: list[str] = []
        while not any("key" in line for line in lines):
            lines.append(made.stdout.readline())
            assert lines[-1], lines
        try:
            yield made, lines
        finally:
            made.kill()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "which model"),
        (["m", "--agent", "cambrige"], "did you mean 'cambridge'"),
        (["m", "--upstream", "http://localhost:1/v1"], "add --layout"),
        (["m", "--upstream", "http://localhost:1/v1", "--layout", "chatlm"], "chatml"),
        (["m", "--upstream", "localhost", "--layout", "chatml"], "no base URL"),
        (["m", "--upstream", "http://h/v1", "--layout", "chatml", "--engine", "vllm"], "no engine"),
        (["m", "--engine", "server"], "--upstream"),
        (["no/such/folder"], "no/such/folder"),
        (["m", "--host", "no.such.host.invalid"], "cannot listen"),
    ],
)
def test_what_cannot_be_meant_is_one_line(words: list[str], why: str) -> None:
    more = [] if "--host" in words else ["--port", "0"]
    said = refused(*words, *more)
    assert why in said
    assert "Traceback" not in said


def test_a_port_in_use_is_told_before_anything_is_loaded() -> None:
    with listener("127.0.0.1", 0) as sock:
        sock.listen()
        said = refused("no/such/model", "--port", str(sock.getsockname()[1]))
    assert "another --port" in said


def test_every_setting_can_be_given() -> None:
    said = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    for one in fields(ServeSettings):
        assert f"--{one.name.replace('_', '-')}" in said


@pytest.mark.slow
def test_it_says_where_it_listens_and_ends_well() -> None:
    with Endpoint(lambda _: Say("Hello."), models=("m",)) as upstream:
        words = ("m", "--upstream", upstream.url, "--layout", "chatml", "--name", "town")
        with started(*words, COALM_API_KEYS="") as (made, lines):
            found = re.search(r"http://127.0.0.1:\d+/v1", lines[0])
            assert found, lines
            assert "town, m: upstream" in lines[1]
            assert "no API key is needed" in lines[2]
            for name in ("town", "m"):
                body: dict[str, Any] = {"model": name}
                body["messages"] = [{"role": "user", "content": "Hello."}]
                row = httpx.post(f"{found.group()}/chat/completions", json=body).json()
                assert row["choices"][0]["message"]["content"] == "Hello."
            made.send_signal(signal.SIGINT)
            assert made.wait(10) == 0


@pytest.mark.slow
def test_it_warns_where_everybody_may_come_in_and_asks_for_keys() -> None:
    with Endpoint(lambda _: Say("Hello."), models=("m",)) as upstream:
        words = ("m", "--upstream", upstream.url, "--layout", "chatml", "--host", "0.0.0.0")
        with started(*words, COALM_API_KEYS="") as (_, lines):
            assert "warning" in lines[2]
        with started(*words, COALM_API_KEYS="a,b") as (_, lines):
            assert "2 API keys" in lines[2]


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model_answers_and_its_agent_too() -> None:
    for more in ((), ("--agent", "cambridge")):
        with started("smollm2-135m", "--max-tokens", "8", *more, COALM_API_KEYS="") as (_, lines):
            found = re.search(r"http://\S+", lines[-3])
            assert found, lines
            body = {"model": "smollm2-135m", "messages": [{"role": "user", "content": "Hello."}]}
            begun = time.monotonic()
            row = httpx.post(f"{found.group()}/chat/completions", json=body, timeout=120).json()
            assert row["usage"]["completion_tokens"] >= 1, (row, time.monotonic() - begun)
