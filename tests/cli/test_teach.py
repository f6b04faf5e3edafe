"""`coalm data teach` as a person uses it: typos, kill -9, Ctrl-C, a second run, batch files."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from coalm.shards import read_samples
from tests.cra.teachers import ALL, good, sound, sound_after, task_of, tasks
from tests.endpoints.server import Endpoint, Request, Say, Status, Step

ROOT = Path(__file__).parents[2]


def command(*words: str, key: str = "") -> tuple[list[str], dict[str, str]]:
    environment = os.environ | {
        "COALM_DATA": "",
        "COALM_OFFLINE": "1",
        "COALM_CACHE": str(Path(tempfile.gettempdir()) / "coalm-no-downloads"),
        "COLUMNS": "200",
        "NO_COLOR": "1",
        "OPENAI_API_KEY": key,
    }
    python = [sys.executable, "-W", "error", "-c", "from coalm.cli import main; main()"]
    return [*python, "data", "teach", *words], environment


def teach(*words: str, key: str = "") -> subprocess.CompletedProcess[str]:
    line, environment = command(*words, key=key)
    return subprocess.run(
        line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def begun(*words: str) -> "subprocess.Popen[str]":
    line, environment = command(*words)
    return subprocess.Popen(
        line,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def usual(out: Path, server: Endpoint, *words: str) -> list[str]:
    return ["--model", "teacher", "--out", str(out), "--base-url", server.url, *words]


def logged(out: Path) -> list[dict[str, Any]]:
    text = (out / "answers.jsonl").read_text() if (out / "answers.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def until(out: Path, count: int) -> None:
    for _ in range(400):
        if len(logged(out)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"fewer than {count} answers in 20 s")


def test_a_run_says_what_it_made_and_a_second_one_asks_nothing(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        first = teach(*usual(tmp_path, server, "--price-in", "2.5", "--price-out", "10"))
        second = teach(*usual(tmp_path, server))
        assert len(server.requests) == ALL

    assert (first.returncode, first.stderr) == (0, "")
    assert "MINIATURE" in first.stdout
    assert f"{server.url}: {ALL} tries" in " ".join(first.stdout.split())
    assert "cost 0.0" in first.stdout
    assert second.returncode == 0
    assert f"{ALL} dialogues were answered before" in second.stdout
    assert len(list(read_samples(tmp_path / "cra.jsonl"))) == ALL


@pytest.mark.slow
def test_a_run_killed_with_kill_9_goes_on_and_asks_only_what_is_missing(tmp_path: Path) -> None:
    with Endpoint(sound_after(0.4)) as server:
        words = usual(tmp_path, server, "--concurrency", "2")
        process = begun(*words)
        until(tmp_path, 3)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kept = {row["key"] for row in logged(tmp_path)}
        asked = len(server.requests)
        assert 3 <= len(kept) < ALL
        server.behave = sound
        done = teach(*words)

    assert done.returncode == 0
    assert len(server.requests) == asked + ALL - len(kept)
    again = [task_of(r).key(0) for r in server.requests[asked:]]
    assert not kept & set(again)
    assert len(logged(tmp_path)) == ALL
    assert len(list(read_samples(tmp_path / "cra.jsonl"))) == ALL


@pytest.mark.slow
def test_ctrl_c_leaves_whole_logs_and_says_how_to_go_on(tmp_path: Path) -> None:
    with Endpoint(sound_after(0.4)) as server:
        process = begun(*usual(tmp_path, server, "--concurrency", "2"))
        until(tmp_path, 2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "the same command goes on from here" in said
        assert "Traceback" not in said
        text = (tmp_path / "answers.jsonl").read_text()
        assert text.endswith("\n")
        kept = len(logged(tmp_path))
        assert 2 <= kept < ALL
        asked = len(server.requests)
        server.behave = sound
        assert teach(*usual(tmp_path, server)).returncode == 0
        assert len(server.requests) == asked + ALL - kept


def test_transport_failures_are_told_and_left_open(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        return Status(400, "context too long") if request.number == 3 else sound(request)

    with Endpoint(behave) as server:
        done = teach(*usual(tmp_path, server, "--concurrency", "1"))

    assert done.returncode == 0
    assert "1 not answered: refused: HTTP 400: context too long" in done.stdout
    assert "run again to ask them" in done.stdout


def test_rejected_answers_are_told_by_reason(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        answer = good(task_of(request))
        if task_of(request).dialogue.id == "1_00002":
            answer["turns"].pop()
        return Say(json.dumps(answer))

    with Endpoint(behave) as server:
        done = teach(*usual(tmp_path, server))

    assert done.returncode == 0
    assert "rejected: another number of turns" in done.stdout
    assert len(list(read_samples(tmp_path / "cra.jsonl"))) == ALL - 1


def test_what_was_answered_before_the_end_of_an_endpoint_is_written_out(tmp_path: Path) -> None:
    def behave(request: Request) -> Step:
        return sound(request) if request.number < 3 else Status(402, "top up")

    with Endpoint(behave) as server:
        done = teach(*usual(tmp_path, server, "--concurrency", "1"))

    assert done.returncode == 2
    assert "no credit left: HTTP 402: top up" in done.stderr
    assert len(list(read_samples(tmp_path / "cra.jsonl"))) == 3


def test_a_missing_or_wrong_key_is_one_line_and_stops(tmp_path: Path) -> None:
    with Endpoint(sound, key="sk-right") as server:
        none = teach(*usual(tmp_path, server))
        wrong = teach(*usual(tmp_path, server), key="sk-wrong")
        assert not server.requests
        right = teach(*usual(tmp_path, server), key="sk-right")

    assert (none.returncode, wrong.returncode, right.returncode) == (2, 2, 0)
    assert "asks for a key: set OPENAI_API_KEY" in none.stderr
    assert "does not take the key in OPENAI_API_KEY" in wrong.stderr
    assert len(none.stderr.splitlines()) == len(wrong.stderr.splitlines()) == 1
    assert "sk-" not in none.stderr + wrong.stderr + wrong.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--base-url localhost:8000", "is no base URL; one looks like http://localhost:8000/v1"),
        ("--base-url http://localhost:1/v1", "cannot reach http://localhost:1/v1"),
        ("--base-url http://me:k@host/v1", "a base URL holds no key"),
        ("--split tran --base-url http://localhost:1/v1", "did you mean 'train'?"),
        ("--batch-in /nowhere.jsonl", "no such file"),
        ("", "name an endpoint with --base-url"),
        ("--base-url http://localhost:1/v1 --batch-out b.jsonl", "choose one"),
    ],
)
def test_a_typo_is_one_clear_line(tmp_path: Path, words: str, said: str) -> None:
    done = teach("--model", "teacher", "--out", str(tmp_path / "out"), *words.split())

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out/cra.jsonl").exists()


def test_a_typo_in_the_model_names_the_one_that_is_there(tmp_path: Path) -> None:
    with Endpoint(sound) as server:
        done = teach("--model", "techer", "--out", str(tmp_path), "--base-url", server.url)

    assert done.returncode == 2
    assert "did you mean 'teacher'?" in done.stderr


def test_a_dry_run_shows_prompts_tokens_and_cost_and_asks_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--price-in", "1000", "--price-out", "0", "--show", "2", "--dry-run"]
    with Endpoint(sound) as server:
        done = teach(*usual(out, server, *words))
        assert not server.requests

    assert done.returncode == 0
    for task in tasks()[:2]:
        assert task.messages[1]["content"].splitlines()[-1] in done.stdout
    assert tasks()[2].skeleton.id not in done.stdout
    [row] = [line.split() for line in done.stdout.splitlines() if "prompts" in line]
    numbers = [float(cell.replace(",", "")) for cell in row if cell[0].isdigit()]
    assert numbers[0] == ALL
    assert numbers[1] > 5000
    assert numbers[2] == pytest.approx(numbers[1] * 1000 / 1e6, abs=0.01)
    assert not out.exists()


def test_a_batch_goes_out_and_comes_back(tmp_path: Path) -> None:
    out, ask, answers = tmp_path / "out", tmp_path / "ask.jsonl", tmp_path / "answers.jsonl"
    words = ["--model", "teacher", "--out", str(out)]
    assert f"{ALL} requests in" in teach(*words, "--batch-out", str(ask)).stdout

    with answers.open("w") as file:
        for line in ask.read_text().splitlines():
            row = json.loads(line)
            text = sound(Request(0, row["url"], {}, row["body"], 0.0)).text
            body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
            response = {"status_code": 200, "body": body}
            file.write(json.dumps({"custom_id": row["custom_id"], "response": response}) + "\n")
    done = teach(*words, "--batch-in", str(answers))

    assert done.returncode == 0
    assert f"{ALL} new answers, 0 that were known" in done.stdout
    assert "came without a count of tokens" in done.stdout
    assert len(list(read_samples(out / "cra.jsonl"))) == ALL
