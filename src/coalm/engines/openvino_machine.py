"""What this machine has for a model on its CPU, and what OpenVINO may not do with it."""

import os
import sys
from pathlib import Path

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Where a container's limit and its use are told, in the two generations of control groups."""


def cores(topology: str = _TOPOLOGY) -> int:
    """Physical cores that this process may run on; logical ones where nothing tells them apart."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    mine = os.sched_getaffinity(0)
    siblings = set()
    for cpu in mine:
        try:
            siblings.add(Path(topology.format(cpu)).read_text(encoding="ascii"))
        except OSError:
            return len(mine)
    return max(1, len(siblings))


def free_memory(meminfo: str = "/proc/meminfo") -> int:
    """Bytes that can be taken without harm; 8 GB where the system does not tell."""
    found = []
    try:
        for line in Path(meminfo).read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except OSError:
        pass
    for limit, used in _LIMITS:
        try:
            most = Path(limit).read_text(encoding="ascii").strip()
            if most.isdigit():
                found.append(int(most) - int(Path(used).read_text(encoding="ascii")))
        except OSError:
            continue
    return max(0, min(found, default=8 << 30))


def without_telemetry() -> None:
    """Keep OpenVINO from reporting to its makers; to be called before it is imported.

    Its Python package imports `openvino_telemetry`, whose only users are its tools for
    conversion. Where that import fails they fall back on a stand-in of their own that does
    nothing, so here it fails.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
