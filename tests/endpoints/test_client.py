"""The client against a real server: sharing, limits, and every fault a network has."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import TypeVar

import pytest

from coalm.endpoints import Answer, Client, Refused, Settings, ToolUse, Unanswered, side_by_side
from coalm.errors import EndpointError
from tests.endpoints.server import Drop, Endpoint, Request, Say, Stall, Status, Step, Stream

T = TypeVar("T")
QUICK = Settings(timeout=5.0, first_pause=0.02)


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def body(text: str = "hello", /, **more: object) -> dict[str, object]:
    return {"model": "teacher", "messages": [{"role": "user", "content": text}], **more}


def used(job: Callable[[Client], Awaitable[T]], settings: Settings, *urls: str) -> T:
    """What a job makes of a client that is opened and closed around it."""

    async def run() -> T:
        async with Client(urls, settings, rng=random.Random(0)) as client:
            return await job(client)

    return asyncio.run(run())


def asked(settings: Settings, *urls: str, **more: object) -> Answer | Unanswered | Refused:
    return used(lambda client: client.chat(body(**more)), settings, *urls)


def many(
    settings: Settings, count: int, *urls: str
) -> tuple[list[Answer | Unanswered | Refused], Client]:
    async def job(client: Client) -> tuple[list[Answer | Unanswered | Refused], Client]:
        async def one(number: int) -> Answer | Unanswered | Refused:
            return await client.chat(body(f"number {number}"))

        return [r async for r in side_by_side(range(count), one, 10_000)], client

    return used(job, settings, *urls)


def first(*steps: Step) -> Callable[[Request], Step]:
    """These steps for the first requests, then answers."""
    return lambda request: steps[request.number] if request.number < len(steps) else Say("at last")


def streamed(settings: Settings) -> Settings:
    from dataclasses import replace

    return replace(settings, stream=True)


both_ways = pytest.mark.parametrize("settings", [QUICK, streamed(QUICK)], ids=["whole", "streamed"])


@both_ways
def test_an_answer_comes_with_its_end_and_its_usage(settings: Settings) -> None:
    with Endpoint(lambda request: Say("four words are here", finish="length")) as server:
        answer = asked(settings, server.url)

    assert isinstance(answer, Answer)
    assert (answer.text, answer.ended) == ("four words are here", "length")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 4)
    assert answer.endpoint == f"127.0.0.1:{server.port}"


@both_ways
def test_tool_calls_come_whole(settings: Settings) -> None:
    calls = (("find", '{"town": "Ely"}'), ("book", "{}"))
    with Endpoint(lambda request: Say("", "tool_calls", calls=calls)) as server:
        answer = asked(settings, server.url)

    assert isinstance(answer, Answer)
    assert answer.calls == tuple(ToolUse(*call) for call in calls)


@both_ways
def test_a_raw_completion_comes_from_its_own_route(settings: Settings) -> None:
    with Endpoint(lambda request: Say(f"after {request.prompt}")) as server:
        answer = used(
            lambda client: client.complete({"model": "teacher", "prompt": "once"}),
            settings,
            server.url,
        )

    assert isinstance(answer, Answer)
    assert answer.text == "after once"
    assert server.requests[0].path == "/v1/completions"


@both_ways
def test_halves_of_surrogate_pairs_become_writable(settings: Settings) -> None:
    with Endpoint(lambda request: Say("a\ud800b")) as server:
        answer = asked(settings, server.url)

    assert isinstance(answer, Answer)
    assert answer.text.encode().startswith(b"a")


@pytest.mark.parametrize("odd", ["3", "[]", '{"choices": [3]}', '{"choices": 3}', "{"])
def test_a_stream_of_something_else_is_a_fault_of_the_world(odd: str) -> None:
    with Endpoint(first(Stream(odd))) as server:
        answer = asked(streamed(QUICK), server.url)

    assert isinstance(answer, Answer)
    assert answer.text == "at last"


def test_usage_is_summed_and_answers_without_one_are_counted() -> None:
    with Endpoint(lambda request: Say("a b", usage=request.number != 1)) as server:
        _, client = many(Settings(concurrency=1), 3, server.url)

    assert (client.usage.prompt_tokens, client.usage.completion_tokens) == (200, 4)
    assert (client.usage.requests, client.usage.uncounted) == (3, 1)


def test_no_more_are_under_way_than_allowed() -> None:
    with Endpoint(lambda request: Say("ok", after=0.02)) as one, Endpoint(one.behave) as two:
        answers, _ = many(Settings(concurrency=5), 40, one.url, two.url)

    assert all(isinstance(a, Answer) for a in answers)
    assert one.most_in_flight + two.most_in_flight >= 5
    assert one.most_in_flight <= 3  # shared evenly, since the least busy one is taken
    assert two.most_in_flight <= 3


def test_the_less_busy_endpoint_gets_the_next_request() -> None:
    with (
        Endpoint(lambda request: Say("slow", after=0.3)) as slow,
        Endpoint(lambda request: Say("quick", after=0.01)) as quick,
    ):
        answers, _ = many(Settings(concurrency=4), 40, slow.url, quick.url)

    assert len(answers) == 40
    assert 2 <= len(slow.requests) <= 8
    assert len(quick.requests) == 40 - len(slow.requests)


@both_ways
@pytest.mark.parametrize(
    "fault",
    [
        Drop(begun=False),
        Drop(begun=True),
        Status(500),
        Status(502, text="<html>bad gateway</html>"),
        Status(503),
        Status(429),
        Status(200, text="<html>not what was asked for</html>"),
        Status(200, text='{"error": {"message": "upstream is gone"}}'),
        Status(200, text='{"choices": []}'),
        Status(200, text="[]"),
        Status(200, text="[" * 100_000),
    ],
    ids=lambda fault: repr(fault)[:80],
)
def test_a_fault_of_the_world_is_tried_again_and_never_an_answer(
    fault: Step, settings: Settings
) -> None:
    with Endpoint(first(fault, fault)) as server:
        answer = asked(settings, server.url)

    assert isinstance(answer, Answer)
    assert answer.text == "at last"
    assert len(server.requests) == 3


@both_ways
@pytest.mark.parametrize("begun", [False, True])
def test_a_stall_ends_at_the_time_limit(begun: bool, settings: Settings) -> None:
    from dataclasses import replace

    with Endpoint(first(Stall(begun))) as server:
        start = time.monotonic()
        answer = asked(replace(settings, timeout=0.4), server.url)

    assert isinstance(answer, Answer)
    assert 0.4 <= time.monotonic() - start < 3


def test_a_trickle_of_words_does_not_escape_the_time_limit() -> None:
    settings = Settings(timeout=0.5, max_retries=0, stream=True)
    with Endpoint(lambda request: Say("word " * 1000, every=0.1)) as server:
        start = time.monotonic()
        answer = asked(settings, server.url)

    assert answer == Unanswered("no answer within 0.5 s", 1)
    assert time.monotonic() - start < 3


def test_a_request_that_never_gets_through_is_unanswered_and_says_why() -> None:
    with Endpoint(lambda request: Status(500, "out of memory")) as server:
        answer = asked(Settings(max_retries=3, first_pause=0.01), server.url)

    assert answer == Unanswered("HTTP 500: out of memory", 4)
    assert len(server.requests) == 4


def test_retry_after_is_honoured() -> None:
    with Endpoint(first(Status(429, headers={"Retry-After": "1"}))) as server:
        answer = asked(QUICK, server.url)

    assert isinstance(answer, Answer)
    before, after = (request.at for request in server.requests)
    assert 1.0 <= after - before < 2.5


def test_retry_after_holds_back_everyone_at_that_endpoint() -> None:
    with Endpoint(first(Status(429, headers={"Retry-After": "1"}))) as server:
        answers, _ = many(Settings(concurrency=1, first_pause=0.01), 3, server.url)

    assert len(answers) == 3
    assert server.requests[1].at - server.requests[0].at >= 1.0


def test_a_long_retry_after_is_not_waited_for() -> None:
    with Endpoint(lambda request: Status(429, headers={"Retry-After": "3600"})) as server:
        start = time.monotonic()
        answer = asked(QUICK, server.url)

    assert isinstance(answer, Unanswered)
    assert "429" in answer.why
    assert time.monotonic() - start < 2


def test_while_one_endpoint_rests_another_one_answers() -> None:
    with (
        Endpoint(lambda request: Status(429, headers={"Retry-After": "60"})) as full,
        Endpoint() as free,
    ):
        start = time.monotonic()
        answers, _ = many(Settings(concurrency=4), 20, full.url, free.url)

    assert all(isinstance(a, Answer) for a in answers)
    assert len(full.requests) <= 4
    assert time.monotonic() - start < 5


def test_an_endpoint_that_fails_quickly_does_not_draw_all_requests() -> None:
    with (
        Endpoint(lambda request: Status(500)) as broken,
        Endpoint(lambda request: Say("ok", after=0.05)) as sound,
    ):
        answers, _ = many(Settings(concurrency=4), 40, broken.url, sound.url)

    assert all(isinstance(a, Answer) for a in answers)
    assert len(broken.requests) <= 12


def test_pauses_grow_and_are_not_all_alike() -> None:
    with Endpoint(first(*[Status(500)] * 4)) as server:
        asked(Settings(first_pause=0.05), server.url)

    gaps = [b.at - a.at for a, b in pairwise(server.requests)]
    assert gaps[3] > gaps[0] * 2
    assert gaps[0] >= 0.025


def test_waiting_for_ones_turn_does_not_use_up_the_tries() -> None:
    # Two may be under way, eight ask: each refused one comes again until it gets through.
    with Endpoint() as server:
        server.behave = lambda request: (
            Status(429) if server.in_flight > 2 else Say("ok", after=0.05)
        )
        answers, _ = many(Settings(concurrency=8, max_retries=4, first_pause=0.02), 48, server.url)

    assert all(isinstance(a, Answer) for a in answers)


def test_a_dead_endpoint_stops_the_run_rather_than_failing_every_request() -> None:
    with Endpoint(lambda request: Status(503)) as server:
        settings = Settings(concurrency=2, max_retries=1, first_pause=0.01)
        with pytest.raises(EndpointError, match=r"no endpoint answers any more: HTTP 503"):
            many(settings, 1000, server.url)

    assert len(server.requests) < 20


def test_one_refused_request_is_its_own_matter() -> None:
    def behave(request: Request) -> Step:
        return Status(400, "too long") if "number 3" in request.prompt else Say("ok")

    with Endpoint(behave) as server:
        answers, _ = many(Settings(concurrency=1), 10, server.url)

    assert answers.count(Refused("HTTP 400: too long", 400)) == 1
    assert len(server.requests) == 10


def test_requests_that_are_all_refused_stop_the_run() -> None:
    with (
        Endpoint(lambda request: Status(422, "no such field")) as server,
        pytest.raises(EndpointError, match="every request is refused: HTTP 422: no such"),
    ):
        many(Settings(concurrency=1), 100, server.url)

    assert 5 <= len(server.requests) <= 6  # the next one may be on its way already


def test_an_optional_field_that_is_refused_is_left_out_for_good() -> None:
    def behave(request: Request) -> Step:
        refused = "response_format" in request.body
        return Status(400, "json_schema is not supported here") if refused else Say("ok")

    async def job(client: Client) -> tuple[str, ...]:
        for _ in range(3):
            answer = await client.chat(
                body(response_format={"type": "json_schema"}, seed=1),
                optional=("response_format", "seed"),
            )
            assert isinstance(answer, Answer)
        return client.dropped

    with Endpoint(behave) as server:
        assert used(job, QUICK, server.url) == ("response_format",)

    assert len(server.requests) == 4
    assert server.requests[-1].body["seed"] == 1


def test_max_tokens_takes_its_new_name_where_the_old_one_is_refused() -> None:
    def behave(request: Request) -> Step:
        old = "max_tokens" in request.body
        return Status(400, "use 'max_completion_tokens' instead") if old else Say("ok")

    with Endpoint(behave) as server:
        assert isinstance(asked(QUICK, server.url, max_tokens=7), Answer)

    assert server.requests[-1].body["max_completion_tokens"] == 7


def test_a_missing_key_is_one_clear_line() -> None:
    with Endpoint(key="sk-right") as server:
        with pytest.raises(EndpointError, match=r"asks for a key: set OPENAI_API_KEY"):
            asked(QUICK, server.url)
        with pytest.raises(EndpointError, match=r"asks for a key: set OPENAI_API_KEY"):
            used(lambda client: client.greet(), QUICK, server.url)


def test_a_wrong_key_is_one_clear_line_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    settings = Settings(key_variable="MY_KEY")
    echo = Status(401, "Incorrect API key provided: sk-secret")
    with (
        Endpoint(lambda request: echo) as server,
        pytest.raises(EndpointError, match="does not take the key in MY_KEY") as caught,
    ):
        asked(settings, server.url)

    assert "sk-secret" not in str(caught.value)
    assert server.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert len(server.requests) == 1


def test_a_used_up_quota_is_not_tried_again() -> None:
    with (
        Endpoint(lambda request: Status(429, "pay", kind="insufficient_quota")) as server,
        pytest.raises(EndpointError, match="quota is used up"),
    ):
        asked(QUICK, server.url)

    assert len(server.requests) == 1


def test_a_typo_in_the_model_names_the_nearest_one() -> None:
    with (
        Endpoint(models=("teacher-large", "other")) as server,
        pytest.raises(EndpointError, match="did you mean 'teacher-large'"),
    ):
        used(lambda c: c.chat(body() | {"model": "teacher-lrage"}), QUICK, server.url)


def test_a_typo_in_the_path_is_told() -> None:
    with Endpoint() as server, pytest.raises(EndpointError, match=r"404.*usually end in /v1"):
        asked(QUICK, server.url.removesuffix("/v1"))


def test_nobody_there_is_told_at_once() -> None:
    with Endpoint() as server:
        url = server.url
    start = time.monotonic()
    with pytest.raises(EndpointError, match=f"cannot reach {url}.*is the server running"):
        used(lambda client: client.greet(), QUICK, url)
    assert time.monotonic() - start < 5


def test_greeting_needs_no_list_of_models() -> None:
    with Endpoint() as server:
        used(lambda client: client.greet(), QUICK, server.url)
        used(lambda client: client.greet(), QUICK, server.url.removesuffix("/v1"))
    assert server.looked == 1


def test_leaving_early_stops_what_is_under_way() -> None:
    from contextlib import aclosing

    async def job(client: Client) -> None:
        async def one(number: int) -> object:
            return await client.chat(body(str(number)))

        async with aclosing(side_by_side(range(100), one, 4)) as results:
            async for _ in results:
                return

    with Endpoint(lambda request: Say("ok", after=0.05)) as server:
        used(job, QUICK, server.url)
        time.sleep(0.3)
        seen = len(server.requests)
        time.sleep(0.2)
        assert len(server.requests) == seen < 20


@pytest.mark.parametrize("wrong", [(0, 1.0, 1), (1, 0.0, 1), (1, 1.0, -1)])
def test_settings_that_make_no_sense_are_refused(wrong: tuple[int, float, int]) -> None:
    with pytest.raises(EndpointError):
        Settings(*wrong)


def test_a_client_needs_an_endpoint() -> None:
    with pytest.raises(EndpointError, match="no endpoint given"):
        Client([])


def test_the_command_line_starts_without_the_client() -> None:
    script = "import sys, coalm.cli, coalm.endpoints; print('openai' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
