"""Work in several processes: the order stays, an error comes through, nothing is left running."""

import os
import time
from collections.abc import Iterator

import pytest

from coalm.crew import Crew, cores
from coalm.errors import DataError


def _scaled(factor: int, job: int) -> int:
    time.sleep(0.05 if job == 0 else 0)  # the first is the slowest
    return factor * job


def _broken(_factor: int, job: int) -> int:
    if job == 3:
        raise DataError(f"job {job} is broken")
    return job


def _dies(_factor: int, job: int) -> int:
    if job == 2:
        os._exit(9)
    return job


@pytest.mark.parametrize("processes", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_results_come_in_the_jobs_order(processes: int) -> None:
    with Crew(10, processes) as crew:
        assert list(crew.map(_scaled, range(40))) == [10 * n for n in range(40)]
        assert list(crew.map(_scaled, iter([]))) == []


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_error_in_a_worker_is_raised_here(processes: int) -> None:
    with Crew(10, processes) as crew, pytest.raises(DataError, match="job 3 is broken"):
        list(crew.map(_broken, range(10)))


@pytest.mark.slow
def test_a_worker_that_dies_is_told_of() -> None:
    with Crew(10, 2) as crew, pytest.raises(DataError, match="worker process died"):
        list(crew.map(_dies, range(10)))


@pytest.mark.slow
def test_jobs_are_taken_as_there_is_room() -> None:
    taken = []

    def jobs() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    with Crew(1, 2) as crew:
        results = crew.map(_scaled, jobs())
        next(results)
        assert len(taken) < 10
        results.close()  # type: ignore[attr-defined]


def test_there_is_a_core() -> None:
    assert cores() >= 1
