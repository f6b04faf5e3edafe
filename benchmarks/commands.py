"""The time that a command takes, beside the CPU time that a busy machine does not spoil."""

import resource
import statistics
import subprocess
import time
from collections.abc import Sequence


def timed(what: str, command: Sequence[str], runs: int) -> None:
    """Run a command so many times; print wall times, and CPU time for a busy machine."""
    times, spent = [], []
    for _ in range(runs):
        begun, before = time.perf_counter(), _cpu()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
        spent.append(_cpu() - before)
    middle = statistics.median(times)
    print(f"{what}: fastest {min(times):.2f} s, median {middle:.2f} s, CPU {min(spent):.2f} s")


def _cpu() -> float:
    """Seconds of CPU that processes started here have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
