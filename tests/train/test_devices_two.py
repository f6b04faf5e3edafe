"""Two processes on this machine's CPU, over gloo: the same run as one process, to rounding."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from coalm import shards, store
from coalm.recipe import resolved
from coalm.train import Fsdp, Lora, TrainSettings
from coalm.train.folder import last_checkpoint
from coalm.types import Assistant, Dialogue, Sample, User
from tests.tiny import tiny_model
from tests.train.test_launch import accelerate_environment
from tests.train.test_run import call, losses, run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CLOSE = 2e-5
"""How far two losses of the same rows may be apart: sums in another order."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of many lengths, and so many that neither steps nor processes divide them."""
    folder = tmp_path_factory.mktemp("data")
    samples = [
        Sample(
            f"x/{i}",
            "x",
            Dialogue(
                (User(f"add {i}" + "." * (7 * i % 31)), Assistant(calls=(call(10 ** (i % 9)),)))
            ),
        )
        for i in range(26)
    ]
    shards.write_samples(folder / "train-00000-of-00001.parquet", samples[:21])
    shards.write_samples(folder / "valid-00000-of-00001.parquet", samples[21:])
    store.write_json(folder / "manifest.json", {})
    return folder


@pytest.fixture(scope="module")
def wanted(model: Path, data: Path) -> dict[str, Any]:
    return {
        "data": str(data),
        "model": str(model),
        "method": "full",
        "lora": Lora(rank=4),
        "epochs": 2,
        "batch": 2,
        "global_batch": 8,
        "lr": 1e-2,
        "dtype": "fp32",
        "log_every": 1,
        "save_every": 2,
    }


