"""The worker: fresh state for each session, limits that cost one session and no more."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coalm.bench.bfcl import Data
from coalm.bench.bfcl.multiturn import Environments, Lost
from coalm.errors import DataError

SCENE: dict[str, Any] = {"classes": ["Trap"], "config": {}, "long": False}


def run(environments: Environments, *calls: str, **scene: Any) -> list[str]:
    with environments.open() as session:
        session.begin(SCENE | scene)
        return session.run(calls)


def test_each_session_begins_with_fresh_modules_and_objects(environments: Environments) -> None:
    for _ in range(3):
        assert run(environments, "count()", "count()") == ['{"count": 1}', '{"count": 2}']


def test_sessions_live_side_by_side(environments: Environments) -> None:
    with environments.open() as one, environments.open() as other:
        one.begin(SCENE)
        other.begin(SCENE)
        assert one.run(["count()"]) == other.run(["count()"]) == ['{"count": 1}']
        assert one.run(["count()"]) == ['{"count": 2}']


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("forever()", "a call took too long"),
        ("compute()", "a call took too long"),
        ("swell(megabytes=2000)", "out of memory"),
        ("leave()", "it ended by itself"),
    ],
)
def test_what_costs_too_much_ends_its_session_and_no_other(
    call: str, why: str, environments: Environments
) -> None:
    begun = time.monotonic()
    with environments.open() as other:
        other.begin(SCENE)
        with pytest.raises(Lost, match=why):
            run(environments, call)
        assert other.run(["count()"]) == ['{"count": 1}']
    assert run(environments, "count()") == ['{"count": 1}']
    assert time.monotonic() - begun < 10


def test_many_calls_together_may_not_take_too_long_either(environments: Environments) -> None:
    with pytest.raises(Lost, match="the case took too long"):
        run(environments, *["busy(seconds=0.2)"] * 20)


@pytest.mark.slow
def test_a_call_that_waits_is_ended_by_the_clock(environments: Environments) -> None:
    with pytest.raises(Lost, match="stood still"):
        run(environments, "wait(seconds=60)")


def test_a_session_that_is_lost_stays_lost(environments: Environments) -> None:
    with environments.open() as session:
        session.begin(SCENE)
        for _ in range(2):
            with pytest.raises(Lost):
                session.run(["leave()"])


def test_a_deep_recursion_is_an_error_like_another(environments: Environments) -> None:
    [said] = run(environments, "deep()")
    assert said.startswith("Error during execution: maximum recursion depth exceeded")


def test_an_exit_is_no_answer(environments: Environments) -> None:
    with pytest.raises(Lost):
        run(environments, "exits()")


def test_there_is_no_network_no_program_and_no_writing(
    environments: Environments, tmp_path: Path
) -> None:
    path = tmp_path / "written"
    said = run(environments, "call_home()", "spawn()", f"write(path={str(path)!r})")
    assert all("not allowed" in one for one in said)
    assert not path.exists()


def test_a_worker_that_was_killed_is_started_again(environments: Environments) -> None:
    assert run(environments, "count()") == ['{"count": 1}']
    worker = environments._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert run(environments, "count()") == ['{"count": 1}']


def test_two_threads_share_a_worker(environments: Environments) -> None:
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda _: run(environments, "count()", "count()"), range(40)))
    assert said == [['{"count": 1}', '{"count": 2}']] * 40


def test_the_worker_sees_little_of_its_surroundings(
    environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "abc")
    run(environments, "count()")
    worker = environments._worker
    assert worker is not None
    assert b"SECRET_KEY" not in Path(f"/proc/{worker.pid}/environ").read_bytes()


def test_environments_that_do_not_start_say_why(trapped: Data) -> None:
    (trapped.path / "environments" / "trap.py").write_text("class Trap:\n    x = 1 / 0\n")
    with (
        Environments(trapped, ["Trap"]) as environments,
        pytest.raises(DataError, match="ZeroDivisionError"),
    ):
        environments.open()


def test_a_closed_house_opens_again(environments: Environments) -> None:
    run(environments, "count()")
    environments.close()
    assert run(environments, "count()") == ['{"count": 1}']
