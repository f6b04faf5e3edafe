"""What the machine has: cores and memory, told by files of the system."""

import os
from pathlib import Path

import pytest

from coalm.engines.openvino_machine import cores, free_memory


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells")
def test_two_threads_of_a_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5})
    for cpu in (0, 1, 4, 5):
        (tmp_path / f"{cpu}").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    assert cores(str(tmp_path / "{}")) == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells")
def test_threads_count_where_nothing_tells_cores_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3})
    assert cores(str(tmp_path / "{}")) == 2


def test_free_memory_is_what_the_system_says(tmp_path: Path) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:  9000 kB\nMemAvailable:  2000 kB\n")
    assert free_memory(str(told)) == 2000 * 1024
    told.write_text("MemTotal:  9000 kB\n")
    assert free_memory(str(told)) > 0
