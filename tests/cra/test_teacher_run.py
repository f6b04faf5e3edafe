"""A whole run against a real server: what is kept, asked again, left out, counted."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coalm.cra.teacher import ANSWERS, Log, Progress, Taught, ask, opened, settle, survey
from coalm.cra.teacher.batch import take, write
from coalm.endpoints import Client, Prices, Settings
from coalm.errors import DataError, EndpointError
from coalm.shards import read_samples
from coalm.types import Assistant
from tests.cra.teachers import ALL, MARK, good, sound, task_of, tasks, teaching
from tests.endpoints.server import Drop, Endpoint, Request, Say, Status, Step

QUICK = Settings(concurrency=3, timeout=5.0, max_retries=2, first_pause=0.02)
FERRY = "1_00002"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ran(out: Path, *urls: str, how: Settings = QUICK, **settings: Any) -> Taught:
    """One run, as the command makes it."""
    lessons = teaching(**settings)

    async def job(log: Log) -> Counter[str]:
        async with Client(urls, how) as client:
            return await ask(lessons, log, client, survey(lessons, log))

    with opened(out) as log:
        failures = asyncio.run(job(log))
        return settle(
            lessons, log, out, prices=Prices(1.0, 10.0), endpoints=urls, failures=failures
        )


def rejected(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "teach.json").read_text())
    return found


def test_a_good_teacher_gives_a_sample_for_each_dialogue_in_the_files_order(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        taught = ran(tmp_path, server.url)

    assert (taught.sound, taught.rejected, taught.not_answered) == (ALL, 0, 0)
    samples = list(read_samples(tmp_path / "cra.jsonl"))
    assert [s.id for s in samples] == [t.skeleton.id for t in tasks()]
    assert all(
        turn.thought.endswith(MARK)
        for s in samples
        for turn in s.dialogue.turns
        if isinstance(turn, Assistant)
    )


def test_a_second_run_asks_nothing_and_writes_the_same(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        ran(tmp_path, server.url)
        before = {p.name: p.read_bytes() for p in tmp_path.glob("*.json*")}
        ran(tmp_path, server.url)
        assert len(server.requests) == ALL
    assert before == {p.name: p.read_bytes() for p in tmp_path.glob("*.json*")}


def test_a_changed_sampling_asks_anew_and_a_longer_limit_only_the_rest(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        ran(tmp_path, server.url, limit=3)
        ran(tmp_path, server.url, limit=5)
        assert len(server.requests) == 5
        ran(tmp_path, server.url, limit=5, temperature=0.2)
        assert len(server.requests) == 10


def test_what_the_world_spoilt_is_not_answered_and_asked_the_next_time(tmp_path: Path) -> None:
    down = True

    def behave(request: Request) -> Step:
        poor = task_of(request).dialogue.id == FERRY and down
        return Status(500, "no memory left") if poor else sound(request)

    with Endpoint(behave) as server:
        taught = ran(tmp_path, server.url)
        assert (taught.sound, taught.rejected, taught.not_answered) == (ALL - 1, 0, 1)
        assert record(tmp_path)["why_not_answered"] == {"HTTP 500: no memory left": 1}
        assert FERRY not in (tmp_path / "rejected.jsonl").read_text()
        asked = len(server.requests)
        down = False
        taught = ran(tmp_path, server.url)

    assert (taught.sound, taught.not_answered) == (ALL, 0)
    assert len(server.requests) == asked + 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_rough_network_changes_nothing_in_the_samples(tmp_path: Path, stream: bool) -> None:
    def rough(request: Request) -> Step:
        faults = (Drop(), Status(503), None, Status(429, headers={"retry-after-ms": "50"}), None)
        fault = faults[request.number % len(faults)]
        return fault or sound(request)

    with Endpoint(sound) as calm, Endpoint(rough) as wild:
        ran(tmp_path / "calm", calm.url)
        how = replace(QUICK, max_retries=8, stream=stream)
        taught = ran(tmp_path / "wild", wild.url, how=how)

    assert taught.not_answered == 0
    calm_bytes = (tmp_path / "calm/cra.jsonl").read_bytes()
    assert (tmp_path / "wild/cra.jsonl").read_bytes() == calm_bytes


def spoilt(request: Request, how: str) -> Step:
    """An answer that a model got wrong in a certain way."""
    answer = good(task_of(request))
    call = next(entry for entry in answer["turns"] if "api_name" in entry)
    match how:
        case "malformed":
            return Say(json.dumps(answer)[:-20])
        case "wrong name":
            call["api_name"] = "FindSomething"
        case "cut off":
            return Say(json.dumps(answer)[:200], finish="length")
        case "wrong value":
            call["api_input"][0]["value"] = "Atlantis"
    return Say(json.dumps(answer))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("malformed", "not the JSON that was asked for"),
        ("wrong name", "undefined call"),
        ("cut off", "an answer cut off at its length"),
        ("wrong value", ""),
    ],
)
def test_a_models_mistake_is_asked_again_with_another_seed_and_then_rejected(
    tmp_path: Path, how: str, why: str
) -> None:
    def behave(request: Request) -> Step:
        return spoilt(request, how) if task_of(request).dialogue.id == FERRY else sound(request)

    with Endpoint(behave) as server:
        taught = ran(tmp_path, server.url, attempts=3)
        ran(tmp_path, server.url, attempts=3)

    assert (taught.sound, taught.rejected, taught.not_answered) == (ALL - 1, 1, 0)
    seeds = [r.body["seed"] for r in server.requests if task_of(r).dialogue.id == FERRY]
    assert seeds == [0, 1, 2]
    [row] = rejected(tmp_path)
    assert row["id"] == f"sgd-cra/train/{FERRY}"
    assert row["attempts"] == 3
    assert row["answer"]
    assert any(reason.startswith(why) for reason in row["reasons"])
    assert sum(record(tmp_path)["reasons"].values()) >= 1


def test_a_second_attempt_may_be_sound(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        return Say("Sorry?") if request.body["seed"] == 0 else sound(request)

    with Endpoint(behave) as server:
        taught = ran(tmp_path, server.url, attempts=2)

    assert taught.sound == ALL
    assert len(server.requests) == 2 * ALL


def test_usage_and_cost_cover_all_runs_and_all_attempts(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        return Say("a b c") if request.body["seed"] == 0 else sound(request)

    with Endpoint(behave) as server:
        ran(tmp_path, server.url, attempts=1)
        taught = ran(tmp_path, server.url, attempts=2)

    words = sum(len(json.dumps(good(t)).split()) for t in tasks())
    assert taught.usage.prompt_tokens == 2 * ALL * 100
    assert taught.usage.completion_tokens == ALL * 3 + words
    assert taught.cost == pytest.approx((1600 * 1.0 + (ALL * 3 + words) * 10.0) / 1e6)
    assert record(tmp_path)["cost"] == round(taught.cost, 6)


def test_the_record_says_who_was_asked_what_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with Endpoint(sound, key="sk-secret") as server:
        ran(tmp_path, server.url)

    found = record(tmp_path)
    assert found["model"] == "teacher"
    assert found["endpoints"] == [server.url]
    assert found["source"]["origin"] == "miniature"
    assert found["counts"]["sound"] == ALL
    assert len(found["instruction_hash"]) == len(found["requests_hash"]) == 16
    for path in tmp_path.iterdir():
        assert "sk-secret" not in path.read_text()


def test_every_answer_is_on_disk_before_the_next_request_is_done(tmp_path: Path) -> None:
    lines = []

    def behave(request: Request) -> Step:
        log = tmp_path / ANSWERS
        lines.append(len(log.read_text().splitlines()) if log.exists() else 0)
        return sound(request)

    with Endpoint(behave) as server:
        ran(tmp_path, server.url, how=replace(QUICK, concurrency=1))
    assert lines == list(range(ALL))


def test_progress_tells_how_far_it_is_and_what_was_used(tmp_path: Path) -> None:
    seen: list[Progress] = []
    lessons = teaching()

    async def job(log: Log) -> None:
        async with Client([server.url], QUICK) as client:
            await ask(lessons, log, client, survey(lessons, log), seen.append)

    with Endpoint(sound) as server, opened(tmp_path) as log:
        asyncio.run(job(log))
    assert [p.done for p in seen] == list(range(1, ALL + 1))
    assert seen[-1].sound == seen[-1].of == ALL
    assert seen[-1].usage.prompt_tokens == 100 * ALL


def test_two_endpoints_share_the_work_within_the_limit(tmp_path: Path) -> None:
    def slow(request: Request) -> Step:
        return replace(sound(request), after=0.05)

    with Endpoint(slow) as one, Endpoint(slow) as two:
        ran(tmp_path, one.url, two.url, how=replace(QUICK, concurrency=2))

    assert len(one.requests) == len(two.requests) == ALL // 2
    assert one.most_in_flight == two.most_in_flight == 1


def test_an_endpoint_without_schemas_is_asked_without(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        if "response_format" in request.body:
            return Status(400, "response_format: json_schema is not known here")
        return sound(request)

    with Endpoint(behave) as server:
        taught = ran(tmp_path, server.url)

    assert taught.sound == ALL
    kept = Log(tmp_path / ANSWERS)
    without = [kept.get(t.key(0)) for t in tasks()]
    assert all(k is not None and k.without == ("response_format",) for k in without)


def test_a_server_that_dies_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        return sound(request) if request.number < 4 else Status(503)

    how = replace(QUICK, concurrency=1)
    with Endpoint(behave) as server, pytest.raises(EndpointError, match="answers any more"):
        ran(tmp_path, server.url, how=how)
    assert len(Log(tmp_path / ANSWERS)) == 4


def test_a_folder_is_written_by_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        opened(tmp_path),
        pytest.raises(DataError, match="another run is writing here"),
        opened(tmp_path),
    ):
        pass


# --- batch files --------------------------------------------------------------------------


def answered(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A line as a vendor answers it."""
    request = Request(0, row["url"], {}, row["body"], 0.0)
    say = sound(request)
    body = {
        "choices": [{"message": {"content": say.text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": row["custom_id"], "response": response, "error": None} | more


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def put(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_batch_file_holds_the_same_requests(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        ran(tmp_path / "asked", server.url)
        sent = [request.body for request in server.requests]
    with opened(tmp_path / "batch") as log:
        assert write(teaching(), log, tmp_path / "in.jsonl") == ALL

    rows = lines(tmp_path / "in.jsonl")
    assert {r["method"] for r in rows} == {"POST"}
    assert {r["url"] for r in rows} == {"/v1/chat/completions"}
    assert len({r["custom_id"] for r in rows}) == ALL
    order = {t.messages[-1]["content"]: n for n, t in enumerate(tasks())}
    assert [r["body"] for r in rows] == sorted(
        sent, key=lambda body: order[body["messages"][-1]["content"]]
    )


def test_the_answers_of_a_batch_are_as_good_as_an_endpoints(tmp_path: Path) -> None:
    out = tmp_path / "batch"
    with Endpoint(sound) as server:
        ran(tmp_path / "asked", server.url)
    with opened(out) as log:
        write(teaching(), log, tmp_path / "in.jsonl")
        rows = [answered(row) for row in reversed(lines(tmp_path / "in.jsonl"))]
        taken = take(teaching(), log, put(tmp_path / "out.jsonl", rows))
        settle(teaching(), log, out, prices=Prices())
        again = take(teaching(), log, tmp_path / "out.jsonl")

    assert (taken.new, taken.known, again.new, again.known) == (ALL, 0, 0, ALL)
    asked = (tmp_path / "asked/cra.jsonl").read_bytes()
    assert (out / "cra.jsonl").read_bytes() == asked


def test_what_a_vendor_failed_to_answer_stays_open(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        write(teaching(), log, tmp_path / "in.jsonl")
        rows = [answered(row) for row in lines(tmp_path / "in.jsonl")]
        rows[0] |= {"response": None, "error": {"code": "expired", "message": "too late"}}
        rows[1] |= {"response": {"status_code": 500, "body": {"error": {"message": "oops"}}}}
        taken = take(teaching(), log, put(tmp_path / "out.jsonl", rows))
        assert taken.failed == {"too late": 1, "HTTP 500: oops": 1}
        assert write(teaching(), log, tmp_path / "rest.jsonl") == 2
    assert [r["custom_id"] for r in lines(tmp_path / "rest.jsonl")] == [
        r["custom_id"] for r in rows[:2]
    ]


def test_a_rejected_answer_of_a_batch_goes_out_again_with_another_seed(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        write(teaching(limit=1), log, tmp_path / "in.jsonl")
        [row] = lines(tmp_path / "in.jsonl")
        poor = answered(row)
        poor["response"]["body"]["choices"][0]["message"]["content"] = "No."
        take(teaching(limit=1), log, put(tmp_path / "out.jsonl", [poor]))
        assert write(teaching(limit=1), log, tmp_path / "in2.jsonl") == 1
    [again] = lines(tmp_path / "in2.jsonl")
    assert again["body"]["seed"] == 1
    assert again["custom_id"] != row["custom_id"]


def test_answers_of_another_batch_are_told_apart(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        write(teaching("other"), log, tmp_path / "in.jsonl")
        rows = [answered(row) for row in lines(tmp_path / "in.jsonl")]
        path = put(tmp_path / "out.jsonl", rows)
        with pytest.raises(DataError, match="none of its 8 answers belongs to these requests"):
            take(teaching(), log, path)
        write(teaching(limit=1), log, tmp_path / "in.jsonl")
        rows += [answered(row) for row in lines(tmp_path / "in.jsonl")]
        taken = take(teaching(), log, put(path, rows))
    assert (taken.new, taken.strangers) == (1, 8)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", r"out\.jsonl:2: not a JSON object"),
        ('{"custom_id": 3, "response": {}}', r"out\.jsonl:2: .*lacks custom_id"),
        ('{"custom_id": "a"}', r"out\.jsonl:2: .*lacks response"),
    ],
)
def test_a_broken_line_of_a_batch_is_named_and_nothing_is_taken(
    tmp_path: Path, line: str, why: str
) -> None:
    with opened(tmp_path) as log:
        write(teaching(limit=1), log, tmp_path / "in.jsonl")
        good_line = json.dumps(answered(lines(tmp_path / "in.jsonl")[0]))
        (tmp_path / "out.jsonl").write_text(f"{good_line}\n{line}\n")
        with pytest.raises(DataError, match=why):
            take(teaching(), log, tmp_path / "out.jsonl")
        assert len(log) == 0


def test_a_batch_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as log, pytest.raises(DataError, match="no such file"):
        take(teaching(), log, tmp_path / "out.jsonl")
