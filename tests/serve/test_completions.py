"""Chat completions over real sockets: what is said, and what cannot be."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coalm.engines import Completion, Unanswered
from coalm.engines.scripted import Scripted
from tests.serve.server import FIND, HELLO, Batched, Running, Typing, saying, served

CALL = '[{"name": "find_bus", "arguments": {"to": "ely"}}]'
TAGGED = f"<tool_call>\n{CALL[1:-1]}\n</tool_call>"
NAMED = {"type": "function", "function": {"name": "fly"}}
ODD = {"role": "user", "content": [{"type": "image_url"}]}
LOST = {"role": "tool", "tool_call_id": "q", "content": "x"}


@pytest.fixture(scope="module")
def words() -> Iterator[Running]:
    with served(saying("Good day to you."), max_body=20_000, max_tokens=100) as server:
        yield server


def events(response: httpx.Response) -> list[Any]:
    lines = [line for line in response.text.split("\n\n") if line.startswith("data: ")]
    return [d if (d := x.removeprefix("data: ")) == "[DONE]" else json.loads(d) for x in lines]


def told(rows: list[Any], name: str) -> str:
    deltas = [row["choices"][0]["delta"] for row in rows if row != "[DONE]" and row["choices"]]
    return "".join(delta.get(name) or "" for delta in deltas)


def test_words_come_with_usage_and_an_end(words: Running) -> None:
    row = words.post({"user": "me", "n": 1}).json()
    [choice] = row["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Good day to you."}
    assert choice["finish_reason"] == "stop"
    assert row["object"] == "chat.completion"
    assert row["model"] == "m"
    assert row["usage"]["total_tokens"] == row["usage"]["prompt_tokens"] + 4


def test_a_stream_adds_up_to_the_same_and_ends_with_done(words: Running) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    response = words.post(asked)
    rows = events(response)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert told(rows, "content") == "Good day to you."
    assert len(rows) > 5
    assert rows[-1] == "[DONE]"
    assert rows[-2]["usage"]["completion_tokens"] == 4
    assert rows[-3]["choices"][0]["finish_reason"] == "stop"
    assert len({row["id"] for row in rows[:-1]}) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("json", "<think>To Ely.</think>\nOne moment.\n" + CALL),
        ("pythonic", "<think>To Ely.</think>\nOne moment.\n[find_bus(to='ely')]"),
        ("hermes", f"<think>To Ely.</think>\nOne moment.\n{TAGGED}"),
        ("react", "Thought: To Ely.\nSystem: One moment.\nAction: find_bus(to='ely')"),
    ],
)  # fmt: skip
def test_thought_words_and_call_are_told_apart(dialect: str, text: str, stream: bool) -> None:
    with served(saying(text), dialect) as server:
        response = server.post({"tools": [FIND], "stream": stream})
    if stream:
        rows = events(response)
        assert told(rows, "reasoning_content") == "To Ely."
        assert told(rows, "content") == "One moment."
        [call] = rows[-3]["choices"][0]["delta"]["tool_calls"]
        assert call["index"] == 0
        assert rows[-2]["choices"][0]["finish_reason"] == "tool_calls"
    else:
        [choice] = response.json()["choices"]
        assert choice["message"]["reasoning_content"] == "To Ely."
        assert choice["message"]["content"] == "One moment."
        assert choice["finish_reason"] == "tool_calls"
        [call] = choice["message"]["tool_calls"]
    assert call["type"] == "function"
    assert call["function"]["name"] == "find_bus"
    assert json.loads(call["function"]["arguments"]) == {"to": "ely"}


@pytest.mark.parametrize("dialect", ["json", "pythonic", "hermes", "react"])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": FIND["function"]}])
def test_a_call_can_be_forced_in_every_dialect(dialect: str, choice: Any) -> None:
    whole = {
        "json": CALL,
        "pythonic": "[find_bus(to='ely')]",
        "hermes": f"<tool_call>\n{CALL[1:-1]}\n</tool_call>",
        "react": "Action: find_bus(to='ely')",
    }[dialect]

    def rest(prompt: str) -> str:
        begun = prompt.rpartition("<|im_start|>assistant\n")[2]
        assert begun
        assert whole.startswith(begun)
        return whole.removeprefix(begun)

    engine = Typing(rest)
    with served(engine, dialect) as server:
        row = server.post({"tools": [FIND], "tool_choice": choice}).json()
    [call] = row["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"to": "ely"}
    # What is written for the model is tokenised apart from what is before it, as in training.
    assert [p.learned for p in engine.seen[0]][-1]


@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_call_that_is_cut_says_so(stream: bool) -> None:
    class Cut:
        def complete(self, prompts: Any, sampling: Any) -> Any:
            return [Completion(' "find_bus", "argu', "length", 5, 3) for _ in prompts]

    with served(Cut()) as server:
        response = server.post({"tools": [FIND], "tool_choice": "required", "stream": stream})
    if stream:
        rows = events(response)
        assert "not readable" in rows[-3]["choices"][0]["delta"]["coalm_malformed"]
        assert rows[-2]["choices"][0]["finish_reason"] == "length"
    else:
        [choice] = response.json()["choices"]
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] == '[{"name": "find_bus", "argu'
        assert "not readable" in choice["message"]["coalm_malformed"]


def test_words_where_a_call_had_to_be_are_no_call_in_silence() -> None:
    with served(saying("]"), "pythonic") as server:
        message = server.post({"tools": [FIND], "tool_choice": "required"}).json()
    assert "no tool was called" in message["choices"][0]["message"]["coalm_malformed"]


@pytest.mark.parametrize("stream", [False, True])
def test_calls_are_words_where_no_tool_was_offered(stream: bool) -> None:
    with served(saying(f"So:\n{CALL}")) as server:
        for more in ({}, {"tools": [FIND], "tool_choice": "none"}):
            response = server.post(more | {"stream": stream})
            said = told(events(response), "content") if stream else ""
            if not stream:
                [choice] = response.json()["choices"]
                said = choice["message"]["content"]
                assert choice["finish_reason"] == "stop"
            assert said == f"So:\n{CALL}"


def test_one_call_alone_where_several_are_not_welcome() -> None:
    two = CALL[:-1] + ", " + CALL[1:]
    with served(saying(two)) as server:
        many = server.post({"tools": [FIND]}).json()
        one = server.post({"tools": [FIND], "parallel_tool_calls": False}).json()
    assert len(many["choices"][0]["message"]["tool_calls"]) == 2
    assert len(one["choices"][0]["message"]["tool_calls"]) == 1


def test_results_are_shown_in_the_order_of_their_calls() -> None:
    engine = Scripted(["fine"])
    calls = [
        {"id": i, "type": "function", "function": {"name": "find_bus", "arguments": "{}"}}
        for i in ("a", "b")
    ]
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "b", "content": "second"},
        {"role": "tool", "tool_call_id": "a", "content": "first"},
    ]
    with served(engine) as server:
        assert server.post({"messages": messages, "tools": [FIND]}).status_code == 200
    assert engine.seen[0].index("first") < engine.seen[0].index("second")


BAD: list[tuple[Any, str, str | None]] = [
    ([], "JSON object", None),
    ({"messages": []}, "at least one", "messages"),
    ({"messages": [{"role": "user"}]}, "content", "messages[0]"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "robot", "messages[0]"),
    ({"messages": [{"role": "system", "content": "x"}]}, "nobody has said", "messages"),
    ({"messages": [*HELLO, {"role": "assistant"}]}, "nothing to answer", "messages"),
    ({"messages": [ODD]}, "text alone", "messages[0]"),
    ({"messages": [LOST]}, "nobody made", "messages[0]"),
    ({"model": "gpt"}, "there is m", "model"),
    ({"model": None}, "name the model", "model"),
    ({"n": 2}, "only be 1", "n"),
    ({"logprobs": True}, "logprobs", "logprobs"),
    ({"response_format": {"type": "json_object"}}, "response_format", "response_format"),
    ({"top_k": 5}, "does not know 'top_k'", "top_k"),
    ({"temperature": 3}, "from 0 to 2", "temperature"),
    ({"temperature": "hot"}, "a number", "temperature"),
    ({"max_tokens": 0}, "from 1 to 100", "max_tokens"),
    ({"max_completion_tokens": 101}, "from 1 to 100", "max_completion_tokens"),
    ({"max_tokens": 10**30}, "from 1 to 100", "max_tokens"),
    ({"seed": 2**70}, "whole number", "seed"),
    ({"stop": 5}, "a text", "stop"),
    ({"stop": ["a"] * 5}, "up to four", "stop"),
    ({"stop": [""]}, "1 to 256", "stop"),
    ({"stream": "yes"}, "true or false", "stream"),
    ({"stream_options": []}, "an object", "stream_options"),
    ({"tools": {}}, "must be a list", "tools"),
    ({"tools": [{"type": "web_search"}]}, "no other tools", "tools[0]"),
    ({"tools": [{"type": "function", "function": {}}]}, "lacks 'name'", "tools[0]"),
    ({"tools": [FIND, FIND]}, "listed 2 times", "tools"),
    ({"tool_choice": "required"}, "needs tools", "tool_choice"),
    ({"tools": [FIND], "tool_choice": "sometimes"}, "must be none", "tool_choice"),
    ({"tools": [FIND], "tool_choice": NAMED}, "'fly'", "tool_choice"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "why", "param"), BAD, ids=lambda x: str(x)[:40])
def test_what_cannot_be_meant_is_named(
    words: Running, body: Any, why: str, param: str | None
) -> None:
    response = words.post(body)
    error = response.json()["error"]
    assert response.status_code == (404 if "there is m" in why else 400)
    assert why in error["message"]
    assert error["param"] == param
    assert error["type"] in {"invalid_request_error", "not_found_error"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "not JSON"),
        (b'{"model": "\xff"}', "not UTF-8"),
        (b'{"model": "m", "messages": [{"role": "user", "content": "\\ud83d"}]}', "not UTF-8"),
        (b'{"temperature": NaN}', "not JSON"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", "nested"),
        (b"[" * 9_000 + b"]" * 9_000, "nested"),
    ],
)
def test_a_body_that_is_no_json_of_ours_is_named(words: Running, raw: bytes, why: str) -> None:
    response = httpx.post(f"{words.url}/v1/chat/completions", content=raw)
    assert response.status_code == 400
    assert why in response.json()["error"]["message"]


def test_arguments_that_nest_too_deep_are_the_requests_fault(words: Running) -> None:
    deep = '{"a": ' + "[" * 60 + "]" * 60 + "}"
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": deep}}
    messages = [*HELLO, {"role": "assistant", "tool_calls": [call]}, *HELLO]
    response = words.post({"messages": messages})
    assert response.status_code == 400
    assert "cannot be shown" in response.json()["error"]["message"]


@pytest.mark.parametrize("chunked", [False, True])
def test_too_long_a_request_is_413(words: Running, chunked: bool) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 30_000}]})
    pieces = (body[i : i + 4_000].encode() for i in range(0, len(body), 4_000))
    sent: Any = pieces if chunked else body.encode()
    response = httpx.post(f"{words.url}/v1/chat/completions", content=sent)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


def test_what_is_not_there_and_what_is_not_taken_have_openais_form(words: Running) -> None:
    for method, path, status in [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/chat/completions", 405),
        ("GET", "/v1/models/gpt", 404),
        ("POST", "/elsewhere", 404),
        ("GET", "/v1/models/", 404),
        ("POST", "/v1/chat/completions/", 404),
    ]:
        response = httpx.request(method, f"{words.url}{path}")
        assert response.status_code == status
        assert response.json()["error"]["message"]


def test_models_health_and_metrics_are_told(words: Running) -> None:
    words.post({})
    httpx.get(f"{words.url}/v1/made/up/path")
    assert httpx.get(f"{words.url}/v1/models").json()["data"][0]["id"] == "m"
    assert httpx.get(f"{words.url}/v1/models/m").json()["id"] == "m"
    assert httpx.get(f"{words.url}/healthz").json() == {"status": "ok", "model": "m"}
    text = httpx.get(f"{words.url}/metrics").text
    assert 'coalm_requests_total{route="/v1/chat/completions",status="200"}' in text
    assert 'coalm_tokens_total{kind="completion"}' in text
    assert "made" not in text


def test_keys_are_asked_for_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COALM_API_KEYS", "one, two")
    with served(saying("hi")) as server:
        for header, status in [
            ({}, 401),
            ({"Authorization": "Bearer three"}, 401),
            ({"Authorization": "Basic one"}, 401),
            ({"Authorization": "Bearer two"}, 200),
            ({"Authorization": "bearer  one"}, 200),
        ]:
            response = server.post({}, headers=header)
            assert response.status_code == status, header
        assert server.post({}).json()["error"]["code"] == "invalid_api_key"
        assert httpx.get(f"{server.url}/metrics").status_code == 401
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_without_keys_only_this_machines_names_are_answered(words: Running) -> None:
    response = words.post({}, headers={"Host": "evil.example"})
    assert response.status_code == 403
    assert words.post({}, headers={"Host": "localhost:99"}).status_code == 200


def test_pages_of_other_sites_may_ask_only_if_told_so(
    words: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    url = "/v1/chat/completions"
    assert "access-control-allow-origin" not in words.post({}, headers=asks).headers
    monkeypatch.setenv("COALM_API_KEYS", "one")
    with served(saying("hi"), cors=("https://a.example",)) as server:
        before = httpx.options(server.url + url, headers=asks)
        assert before.status_code == 200  # a browser asks before it may send its key
        refused = server.post({}, headers=asks)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://a.example"
        other = server.post({}, headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("stream", [False, True])
def test_what_keeps_the_model_from_answering_is_a_status(stream: bool) -> None:
    with served(Scripted([Unanswered("no memory"), ""])) as server:
        response = server.post({"stream": stream})
    assert response.status_code == 503
    assert response.json()["error"]["message"] == "no memory"
    assert response.headers["retry-after"] == "1"


def test_an_engine_that_raises_fails_one_request_and_lives_on() -> None:
    class Moody:
        def complete(self, prompts: Any, sampling: Any) -> Any:
            if sampling.temperature > 0:
                raise ValueError("bad mood")
            return [Completion("hi", "stop", 1, 1) for _ in prompts]

    with served(Moody()) as server:
        failed = server.post({"temperature": 1})
        assert (failed.status_code, failed.json()["error"]["message"]) == (
            503,
            "ValueError: bad mood",
        )
        assert server.post({}).status_code == 200


def test_a_conversation_too_long_for_the_model_is_the_clients_matter() -> None:
    class Full:
        def complete(self, prompts: Any, sampling: Any) -> Any:
            return [Completion("", "length", 9_000, 0) for _ in prompts]

    with served(Full()) as server:
        error = server.post({}).json()["error"]
    assert error["code"] == "context_length_exceeded"


def test_more_than_may_be_under_way_are_told_to_come_back() -> None:
    with served(saying("x" * 40, every=0.05), concurrency=1) as server:
        first = threading.Thread(target=server.post, args=({},))
        first.start()
        while not server.app.under_way:
            time.sleep(0.01)
        response = server.post({})
        first.join()
        assert response.status_code == 429
        assert response.headers["retry-after"] == "1"
        assert server.post({}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_takes_too_long_ends_without_being_whole(stream: bool) -> None:
    engine = saying("some words " * 100, every=0.05)
    with served(engine, timeout=0.3) as server:
        response = server.post({"stream": stream})
        assert "within 0.3 seconds" in response.text
        if stream:
            assert response.status_code == 200
            assert "[DONE]" not in response.text
            assert events(response)[-1]["error"]["type"] == "server_error"
        else:
            assert response.status_code == 504
        wait_for(lambda: engine.stopped)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("batched", [False, True])
def test_a_client_that_hangs_up_stops_the_model(stream: bool, batched: bool) -> None:
    engine = saying("some words " * 1000, every=0.01)
    with served(Batched(engine) if batched else engine) as server:
        body = json.dumps({"model": "m", "messages": HELLO, "stream": stream}).encode()
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
            wait_for(lambda: server.app.under_way)
            time.sleep(0.15)
        wait_for(lambda: engine.stopped)
        wait_for(lambda: not server.app.under_way)


def wait_for(what: Any, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)