@pytest.fixture(scope="module")
def single(wanted: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process with every weight trained."""
    return whole(wanted, tmp_path_factory.mktemp("single"))


def whole(given: dict[str, Any], out: Path) -> Path:
    run(TrainSettings(**given), out)
    return out


class Pair:
    """Runs of two processes, one after another, from one process that holds the imports."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("pair.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._next() == "ready"

    def _next(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that holds the imports has died"
        return line.rstrip("\n")

    def run(
        self,
        given: dict[str, Any],
        out: Path,
        environment: dict[str, str] | None = None,
        spoiled: int | None = None,
    ) -> tuple[list[int], list[str]]:
        """The exit statuses of the two, and what was said."""
        from torch.distributed import TCPStore  # type: ignore[attr-defined, unused-ignore]

        meeting = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        job = {
            "settings": resolved(TrainSettings(**given)),
            "out": str(out),
            "environment": environment or {},
            "port": meeting.port,
            "spoiled": spoiled,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        said = []
        while not (line := self._next()).startswith("ended "):
            said.append(line)
        return json.loads(line.removeprefix("ended ")), said

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    found = Pair()
    yield found
    found.close()


def test_ddp_is_the_run_of_one_process(
    wanted: dict[str, Any], single: Path, pair: Pair, tmp_path: Path
) -> None:
    statuses, said = pair.run(wanted, tmp_path)
    assert statuses == [0, 0]
    same(tmp_path, single)
    # The first process speaks and writes for both.
    assert all(line.startswith("note 0 ") for line in said if not line.startswith("["))
    steps = [row["step"] for row in store.read_log(tmp_path / "metrics.jsonl") if "loss" in row]
    assert steps == list(range(1, 7))
    assert store.read_json(tmp_path / "run.json")["processes"] == 2
    # The same run, finished: nobody trains it again, be they two or one.
    before = (tmp_path / "metrics.jsonl").read_bytes()
    assert pair.run(wanted, tmp_path)[0] == [0, 0]
    assert not run(TrainSettings(**wanted), tmp_path)[0].fresh
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_fsdp2_is_the_run_of_one_process(
    wanted: dict[str, Any], single: Path, pair: Pair, tmp_path: Path
) -> None:
    assert pair.run(wanted | {"fsdp": Fsdp()}, tmp_path)[0] == [0, 0]
    same(tmp_path, single)


def test_adapters_are_the_same_too(wanted: dict[str, Any], pair: Pair, tmp_path: Path) -> None:
    given = wanted | {"method": "lora"}
    one = whole(given, tmp_path / "one")
    for name, fsdp in (("ddp", None), ("fsdp", Fsdp())):
        assert pair.run(given | {"fsdp": fsdp}, tmp_path / name)[0] == [0, 0]
        same(tmp_path / name, one)
        assert (tmp_path / name / "adapter/adapter_model.safetensors").exists()


def test_packed_rows_are_dealt_out_too(wanted: dict[str, Any], pair: Pair, tmp_path: Path) -> None:
    given = wanted | {"packing": True, "max_length": 220, "global_batch": 4, "batch": 1}
    one = whole(given, tmp_path / "one")
    assert pair.run(given, tmp_path / "two")[0] == [0, 0]
    same(tmp_path / "two", one)


def test_a_loss_that_is_no_number_in_one_process_stops_both(
    wanted: dict[str, Any], pair: Pair, tmp_path: Path
) -> None:
    statuses, said = pair.run(wanted, tmp_path, spoiled=1)
    assert 0 not in statuses
    told = [line for line in said if line.startswith("error 0 ")]
    assert "TrainingError the training loss of step 2 is not a finite number" in told[0]
    stopped = store.read_json(tmp_path / "stopped.json")
    assert len(stopped["rows"]) == 2  # of the one process that saw it
    assert len(set(stopped["rows"])) == 2
    assert None not in stopped["rows"]


def test_a_run_under_fsdp_goes_on_from_a_checkpoint_without_it(
    wanted: dict[str, Any], single: Path, pair: Pair, tmp_path: Path
) -> None:
    with pytest.raises(Stopped):
        run(TrainSettings(**wanted), tmp_path, stop_after(4))
    statuses, said = pair.run(wanted | {"fsdp": Fsdp()}, tmp_path)
    assert statuses == [0, 0]
    assert "note 0 going on from checkpoint-2" in said
    same(tmp_path, single)


class Stopped(Exception):
    pass


def stop_after(step: int) -> Any:
    def watch(now: Any) -> None:
        if now.step == step:
            raise Stopped

    return watch


def recipe(given: dict[str, Any], folder: Path) -> Path:
    path = folder / "a recipe's.yaml"  # a name that a shell would take apart
    settings = resolved(TrainSettings(**given))
    path.write_text(yaml.safe_dump({"train": settings}), encoding="utf-8")
    return path


def children(process: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def number(process: int) -> int:
    told = Path(f"/proc/{process}/environ").read_text().split("\0")
    return int(next((line[5:] for line in told if line.startswith("RANK=")), "-1"))


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_a_killed_process_ends_the_run_and_one_process_finishes_it(
    wanted: dict[str, Any], tmp_path: Path
) -> None:
    """FSDP2's checkpoint, written in two parts, is gone on from by one process without FSDP."""
    given = wanted | {"epochs": 30, "save_every": 5, "lr": 1e-3}
    out = tmp_path / "out"
    path = recipe(given, tmp_path)
    command = ["coalm.cli", "train", str(path), "fsdp={}", "--out", str(out), "--nproc", "2"]
    process = start(command)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("step 10 "):
            os.kill(next(p for p in children(process.pid) if number(p) == 1), signal.SIGKILL)
    process.stdout.close()
    assert process.wait() == 2, said
    [told] = [line for line in said if line.startswith("coalm: ")]
    assert "process 1 was killed (SIGKILL)" in told
    assert not any("Traceback" in line for line in said)
    kept = last_checkpoint(out)
    assert kept is not None
    assert (kept / "pytorch_model_fsdp_0").is_dir()
    assert not (kept / "model.safetensors").exists()
    _, notes = run(TrainSettings(**given), out)
    assert f"going on from {kept.name}" in notes
    same(out, whole(given, tmp_path / "whole"))


def test_what_is_wrong_in_the_first_process_is_said_once(
    wanted: dict[str, Any], data: Path, tmp_path: Path
) -> None:
    given = wanted | {"max_length": 3}
    command = ["coalm.cli", "train", str(recipe(given, tmp_path)), "--nproc", "2"]
    process = start([*command, "--out", str(tmp_path / "out")])
    said, _ = process.communicate()
    assert process.returncode == 2
    assert said.splitlines() == [f"coalm: {data}: no row of at most 3 tokens to train on"]


def test_a_shipped_configuration_of_accelerate_starts_it(
    wanted: dict[str, Any], single: Path, tmp_path: Path
) -> None:
    config = ROOT / "recipes/accelerate/fsdp2.yaml"
    launch = ["accelerate.commands.launch", "--config_file", str(config), "--num_processes", "2"]
    meeting = ["--main_process_port", "0"]
    command = ["-m", "coalm.cli", "train", str(recipe(wanted, tmp_path))]
    process = start([*launch, *meeting, *command, "--out", str(tmp_path / "out")])
    said, _ = process.communicate()
    assert process.returncode == 0, said
    same(tmp_path / "out", single)


@pytest.mark.parametrize(("name", "method"), [("ddp", "full"), ("fsdp2-qlora", "lora")])
def test_the_other_configurations_train_too(
    name: str, method: str, wanted: dict[str, Any], pair: Pair, tmp_path: Path
) -> None:
    told = accelerate_environment(ROOT / f"recipes/accelerate/{name}.yaml")
    ours = {n: value for n, value in told.items() if n.startswith(("ACCELERATE_", "FSDP_"))}
    ours |= {"FSDP_OFFLOAD_PARAMS": "false"}  # there is nothing to take them away from
    given = wanted | {"method": method, "epochs": 1}
    one = whole(given, tmp_path / "one")
    assert pair.run(given, tmp_path / "two", environment=ours)[0] == [0, 0]
    same(tmp_path / "two", one)


def same(found: Path, expected: Path) -> None:
    """Loss curves, validation losses, tokens seen and models are equal, to rounding."""
    from safetensors.torch import load_file

    ours, theirs = losses(found), losses(expected)
    assert [step for step, _ in ours] == [step for step, _ in theirs]
    for (step, one), (_, other) in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=CLOSE), step
    record, other = (store.read_json(run / "run.json") for run in (found, expected))
    assert record["inputs"] == other["inputs"]
    assert record["validation_loss"] == pytest.approx(other["validation_loss"], abs=CLOSE)
    seen = [store.read_log(run / "metrics.jsonl")[-1] for run in (found, expected)]
    assert seen[0]["num_input_tokens_seen"] == seen[1]["num_input_tokens_seen"]
    weights = [load_file(run / "model/model.safetensors") for run in (found, expected)]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        assert (value - weights[1][name]).abs().max() < 2e-3, name
