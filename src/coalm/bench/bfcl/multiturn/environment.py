"""The benchmark's environments, each case's in a process of its own.

`Environments` starts the worker (`worker.py`) when it is first needed and again if it
dies. A `Session` is one child of it: fresh environments, which a conversation may call.
What costs too much time or memory ends its session with `Lost`, and nothing else.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from coalm import store
from coalm.bench.bfcl.data import Data
from coalm.bench.bfcl.multiturn.cases import unpacked
from coalm.errors import DataError, MissingExtra

LONGEST = 64 * 2**20
"""Bytes of one answer that are read."""

_WHY = {
    signal.SIGPROF: "a call took too long",
    signal.SIGXCPU: "the case took too long",
    signal.SIGALRM: "a call stood still",
}
_MEMORY = 77


class Lost(Exception):
    """A session that is over before its time; the message says what of."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use."""

    call_s: float = 2.0
    """Seconds of computing in one call; fifteen times as long by the clock."""
    case_s: float = 20.0
    """Seconds of computing in one session."""
    memory_mb: int = 1024
    """Address space, what the worker itself takes included."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict of the environments on one case."""

    error: str
    """The official checker's word for what is wrong; empty when nothing is."""
    what: str
    turn: int
    """The first wrong turn, from 0; -1 if there is none."""
    turns: tuple[bool, ...]
    """Which turns end in the gold state, with the gold results had by then."""
    from_gold: tuple[bool, ...]
    """Which turns would, if every turn before them had been the gold one."""


class Environments:
    """The environments of some cases. Close it, or use it in a `with`."""

    def __init__(self, data: Data, classes: Sequence[str], limits: Limits | None = None) -> None:
        if not hasattr(os, "fork"):
            raise DataError("BFCL's environments need a system that can fork, such as Linux")
        self._data, self._classes = data, sorted(set(classes))
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._worker: _Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker; the next session starts another."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def open(self) -> "Session":
        """A fresh session."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._adopted(theirs)
        except BaseException:
            ours.close()
            raise
        ours.settimeout(self._limits.case_s * 15 + 30)
        return Session(self, ours, pid)

    def judge(
        self,
        case: Mapping[str, Any],
        said: Sequence[Sequence[Sequence[str]]],
        gold: Sequence[Sequence[str]],
    ) -> Judged:
        """Run both in fresh environments and compare; `Lost` if they use too much.

        `case` holds `classes`, `config` and `long`; `said` has turns, steps and calls.
        """
        with self.open() as session:
            found = session.ask({"do": "judge", **case, "said": said, "gold": gold})
        return Judged(
            found["error"],
            found["what"],
            found["turn"],
            tuple(found["turns"]),
            tuple(found["from_gold"]),
        )

    def died_of(self, pid: int) -> str:
        """What ended a session, which is ended now if it was not."""
        with self._lock:
            try:
                status = self._worker.ended(pid) if self._worker else 0
            except OSError:
                return "the worker died"
        if os.WIFSIGNALED(status):
            return _WHY.get(signal.Signals(os.WTERMSIG(status)), "it was killed")
        return "out of memory" if os.WEXITSTATUS(status) == _MEMORY else "it ended by itself"

    def _adopted(self, channel: socket.socket) -> int:
        """The process id of the child that serves a channel."""
        with self._lock:
            if self._worker is not None:
                try:
                    return self._worker.adopt(channel)
                except OSError:  # it is gone; another takes its place
                    self._worker.close()
            self._worker = None
            self._worker = self._started()
            return self._worker.adopt(channel)

    def _started(self) -> "_Worker":
        root, folder, package = unpacked(self._data)
        settings = {
            "root": str(root),
            "folder": str(folder),
            "package": package,
            "classes": self._classes,
            "limits": asdict(self._limits),
        }
        return _Worker(store.compact(settings))


class Session:
    """Fresh environments in a process of their own. Close it, or use it in a `with`."""

    def __init__(self, home: Environments, channel: socket.socket, pid: int) -> None:
        self._home, self._channel, self._pid = home, channel, pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._channel.close()

    def begin(self, case: Mapping[str, Any]) -> list[str]:
        """Bring up a case's environments; the names of their methods."""
        names: list[str] = self.ask({"do": "begin", **case})
        return names

    def run(self, calls: Sequence[str]) -> list[str]:
        """What each call gives back, errors included."""
        results: list[str] = self.ask({"do": "run", "calls": list(calls)})
        return results

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One request, one answer; `Lost` if there is none."""
        answer = bytearray()
        try:
            self._channel.sendall(json.dumps(request).encode() + b"\n")
            while not answer.endswith(b"\n"):
                block = self._channel.recv(2**16)
                if not block or len(answer) > LONGEST:
                    break
                answer += block
        except OSError:
            answer.clear()
        if not answer.endswith(b"\n"):
            self.close()
            raise Lost(self._home.died_of(self._pid))
        return json.loads(answer)


class _Worker:
    """The process that sessions are children of, and the socket to it."""

    def __init__(self, settings: str) -> None:
        ours, theirs = socket.socketpair()
        script = str(Path(__file__).with_name("worker.py"))
        # Nothing of this process's surroundings but where programs and users are; the
        # same order of sets and the same clock zone every time.
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        surroundings = kept | {"PYTHONHASHSEED": "0", "TZ": "UTC", "PYTHONUTF8": "1"}
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", script, str(theirs.fileno()), settings],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=surroundings,
                start_new_session=True,
            )
        self._control = ours
        self.pid = process.pid
        self.close = weakref.finalize(self, _end, process, ours)
        try:
            said = json.loads(self._line())
        except OSError:
            said = {"lacks": "", "why": "the worker ended at once"}
        if said:
            self.close()
            if said["lacks"] == "mpmath":
                raise MissingExtra("eval", "BFCL's MathAPI")
            raise DataError(f"BFCL's environments do not start: {said['why']}")

    def adopt(self, channel: socket.socket) -> int:
        """Start a session on the other end of a channel; its process id."""
        socket.send_fds(self._control, [b"+"], [channel.fileno()])
        return int(self._line())

    def ended(self, pid: int) -> int:
        """The wait status of a session's process."""
        self._control.sendall(str(pid).encode())
        return int(self._line())

    def _line(self) -> str:
        line = bytearray()
        while not line.endswith(b"\n"):
            block = self._control.recv(4096)
            if not block:
                raise BrokenPipeError
            line += block
        return line.decode().strip()


def _end(process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    control.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
