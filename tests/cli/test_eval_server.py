"""`coalm eval --engine server` as a person uses it: faults, kill -9, Ctrl-C, typos, a report."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl import miniature, single_turn
from coalm.bench.bfcl.gold import gold_calls
from coalm.bench.bfcl.prompted import gold_text
from coalm.bench.runner import rescore
from coalm.bench.table import open_benchmark
from coalm.errors import DataError
from coalm.types import ToolCall, User
from tests.endpoints.server import Endpoint, Request, Say, Status, Step

SINGLE = single_turn(miniature())
GOLD = {turn.text: case for case in SINGLE.cases() for turn in case.turns if isinstance(turn, User)}


def environment(cache: Path, **more: str) -> dict[str, str]:
    return os.environ | {
        "COALM_DATA": "",
        "COALM_CACHE": str(cache),
        "COALM_OFFLINE": "1",
        "COLUMNS": "200",
        "NO_COLOR": "1",
        "OPENAI_API_KEY": "",
        **more,
    }


PYTHON = [sys.executable, "-W", "error", "-c", "from coalm.cli import main; main()"]


def coalm(tmp: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, *words],
        cwd=tmp,
        env=environment(tmp / "cache", **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def served(tmp: Path, url: str, bench: str, *words: str, **more: str) -> Any:
    line = ("eval", "teacher", "--engine", "server", "--base-url", url, "--bench", bench)
    return coalm(tmp, *line, "--max-retries", "1", "--out", "out", *words, **more)


def question(request: Request) -> str:
    users = [m["content"] for m in request.body["messages"] if m["role"] == "user"]
    return str(users[0])


def by_gold(request: Request) -> Step:
    """The right answer, with the API's calls or in BFCL's own words; else silence."""
    case = GOLD.get(question(request))
    if case is None:
        return Say("")
    if "tools" not in request.body:
        return Say(gold_text(case))
    names = {t["function"]["name"].replace(".", "_"): t["function"] for t in request.body["tools"]}

    def call(one: ToolCall) -> tuple[str, str]:
        return names[one.name.replace(".", "_")]["name"], json.dumps(dict(one.arguments))

    return Say("", "tool_calls", calls=tuple(call(one) for one in gold_calls(case)))


def scores(tmp: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp / "out" / name / "scores.json").read_text())
    return found


def figures(row: Mapping[str, Any]) -> dict[str, float]:
    return {m["name"]: m["value"] for m in row["metrics"] if "unreadable" not in m["name"]}


@pytest.mark.slow
def test_one_command_evaluates_an_endpoint_and_the_runs_make_v3(tmp_path: Path) -> None:
    with Endpoint(by_gold) as there:
        done = served(
            tmp_path, there.url, "bfcl:single,bfcl:multi-turn", "--price-in", "2", "--label", "T"
        )
        assert done.returncode == 0, done.stderr
        assert "cost" in done.stdout
        asked = len(there.requests)
        again = served(tmp_path, there.url, "bfcl:single,bfcl:multi-turn", "--label", "T")
        assert again.returncode == 0, again.stderr
        assert len(there.requests) == asked
    row = scores(tmp_path, "bfcl.single")
    assert set(figures(row).values()) == {100.0}
    assert row["model"] == {"name": "teacher", "endpoint": "127.0.0.1"}
    assert row["identity"]["format"] == "chat/native"
    assert row["identity"]["usage"]["requests"] == len(SINGLE.cases())
    assert "--engine server" in row["identity"]["command"]
    assert sum(row["parts"].values()) == row["available"]

    shown = coalm(tmp_path, "score", "bfcl", "--runs", "out")
    assert shown.returncode == 0, shown.stderr
    assert "T, native" in shown.stdout
    assert "CoALM 8B (paper)" in shown.stdout
    [found] = json.loads((tmp_path / "out" / "bfcl.json").read_text())
    assert found["categories"]["simple_python"]["score"] == 100.0
    assert found["categories"]["multi_turn_base"]["score"] == 0.0
    assert found["aggregates"]["V3"]["Multi-Turn"]["score"] == 0.0
    assert found["aggregates"]["V3"]["Overall"]["score"] is None  # the miniature lacks some

    report = coalm(tmp_path, "report", "out")
    assert report.returncode == 0, report.stderr
    for name in ("report.md", "report.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "BFCL V3, single-turn and multi-turn together" in text
        assert "CoALM 70B (paper)" in text


@pytest.mark.slow
def test_prompting_mode_asks_in_the_benchmarks_words(tmp_path: Path) -> None:
    with Endpoint(by_gold) as there:
        done = served(tmp_path, there.url, "bfcl:single-prompt")
    assert done.returncode == 0, done.stderr
    assert set(figures(scores(tmp_path, "bfcl.single-prompt")).values()) == {100.0}
    assert scores(tmp_path, "bfcl.single-prompt")["identity"]["format"] == "chat/as-written"
    for request in there.requests:
        assert "tools" not in request.body
        assert request.body["messages"][0]["content"].startswith("You keep house.")


@pytest.mark.slow
def test_raw_prompts_bring_our_own_markers(tmp_path: Path) -> None:
    with Endpoint(lambda request: Say("[]")) as there:
        bench, raw = "bfcl:ast", ("--raw", "--layout", "llama3", "--dialect", "json")
        done = served(tmp_path, there.url, bench, *raw)
    assert done.returncode == 0, done.stderr
    assert {r.path for r in there.requests} == {"/v1/completions"}
    assert all(r.prompt.startswith("<|begin_of_text|>") for r in there.requests)
    row = scores(tmp_path, "bfcl.ast")
    assert row["identity"]["format"] == "llama3/json"
    assert figures(row)["Irrelevance"] == 100.0
    assert figures(row)["Simple (AST)"] == 0.0


@pytest.mark.slow
def test_what_is_not_answered_is_no_wrong_answer_and_is_asked_again(tmp_path: Path) -> None:
    names = sorted(GOLD)[:2]

    def behave(request: Request) -> Step:
        return Status(500) if question(request) in names else by_gold(request)

    with Endpoint(behave) as there:
        first = served(tmp_path, there.url, "bfcl:single")
        assert first.returncode == 0, first.stderr
        row = scores(tmp_path, "bfcl.single")
        assert row["not_answered"] == 2
        assert set(figures(row).values()) == {100.0}
        assert "2 cases were not answered" in first.stdout
        there.behave = by_gold
        seen = len(there.requests)
        second = served(tmp_path, there.url, "bfcl:single")
        assert second.returncode == 0, second.stderr
        assert sorted(question(r) for r in there.requests[seen:]) == names
    assert scores(tmp_path, "bfcl.single")["not_answered"] == 0


def killed(tmp: Path, url: str, stop: Callable[["subprocess.Popen[str]"], None]) -> int:
    """A run that is stopped in the middle of its only batch."""
    line = ("eval", "teacher", "--engine", "server", "--base-url", url, "--bench", "bfcl:single")
    process = subprocess.Popen(
        [*PYTHON, *line, "--concurrency", "1", "--out", "out"],
        cwd=tmp,
        env=environment(tmp / "cache"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = tmp / "out" / "bfcl.single" / "answers.jsonl"
    for _ in range(600):
        if log.exists() and log.read_text().count("\n") >= 3:
            break
        time.sleep(0.05)
    stop(process)
    process.communicate(timeout=30)
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_and_asks_only_what_is_missing(
    tmp_path: Path, how: signal.Signals
) -> None:
    def slow(request: Request) -> Step:
        step = by_gold(request)
        assert isinstance(step, Say)
        return Say(step.text, step.finish, 0.15, step.calls)

    with Endpoint(slow) as there:
        code = killed(tmp_path, there.url, lambda process: process.send_signal(how))
        assert code == (-9 if how == signal.SIGKILL else 130)
        kept = (tmp_path / "out" / "bfcl.single" / "answers.jsonl").read_text().count("\n")
        assert 3 <= kept < len(SINGLE.cases())
        seen = len(there.requests)
        assert seen <= kept + 1
        there.behave = by_gold
        done = served(tmp_path, there.url, "bfcl:single")
        assert done.returncode == 0, done.stderr
        assert len(there.requests) - seen == len(SINGLE.cases()) - kept
    assert set(figures(scores(tmp_path, "bfcl.single")).values()) == {100.0}


def first_user_wrong(request: Request) -> Step:
    """Gold with a thought beside it, and nonsense for one question."""
    if "messages" not in request.body:
        return Say("[nobody(knows=1)]")
    step = by_gold(request)
    assert isinstance(step, Say)
    if question(request) == min(GOLD):
        return Say("", "tool_calls", calls=(("nobody", "{no json"),), thought="Hm.")
    return Say(step.text, step.finish, 0.0, step.calls, thought="Hm.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bench", "words", "name"),
    [
        ("bfcl:single", (), "chat/native"),
        ("bfcl:single", ("--dialect", "json"), "chat/json"),
        ("bfcl:single-prompt", (), "chat/as-written"),
        ("bfcl:sensitivity", (), "chat/every-syntax"),
        ("bfcl:single-prompt", ("--raw", "--layout", "chatml"), "chatml/as-written"),
    ],
)
def test_the_answers_of_an_endpoint_can_be_judged_again_without_it(
    tmp_path: Path, bench: str, words: tuple[str, ...], name: str
) -> None:
    with Endpoint(first_user_wrong) as there:
        done = served(tmp_path, there.url, bench, "--seed", "3", "--max-tokens", "99", *words)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out" / bench.replace(":", ".")
    row = scores(tmp_path, folder.name)
    assert row["identity"]["format"] == name
    before = (folder / "outcomes.jsonl").read_bytes(), (folder / "scores.json").read_bytes()
    benchmark = open_benchmark(bench, miniature=True)
    rescore(folder, benchmark)
    assert (folder / "outcomes.jsonl").read_bytes() == before[0]
    assert json.loads((folder / "scores.json").read_text()) == json.loads(before[1])
    if name.startswith("chat/"):
        (folder / "answers.jsonl").unlink()
        with pytest.raises(DataError, match=r"has no answers\.jsonl"):
            rescore(folder, benchmark)
        (folder / "answers.jsonl").write_text("")
        with pytest.raises(DataError, match="not all there any more"):
            rescore(folder, benchmark)


@pytest.mark.slow
def test_a_chat_with_an_endpoint_runs_the_towns_tools(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        if request.body["messages"][-1]["role"] == "tool":
            return Say("There are some.")
        names = [t["function"]["name"] for t in request.body["tools"]]
        name = next(n for n in names if "hotel" in n and ("query" in n or "find" in n))
        return Say("", calls=((name, '{"area": "north"}'),))

    with Endpoint(behave) as there:
        done = subprocess.run(
            [*PYTHON, "chat", "teacher", "--engine", "server", "--base-url", there.url],
            cwd=tmp_path,
            env=environment(tmp_path / "cache"),
            input="a hotel in the north\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "chat/native" in done.stdout
    assert "There are some." in done.stdout
    assert len(there.requests) == 2
    gone = coalm(tmp_path, "chat", "teacher", "--engine", "server")
    assert gone.returncode == 2
    assert "needs --base-url" in gone.stderr


@pytest.mark.slow
def test_shards_of_an_endpoint_are_merged_with_their_answers_and_costs(tmp_path: Path) -> None:
    with Endpoint(by_gold) as there:
        for share in ("1/2", "2/2"):
            done = served(tmp_path, there.url, "bfcl:single", "--shard", share, "--price-in", "2")
            assert done.returncode == 0, done.stderr
    merged = coalm(tmp_path, "eval", "merge", "out.shard-1-of-2", "out.shard-2-of-2")
    assert merged.returncode == 0, merged.stderr
    row = scores(tmp_path, "bfcl.single")
    assert set(figures(row).values()) == {100.0}
    assert row["identity"]["usage"]["requests"] == len(SINGLE.cases())
    assert row["identity"]["usage"]["cost"] == pytest.approx(2e-4 * len(SINGLE.cases()))
    rescore(tmp_path / "out" / "bfcl.single", SINGLE)
    assert scores(tmp_path, "bfcl.single") == row


@pytest.mark.slow
def test_the_key_is_in_no_file_and_no_output(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        bad = request.number % 3 == 0
        return Status(500, "I know sk-secret-9") if bad else Say("sure")

    with Endpoint(behave, key="sk-secret-9") as there:
        done = served(tmp_path, there.url, "bfcl:ast", "--key-env", "MY_KEY", MY_KEY="sk-secret-9")
    assert done.returncode == 0, done.stderr
    written = [p.read_text() for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert written
    assert "sk-secret" not in "".join([done.stdout, done.stderr, *written])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--engine", "server"), "needs --base-url"),
        (("--base-url", "http://localhost:1/v1"), "add --engine server"),
        (("--engine", "server", "--base-url", "localhost:1"), "is no base URL"),
        (("--engine", "server", "--base-url", "http://localhost:1/v1", "--raw"), "add --layout"),
        (
            ("--engine", "server", "--base-url", "http://localhost:1/v1", "--layout", "chatml"),
            "need --raw",
        ),
        (("--engine", "sever"), "did you mean 'server'"),
        (
            ("--engine", "server", "--base-url", "http://127.0.0.1:1/v1"),
            "cannot reach http://127.0.0.1:1/v1",
        ),
        (
            ("--engine", "server", "--base-url", "http://u:sk-x@127.0.0.1:1/v1"),
            "a base URL holds no key",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = coalm(tmp_path, "eval", "m", "--bench", "bfcl:ast", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "sk-x" not in done.stderr
    assert "Traceback" not in done.stderr


def test_another_models_folder_is_refused_and_a_missing_run_is_named(tmp_path: Path) -> None:
    with Endpoint(by_gold, models=("teacher", "other")) as there:
        assert served(tmp_path, there.url, "bfcl:ast", "--limit", "2").returncode == 0
        line = ("eval", "other", "--engine", "server", "--base-url", there.url)
        done = coalm(tmp_path, *line, "--bench", "bfcl:ast", "--limit", "2", "--out", "out")
    assert done.returncode == 2
    assert "belongs to another run" in done.stderr
    gone = coalm(tmp_path, "score", "bfcl", "--runs", "nowhere")
    assert gone.returncode == 2
    assert "nowhere: no such folder" in gone.stderr
    both = coalm(tmp_path, "score", "bfcl", "--runs", "out", "--results", "out")
    assert both.returncode == 2
    assert "two kinds of folders" in both.stderr
