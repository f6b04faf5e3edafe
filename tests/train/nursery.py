"""A process that has imported all that training needs and forks a run for each line it is given.

Started as a script. Imports take seconds, and twenty runs that are killed would take minutes.
Out come `child PID`, then what the run says, then `ended STATUS`.
"""

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

# Imported here so that no child does it; nothing is used yet, so no thread is there to be lost.
import datasets  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import peft  # noqa: F401
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM  # noqa: F401

from coalm.recipe import build
from coalm.train import Progress, TrainSettings, train
from coalm.train.trainer import trainer_class

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "os.truncate"}


def run(settings: dict[str, Any], out: str, stop_at: int | None, change: int | None) -> NoReturn:
    """Train; wait to be killed at step `stop_at`, or be killed before a change of the folder."""

    def watch(now: Progress) -> None:
        say("step", now.step)
        if stop_at is not None and now.step >= stop_at:
            wait()

    status = 1
    try:
        if change is not None:
            kill_before(change, out)
        train(
            build(TrainSettings, settings, "test"),
            Path(out),
            watch=watch,
            note=lambda text: say("note", text),
        )
        if stop_at is not None:
            wait()
        status = 0
    finally:
        os._exit(status)


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # at once, among others' lines


def wait() -> None:
    """Until it is killed."""
    say("waiting")
    signal.pause()


def kill_before(change: int, out: str) -> None:
    """Die by SIGKILL before the change of that number, from 1, to a file or folder in `out`."""
    seen = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        written = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)
        if (written or event in CHANGES) and str(args[0]).startswith(out):
            seen += 1
            if seen == change:
                say("before", event, args[0])
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    trainer_class()
    gc.collect()
    gc.freeze()  # or each child would go through all that was imported
    say("ready")
    for line in sys.stdin:
        given = json.loads(line)
        child = os.fork()
        if child == 0:
            run(**given)
        say("child", child)
        say("ended", os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
