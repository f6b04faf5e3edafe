"""A process that has imported all that training needs and forks the two processes of a run.

Started as a script. Each line that it is given is a job: settings, folder, environment, port. The
processes find each other through a store at that port, as under torchrun, and when one ends badly
the other is killed. Out come what they say and `ended`, with the exit statuses.
"""

import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

# Imported here so that no child does it; nothing is used yet, so no thread is there to be lost.
import accelerate  # type: ignore[import-untyped, unused-ignore]  # noqa: F401
import datasets  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import peft  # noqa: F401
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM  # noqa: F401

from coalm.recipe import build
from coalm.train import TrainSettings, train, trainer
from coalm.train.trainer import trainer_class

WORLD = 2


def run(job: dict[str, Any], rank: int) -> NoReturn:
    """One of the processes."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": WORLD, "LOCAL_WORLD_SIZE": WORLD}
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": job["port"]}
    store = {"TORCHELASTIC_USE_AGENT_STORE": True, "TORCHELASTIC_RESTART_COUNT": 0}
    every = told | where | store | job["environment"]
    os.environ |= {name: str(value) for name, value in every.items()}
    if job["spoiled"] == rank:
        spoil()
    status = 1
    try:
        train(
            build(TrainSettings, job["settings"], "test"),
            Path(job["out"]),
            watch=lambda _: None,
            note=lambda text: say("note", rank, text),
        )
        status = 0
    except Exception as e:
        say("error", rank, type(e).__name__, " ".join(str(e).split()))
        traceback.print_exc()
    finally:
        os._exit(status)


def spoil() -> None:
    """Let the loss of this process's fourth batch be no number."""
    whole, calls = trainer._total_loss, iter(range(1, 1000))

    def spoiled(*args: Any) -> Any:
        total, count, outputs = whole(*args)
        return (total * float("nan") if next(calls) == 4 else total), count, outputs

    trainer._total_loss = spoiled  # type: ignore[assignment]


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # at once, among others' lines


def main() -> None:
    trainer_class()
    gc.collect()
    gc.freeze()  # or each child would go through all that was imported
    say("ready")
    for line in sys.stdin:
        job = json.loads(line)
        children = {}
        for rank in range(WORLD):
            child = os.fork()
            if child == 0:
                run(job, rank)
            children[child] = rank
        statuses = [0] * WORLD
        while children:
            ended, raw = os.wait()
            statuses[children.pop(ended)] = os.waitstatus_to_exitcode(raw)
            if raw:
                for other in children:
                    os.kill(other, signal.SIGKILL)
        say("ended", json.dumps(statuses))


if __name__ == "__main__":
    main()
