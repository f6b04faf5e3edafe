"""Manners around a tool: consent, time, size, another try."""

import threading
from collections.abc import Mapping

import pytest

from coalm.agent.functions import Refused, tool
from coalm.agent.guard import Approve, Guarded, Manners, guarded

RUNS: list[str] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    RUNS.clear()


def send(to: str) -> str:
    """Send a letter."""
    RUNS.append(to)
    return "sent"


def flaky(times: int) -> str:
    """Fail some times."""
    RUNS.append("try")
    if len(RUNS) <= times:
        raise ConnectionError("the line is dead")
    return "ok"


WAIT = threading.Event()


def slow() -> str:
    """Wait."""
    RUNS.append("try")
    WAIT.wait(30)
    return "late"


def letter(approve: Approve | None, *, ask_first: bool | None = None) -> str:
    return Guarded(tool(send), Manners(writes=True, ask_first=ask_first), approve)({"to": "Ann"})


def test_a_tool_that_writes_runs_only_with_consent() -> None:
    asked: list[Mapping[str, object]] = []

    def yes(spec: object, arguments: Mapping[str, object]) -> bool:
        asked.append(arguments)
        return True

    assert letter(yes) == "sent"
    assert asked == [{"to": "Ann"}]
    assert letter(lambda *_: False) == "error: send: the user did not allow it"
    assert letter(lambda *_: "wrong Ann").endswith("did not allow it: wrong Ann")
    assert "nobody is there" in letter(None)
    assert RUNS == ["Ann"]


def test_a_tool_may_be_told_otherwise() -> None:
    assert letter(None, ask_first=False) == "sent"
    reads = Guarded(tool(send), Manners(ask_first=True), lambda *_: False)
    assert "did not allow" in reads({"to": "Ann"})


def test_a_read_that_fails_is_tried_again_and_a_write_never() -> None:
    assert Guarded(tool(flaky), Manners(retries=2))({"times": 2}) == "ok"
    assert len(RUNS) == 3
    RUNS.clear()
    lost = Guarded(tool(flaky), Manners(writes=True, ask_first=False, retries=2))({"times": 1})
    assert lost == (
        "error: flaky: ConnectionError: the line is dead; it may have been done all the same"
    )
    assert len(RUNS) == 1


def test_a_refusal_is_not_tried_again() -> None:
    def closed() -> str:
        """Say no."""
        RUNS.append("try")
        raise Refused("we are closed")

    assert Guarded(tool(closed), Manners(retries=5))({}) == "error: closed: we are closed"
    assert len(RUNS) == 1


def test_a_tool_that_takes_too_long_is_left_alone() -> None:
    try:
        said = Guarded(tool(slow), Manners(timeout=0.05, retries=1))({})
    finally:
        WAIT.set()
    assert said == "error: slow: no result within 0.05 seconds"
    assert len(RUNS) == 2


def test_a_long_result_is_cut_and_says_so() -> None:
    def long() -> str:
        """Much."""
        return "x" * 100

    said = Guarded(tool(long), Manners(longest=10))({})
    assert said == "xxxxxxxxxx... (10 of 100 characters are shown)"


def test_tools_without_manners_are_taken_to_read() -> None:
    made = guarded({"send": tool(send), "slow": tool(slow)}, {"send": Manners(writes=True)})
    assert made["send"].manners.asks
    assert not made["slow"].manners.asks
    assert made["send"].spec.name == "send"


def test_an_error_is_cut_like_a_result_and_halves_of_characters_go() -> None:
    def wordy() -> str:
        """Complain at length."""
        raise ValueError("x" * 1_000)

    def wordy_no() -> str:
        """Refuse at length."""
        raise Refused("x" * 1_000)

    def half() -> str:
        """Half of a character."""
        return "a\ud83d"

    assert len(Guarded(tool(wordy), Manners(longest=50, retries=0))({})) < 150
    assert len(Guarded(tool(wordy_no), Manners(longest=50))({})) < 150
    assert Guarded(tool(half), Manners())({}) == "a?"


def test_a_tool_that_gives_up_or_leaves_is_not_said_to_be_late() -> None:
    def gives_up() -> str:
        """Time out by itself."""
        raise TimeoutError("the line was silent")

    def leaves() -> str:
        """End the program."""
        raise SystemExit(3)

    said = Guarded(tool(gives_up), Manners(retries=0))({})
    assert said == "error: gives_up: TimeoutError: the line was silent"
    assert Guarded(tool(leaves), Manners(retries=0))({}) == "error: leaves: SystemExit: 3"
