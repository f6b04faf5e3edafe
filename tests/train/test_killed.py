"""Killed twenty times in a row, at any moment: the numbers are those of a run that was not."""

import json
import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm import shards, store
from coalm.recipe import resolved
from coalm.train import Lora, TrainSettings
from coalm.train.folder import last_checkpoint
from coalm.types import Assistant, Dialogue, Sample, User
from tests.tiny import tiny_model
from tests.train.test_run import call, settings

pytestmark = pytest.mark.slow

KILLS = 20


class Nursery:
    """Runs in processes that are forked from one in which everything is imported."""

    def __init__(self, cache: Path) -> None:
        self.errors = cache / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("nursery.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"COALM_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
                bufsize=0,
                start_new_session=True,
            )
        assert self.process.stdin
        assert self.process.stdout
        self.asked, self.told = self.process.stdin, self.process.stdout
        self.held = b""
        self.until("ready")

    def begin(self, wanted: TrainSettings, out: Path, **how: int) -> int:
        """Start a run; its process id."""
        given = {"stop_at": None, "change": None} | how
        line = json.dumps({"settings": resolved(wanted), "out": str(out), **given})
        self.asked.write(line.encode() + b"\n")
        return int(self.until("child").split()[1])

    def until(self, *words: str) -> str:
        """The next line that begins with one of the words."""
        while True:
            line, newline, rest = self.held.partition(b"\n")
            if not newline:
                self.held += self.read()
                continue
            self.held = rest
            if line.decode().startswith(words):
                return line.decode()

    def read(self) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self.told, selectors.EVENT_READ)
            assert selector.select(100), "nothing was said"
        read = os.read(self.told.fileno(), 65536)
        assert read, self.errors.read_text()[-3000:]
        return read

    def whole(self, wanted: TrainSettings, out: Path) -> None:
        """A run to its end."""
        self.begin(wanted, out)
        assert self.until("ended") == "ended 0", self.errors.read_text()[-3000:]

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # and a run that still waits for its kill
        self.process.wait()
        self.asked.close()
        self.told.close()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("cache"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", tied=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    samples = [
        Sample(f"{i}", "x", Dialogue((User(f"add {i}" + "." * i), Assistant(calls=(call(i),)))))
        for i in range(28)
    ]
    shards.write_samples(folder / "train-00000-of-00001.parquet", samples[:24])
    shards.write_samples(folder / "valid-00000-of-00001.parquet", samples[24:])
    store.write_json(folder / "manifest.json", {})
    return folder


WAYS: dict[str, dict[str, Any]] = {
    "lora with dropout": {
        "epochs": 5,
        "steps": None,
        "lora": Lora(rank=4, dropout=0.2),
        "answer_rows": 2,
        "answer_tokens": 32,
    },
    "packed and accumulated": {
        "method": "full",
        "neftune": 5.0,
        "lr": 1e-3,
        "packing": True,
        "max_length": 256,
        "batch": 1,
        "accumulate": 2,
        "steps": 58,
        "answer_rows": 0,
    },
}
"""Both draw numbers at each step and go over the rows several times; the second one's last step
is in the middle of an epoch."""


def several(way: str, model: Path, data: Path) -> TrainSettings:
    # Checkpoints between two lines of the log, and looks at the validation rows as well.
    return settings(model, data, **{"log_every": 3, "eval_every": 4, **WAYS[way]})


def steps(run: Path) -> int:
    return int(store.read_log(run / "metrics.jsonl")[-1]["step"])


def figures(run: Path) -> dict[str, Any]:
    """All that a run says, but for the time it took and what the machine was."""
    rows = [
        {k: v for k, v in row.items() if not k.endswith(("_runtime", "_per_second"))}
        for row in store.read_log(run / "metrics.jsonl")
    ]
    record = store.read_json(run / "run.json")
    return {
        "metrics": rows,
        "run": {name: value for name, value in record.items() if name != "revision"},
        "files": {
            str(path.relative_to(run)): store.sha256(path)
            for part in ("model", "adapter")
            for path in sorted((run / part).glob("*"))
        },
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_is_killed_twenty_times_ends_in_the_same_numbers(
    way: str, nursery: Nursery, model: Path, data: Path, tmp_path: Path
) -> None:
    wanted = several(way, model, data)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    nursery.whole(wanted, whole)
    draw = random.Random(way)
    begun: set[Path | None] = set()
    for life in range(KILLS):
        last = life >= KILLS - 4
        # It waits for its kill there: else it could be done before it was killed often enough.
        stop_at = steps(whole) + 1 if last else steps(whole) * (life + 1) // (KILLS - 3)
        child = nursery.begin(wanted, broken, stop_at=stop_at)
        wait_for_a_moment(nursery, broken, draw, last=last)
        os.kill(child, signal.SIGKILL)
        assert nursery.until("ended") == f"ended {signal.SIGKILL:d}"
        begun.add(last_checkpoint(broken))
    nursery.whole(wanted, broken)
    assert len(begun) > KILLS // 3  # it went on, rather than begin again
    assert figures(broken) == figures(whole)


def wait_for_a_moment(nursery: Nursery, run: Path, draw: random.Random, *, last: bool) -> None:
    """In the start, in a step or between two, in a checkpoint; the last ones in the end."""
    if last:
        nursery.until("note validation loss", "waiting")
        time.sleep(draw.uniform(0, 0.15))
        return
    [moment] = draw.choices(("start", "step", "checkpoint"), (1, 3, 3))
    if moment == "start":
        time.sleep(draw.uniform(0, 0.6))
        return
    for _ in range(draw.randint(1, 8)):
        if nursery.until("step", "waiting") == "waiting":
            break
    if moment == "step":
        time.sleep(draw.uniform(0, 0.04))
        return
    given_up = time.monotonic() + 0.1
    while not torn(run) and time.monotonic() < given_up:
        time.sleep(0.0005)
    time.sleep(draw.uniform(0, 0.006))


def torn(run: Path) -> bool:
    """Whether a checkpoint is being written."""
    found = (run / "checkpoints").glob("checkpoint-*")
    return any(not (path / "trainer_state.json").exists() for path in found)


def test_kills_before_changes_to_the_folder_lose_nothing(
    nursery: Nursery, model: Path, data: Path, tmp_path: Path
) -> None:
    wanted = settings(model, data, steps=8, eval_every=2, answer_rows=0)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    nursery.whole(wanted, whole)
    draw = random.Random(1)
    killed = []
    for life in range(KILLS):
        # To go on from the last checkpoint and save all takes more than fifty changes.
        nursery.begin(wanted, broken, change=draw.randint(5, 50 if life < KILLS - 6 else 75))
        said = nursery.until("before", "ended")
        if said == "ended 0":
            break
        assert nursery.until("ended") == f"ended {signal.SIGKILL:d}"
        killed.append(said.replace(f"{broken}/", ""))
    nursery.whole(wanted, broken)
    assert len(killed) >= 5
    assert any("checkpoint" in place for place in killed), killed
    assert any("model" in place for place in killed), killed
    assert figures(broken) == figures(whole), killed
