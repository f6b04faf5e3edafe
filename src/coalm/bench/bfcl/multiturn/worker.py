"""The process in which BFCL's environments live: run as a script, without coalm.

It imports the environment classes once and then forks a child for each session, so every
case begins with fresh modules, not only fresh objects: some environments keep state in
their module. A child has limits on time and memory, may open no socket, start no program
and write no file, and dies of the signal that its limit sends, in compiled code as well.
"""

import gc
import importlib
import importlib.util
import json
import os
import re
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coalm.bench.bfcl.multiturn import judging
else:  # a script has no package; and coalm is not to be imported here
    _SPEC = importlib.util.spec_from_file_location("judging", Path(__file__).parent / "judging.py")
    judging = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(judging)

MEMORY = 77
"""Exit status of a child whose memory ran out."""

Classes = dict[str, type]


def _load(folder: Path, package: str, names: Sequence[str]) -> Classes:
    """The classes by name; `package` is where the folder's modules say that they are."""
    sources = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}
    found = {}
    for name in names:
        pattern = re.compile(rf"^class {re.escape(name)}\b", re.MULTILINE)
        module = next(stem for stem, source in sources.items() if pattern.search(source))
        full = f"{package}.{module}" if package else module
        found[name] = getattr(importlib.import_module(full), name)
    return found


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no network, no programs, nothing written."""
    if event.startswith(_REFUSED):
        raise PermissionError(f"{event} is not allowed here")
    if event == "open" and (arguments[1] or "r") not in ("r", "rb"):
        raise PermissionError("writing is not allowed here")


_REFUSED = ("socket.", "subprocess.", "os.", "ctypes.", "shutil.", "urllib.", "pty.")


def _serve(channel: int, classes: Classes, limits: Mapping[str, float]) -> None:
    """A child: one request a line, one answer a line, until the other side hangs up."""
    memory = int(limits["memory_mb"]) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = max(1, int(limits["case_s"]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))

    def arm(share: float = 1.0) -> None:
        # The limit is on computing, so that a busy machine costs nobody a case; the
        # clock only ends what waits for something.
        signal.setitimer(signal.ITIMER_PROF, limits["call_s"] * share)
        signal.setitimer(signal.ITIMER_REAL, limits["call_s"] * share * 15)

    methods: judging.Methods = {}
    out = os.fdopen(os.dup(channel), "wb")
    lines = os.fdopen(channel, "rb")
    sys.addaudithook(_guard)
    for line in lines:
        request = json.loads(line)
        arm()
        match request["do"]:
            case "begin":
                methods = judging.methods_of(judging.instances(classes, request))
                answer: Any = sorted(methods)
            case "run":
                answer = []
                for call in request["calls"]:
                    arm()
                    answer.append(judging.executed(call, methods))
            case _:
                answer = judging.judged(classes, request, arm)
        written = json.dumps(answer).encode() + b"\n"
        arm(0)
        out.write(written)
        out.flush()


def _child(channel: int, classes: Classes, limits: Mapping[str, float]) -> None:
    status = 1
    try:
        _serve(channel, classes, limits)
        status = 0
    except MemoryError:
        status = MEMORY
    finally:
        os._exit(status)


def _ended(pid: int) -> int:
    """The wait status of a child that has hung up; it is killed if it does not end."""
    for _ in range(500):  # hanging up comes first, dying a moment later
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _nurse(control: socket.socket, classes: Classes, limits: Mapping[str, float]) -> None:
    """Fork a child for each channel that comes in; say of a dead one what it died of."""
    living: set[int] = set()
    ended: dict[int, int] = {}
    while True:
        message, channels, _, _ = socket.recv_fds(control, 64, 1)
        if not message:
            return
        for pid in list(living):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                living.remove(pid)
                ended[pid] = status
        if channels:
            pid = os.fork()
            if pid == 0:
                control.close()
                _child(channels[0], classes, limits)
            os.close(channels[0])
            living.add(pid)
            control.sendall(f"{pid}\n".encode())
            continue
        pid = int(message)
        if pid in living:
            ended[pid] = _ended(pid)
            living.remove(pid)
        control.sendall(f"{ended.pop(pid, 0)}\n".encode())


def main() -> None:
    """Serve on the socket that is named first; the second argument holds the settings."""
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    sys.path.insert(0, settings["root"])
    try:
        classes = _load(Path(settings["folder"]), settings["package"], settings["classes"])
    except Exception as e:
        lacks = e.name if isinstance(e, ImportError) else ""
        control.sendall(json.dumps({"lacks": lacks, "why": f"{type(e).__name__}: {e}"}).encode())
        control.sendall(b"\n")
        return
    gc.collect()
    gc.freeze()
    control.sendall(b"{}\n")
    _nurse(control, classes, settings["limits"])


if __name__ == "__main__":
    main()
