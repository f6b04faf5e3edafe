"""`coalm serve` under load: requests a second, latency, CPU, memory, and what a kill leaves.

    .venv/bin/python benchmarks/serve_load.py                      # our overhead alone
    .venv/bin/python benchmarks/serve_load.py --stream             # the same, streamed
    .venv/bin/python benchmarks/serve_load.py --soak 20000         # memory, lost replies
    .venv/bin/python benchmarks/serve_load.py --kill 3             # kill -9 and start again
    .venv/bin/python benchmarks/serve_load.py --model smollm2-135m --requests 24

The server is a process of its own, with an engine that answers at once unless a model is
named. The client is a process too: plain sockets that stay open, a request written whole and
its answer read to its end, nothing parsed while the clock runs but the length. So latency is
from the first byte out to the last byte in; CPU is the server's alone, user and system, by
request. Every answer is then looked at: whole means a status of 200, all bytes that the
header promised, and the words that were to be said (streams: `[DONE]`).
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

WORDS = "Thought: They need a bus.\nAction: find_bus(to='ely', day='monday')"
SAID = (b"They need a bus.", b"find_bus", b"ely", b"monday", b'"finish_reason":"tool_calls"')
"""What every whole answer holds."""
WRONG = "whole by its ends, but not by its words"
TOOL = {
    "name": "find_bus",
    "description": "Find a bus.",
    "parameters": {
        "type": "object",
        "properties": {"to": {"type": "string"}, "day": {"type": "string"}},
        "required": ["to"],
    },
}


def main() -> None:
    """Serve, load, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", default="1,8,32", help="how many at once, one after another")
    parser.add_argument("--requests", type=int, default=2000, help="of each")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--model", default="", help="a real one; else one that answers at once")
    parser.add_argument("--soak", type=int, default=0, help="so many requests, 32 clients")
    parser.add_argument("--kill", type=int, default=0, help="so often kill -9 under load")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
    elif given.kill:
        kill(given.kill)
    elif given.soak:
        soak(given.soak, given.stream)
    else:
        load(given)


def serve() -> None:
    """The server, with an engine that answers at once."""
    from coalm.engines.scripted import Answering
    from coalm.formats import format_of
    from coalm.serve.app import make
    from coalm.serve.running import address_of, listener, run
    from coalm.serve.settings import ServeSettings

    sock = listener("127.0.0.1", 0)
    fmt = format_of("chatml", "react")
    app = make(Answering(lambda _: WORDS), fmt, ["m"], ServeSettings(concurrency=256))
    run(app, sock, drain=5, ready=lambda: print(address_of(sock), flush=True))


@dataclass
class Told:
    """What a load came to."""

    seconds: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    wall: float = 0.0


def load(given: argparse.Namespace) -> None:
    """Requests a second and latency at several numbers of clients."""
    with server(given.model) as (process, port):
        body = request(given.model or "m", stream=given.stream, long=not given.model)
        asyncio.run(asked(port, body, 1, 1 if given.model else 200))  # warm
        for clients in map(int, given.clients.split(",")):
            before = cpu(process)
            told = asyncio.run(asked(port, body, clients, given.requests))
            show(f"{clients:>2} clients", told, process, cpu(process) - before)


