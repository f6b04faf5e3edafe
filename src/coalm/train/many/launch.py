"""One command becomes a run of several processes, started and watched by PyTorch's torchrun.

torchrun starts the same command once a device, tells each its number, and ends them all when one
ends badly. What stopped a process comes back through a file, so that it is said once.
"""

import json
import logging
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.crew import cores
from coalm.errors import CoalmError, RecipeError, TrainingError
from coalm.train.many.processes import LostOthers

STARTED = "COALM_STARTED_BY"
"""Set in the processes that `run` starts."""
_LAUNCHERS = ("RANK", "LOCAL_RANK", "TORCHELASTIC_RUN_ID")
_FOUND_AT = "coalm"
"""What the machines of a run ask for where they meet."""


@dataclass(frozen=True, slots=True)
class Start:
    """How many processes, and where."""

    processes: int = 1
    """On each machine."""
    machines: int = 1
    meeting: str = ""
    """HOST:PORT of one of the machines, where all of them meet; needed for more than one."""
    machine: int | None = None
    """This one's number, from 0; None lets them be numbered as they come."""


def check(start: Start, *, gpus: int, environment: Mapping[str, str]) -> None:
    """A `RecipeError` for a start that cannot be meant on this machine."""
    told = next((name for name in _LAUNCHERS if name in environment), None)
    if told:
        raise RecipeError(
            f"--nproc under another launcher ({told} is set), which has started the processes; "
            "leave out --nproc, --nnodes and --rdzv"
        )
    if gpus and start.processes > gpus:
        raise RecipeError(f"--nproc {start.processes}: there are {gpus} GPUs, a process for each")
    if start.machines > 1 and not start.meeting:
        raise RecipeError(
            f"--nnodes {start.machines} needs --rdzv HOST:PORT, the same on every machine: one of "
            "them, and a port that is free there"
        )
    if start.machine is not None and not start.meeting:
        raise RecipeError("--node-rank is for --nnodes with --rdzv")
    if start.machine is not None and start.machine >= start.machines:
        raise RecipeError(
            f"--node-rank {start.machine}: {start.machines} machines are 0 to {start.machines - 1}"
        )
    if start.meeting:
        _address(start.meeting)


def torchrun(start: Start, command: Sequence[str], logs: Path) -> list[str]:
    """The arguments of torchrun that start `coalm COMMAND` in each process."""
    how = [f"--nnodes={start.machines}", f"--nproc-per-node={start.processes}"]
    if not start.meeting:
        # The name of a machine is not always known to itself.
        how += ["--standalone", "--local-addr=127.0.0.1"]
    elif start.machine is None:
        how += ["--rdzv-backend=c10d", f"--rdzv-endpoint={start.meeting}", f"--rdzv-id={_FOUND_AT}"]
    else:
        host, port = _address(start.meeting)
        how += [f"--node-rank={start.machine}", f"--master-addr={host}", f"--master-port={port}"]
    return [*how, f"--log-dir={logs}", "--module", "coalm.cli", *command]


def run(start: Start, command: Sequence[str]) -> None:
    """Start `coalm COMMAND` in every process and wait; what stopped the first is raised here."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args
    from torch.distributed.run import run as run_torchrun

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("torch.distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # we say it, and once
    os.environ[STARTED] = str(os.getpid())
    # Else torchrun gives each one thread, and a warning.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // start.processes)))
    with tempfile.TemporaryDirectory(prefix="coalm-run-") as logs:
        try:
            given = parse_args(torchrun(start, command, Path(logs)))  # type: ignore[no-untyped-call, unused-ignore]
            run_torchrun(given)  # type: ignore[no-untyped-call, unused-ignore]
        except ChildFailedError as e:
            raise _cause(e.failures) from None
        except SignalException:
            raise KeyboardInterrupt from None
        finally:
            del os.environ[STARTED]


@contextmanager
def reported() -> Iterator[None]:
    """In a process that `run` started: what stops it is written down for `run`, and it ends."""
    if STARTED not in os.environ:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is answered by `run` alone
    try:
        yield
    except Exception as e:
        mine = isinstance(e, CoalmError)
        said = {
            "message": str(e) if mine else traceback.format_exc(),
            "kind": type(e).__name__ if mine else "",
            "timestamp": str(int(time.time())),  # torchrun reads it
            "at": time.time(),
        }
        Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps(said), encoding="utf-8")
        raise SystemExit(2 if mine else 1) from None


def _cause(failures: Mapping[int, Any]) -> Exception:
    """The error to raise for the processes that failed: of the one that was first to blame."""
    number, failure = min(failures.items(), key=lambda item: _blame(item[1]))
    said = failure.error_file_data
    if said.get("kind"):
        return TrainingError(said["message"])
    if failure.exitcode < 0:
        return TrainingError(
            f"process {number} was killed ({failure.signal_name()}), which ended the run; the same "
            "command goes on from the last checkpoint"
        )
    text = said.get("message") or f"it ended with exit status {failure.exitcode}"
    return RuntimeError(f"process {number} of the run failed:\n{text}")


def _blame(failure: Any) -> tuple[int, float]:
    """Ranks failures: what a person can mend, then kills and crashes, then their consequences."""
    said = failure.error_file_data
    kind = said.get("kind")
    rank = 2 if kind == LostOthers.__name__ else 0 if kind else 1
    return rank, float(said.get("at", failure.timestamp))


def _address(meeting: str) -> tuple[str, int]:
    host, colon, port = meeting.rpartition(":")
    if not (colon and host and port.isdigit() and 0 < int(port) < 65536) or "/" in host:
        raise RecipeError(f"--rdzv {meeting!r} is not HOST:PORT, such as node1:29500")
    return host.strip("[]"), int(port)


def command_of(recipe: Path, overrides: Sequence[str], out: Path | None) -> list[str]:
    """`coalm train` with these, for a process of the run; any characters are kept."""
    where = [] if out is None else ["--out", str(out)]
    return ["train", *where, "--", str(recipe), *overrides]