def soak(requests: int, stream: bool) -> None:
    """Many requests: memory at ten places, and that no reply is lost."""
    with server("") as (process, port):
        body = request("m", stream=stream, long=True)
        asyncio.run(asked(port, body, 32, 500))
        sizes, whole = [], Counter[str]()
        begun = time.monotonic()
        for _ in range(10):
            told = asyncio.run(asked(port, body, 32, requests // 10))
            whole += told.kinds
            sizes.append(process.memory_info().rss / 1e6)
        print(f"{requests} requests in {time.monotonic() - begun:.0f} s: {dict(whole)}")
        print("memory in MB:", " ".join(f"{size:.1f}" for size in sizes))


def kill(times: int) -> None:
    """Kill the server in the middle of its work; whatever looks whole must be whole."""
    kinds = Counter[str]()
    for round_ in range(times):
        with server("") as (process, port):
            body = request("m", stream=bool(round_ % 2), long=True)

            async def both(port: int = port, body: bytes = body, process: Any = process) -> Told:
                loading = asyncio.create_task(asked(port, body, 32, 100_000))
                await asyncio.sleep(1.0)
                process.kill()
                return await loading

            kinds += asyncio.run(both()).kinds
        with server("") as (_, port):
            again = asyncio.run(asked(port, request("m", stream=False, long=True), 8, 100))
            kinds["whole, after the restart"] += again.kinds["whole"]
    print(f"{times} kills: {dict(kinds)}")
    if kinds[WRONG]:
        sys.exit("a half reply looks whole")


# --- the client ---------------------------------------------------------------------------


def request(model: str, *, stream: bool, long: bool) -> bytes:
    """A request as bytes: a short conversation with a tool, one call and its result."""
    call = {"id": "a", "type": "function", "function": {"name": "find_bus", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You help people in Cambridge find their way."},
        {"role": "user", "content": "I am in Cambridge and want to go to Ely on Monday."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": '{"error": "to is missing"}'},
        {"role": "user", "content": "Please try again."},
    ]
    body = {"model": model, "messages": messages if long else messages[1:2], "stream": stream}
    body |= {
        "tools": [{"type": "function", "function": TOOL}],
        "max_tokens": 32 if not long else 64,
    }
    raw = json.dumps(body).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


async def asked(port: int, body: bytes, clients: int, requests: int) -> Told:
    """Ask so often, from so many connections at once."""
    told, left = Told(), requests
    words = SAID if b'"model": "m"' in body else (b'"usage"',)

    async def client() -> None:
        nonlocal left
        reader = writer = None
        while left > 0:
            left -= 1
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert reader is not None
                begun = time.perf_counter()
                writer.write(body)
                head, answer, ended = await answered(reader)
                told.seconds.append(time.perf_counter() - begun)
            except OSError:
                told.kinds["not connected or cut"] += 1
                left = 0  # the server is gone
                break
            kind = look(head, answer, ended, words)
            told.kinds[kind] += 1
            if not ended:
                left = 0
                break
        if writer is not None:
            writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    told.wall = time.perf_counter() - begun
    return told


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bool]:
    """Head and body of an answer, and whether it came to the end that HTTP gives it."""
    head = body = b""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if length:
            return head, await reader.readexactly(int(length.group(1))), True
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            piece = await reader.readexactly(size + 2)
            body += piece[:-2]
            if not size:
                return head, body, True
    except asyncio.IncompleteReadError as e:
        return head, body + e.partial, False


def look(head: bytes, body: bytes, ended: bool, words: tuple[bytes, ...]) -> str:
    """What an answer is that must hold some words."""
    if not ended:
        return "cut, and seen to be" if head else "not connected or cut"
    if b" 200 " not in head.partition(b"\r\n")[0]:
        return head.partition(b"\r\n")[0].decode()
    if b"text/event-stream" in head and not body.endswith(b"data: [DONE]\n\n"):
        return "a stream without its mark"
    if not all(word in body for word in words):
        return WRONG
    return "whole"


# --- the server's process -------------------------------------------------------------------


@contextmanager
def server(model: str) -> Iterator[tuple[psutil.Process, int]]:
    """The server, its process and its port."""
    command = [sys.executable, __file__, "--serve"]
    if model:
        main_ = "from coalm.cli import main; main()"
        command = [sys.executable, "-c", main_, "serve", model, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        found = None
        while found is None:
            line = made.stdout.readline()
            if not line:
                sys.exit("the server did not start")
            found = re.match(r"http://127\.0\.0\.1:(\d+)", line)
        try:
            yield psutil.Process(made.pid), int(found.group(1))
        finally:
            made.kill()


def cpu(process: psutil.Process) -> float:
    """Seconds that it has computed."""
    times = process.cpu_times()
    return float(times.user + times.system)


def show(name: str, told: Told, process: psutil.Process, used: float) -> None:
    """A line of figures."""
    done = len(told.seconds)
    cuts = statistics.quantiles(told.seconds, n=100) if done > 1 else told.seconds * 99
    print(
        f"{name}: {done / told.wall:.0f} requests/s, p50 {cuts[49] * 1e3:.1f} ms, "
        f"p95 {cuts[94] * 1e3:.1f} ms, CPU {used / done * 1e3:.2f} ms a request, "
        f"{process.memory_info().rss / 1e6:.0f} MB; {dict(told.kinds)}"
    )


if __name__ == "__main__":
    main()
