"""How a run of several processes is started: arguments, refusals, configurations, templates."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from coalm.cli import app
from coalm.errors import CoalmError, RecipeError, TrainingError
from coalm.train import Fsdp, TrainSettings
from coalm.train.many import launch
from coalm.train.many.launch import Start, command_of
from coalm.train.methods import check_launcher, check_needs, fsdp_from_outside

RECIPES = Path(__file__).parents[2] / "recipes"
CONFIGS = sorted((RECIPES / "accelerate").glob("*.yaml"))
SLURM, SKY = RECIPES / "cluster/slurm.sh", RECIPES / "cluster/skypilot.yaml"


def parsed(start: Start, command: Sequence[str]) -> Any:
    """What torchrun understands."""
    from torch.distributed.run import parse_args

    return parse_args(  # type: ignore[no-untyped-call, unused-ignore]
        launch.torchrun(start, command, Path("/logs"))
    )


def test_one_machine_needs_no_meeting() -> None:
    found = parsed(Start(processes=4), ["train", "r.yaml"])
    assert (found.nnodes, found.nproc_per_node, found.standalone) == ("1", "4", True)
    assert (found.module, found.training_script) == (True, "coalm.cli")
    assert found.training_script_args == ["train", "r.yaml"]
    assert found.max_restarts == 0


def test_machines_meet_and_are_numbered_as_they_come_or_as_they_are_told() -> None:
    found = parsed(Start(8, 2, "node1:29500"), ["train", "r.yaml"])
    assert (found.rdzv_backend, found.rdzv_endpoint, found.nnodes) == ("c10d", "node1:29500", "2")
    found = parsed(Start(8, 2, "node1:29500", 1), ["train", "r.yaml"])
    assert (found.rdzv_backend, found.node_rank) == ("static", 1)
    assert (found.master_addr, found.master_port) == ("node1", 29500)


def test_any_characters_reach_the_processes() -> None:
    command = command_of(
        Path("-my recipes/é.yaml"), ["pad=<|x|> y", "lora.targets=[a, 'b c']"], None
    )
    assert parsed(Start(2), command).training_script_args == command
    result = CliRunner().invoke(app, command)
    assert "é.yaml" in str(result.exception)  # it is the recipe that is not there
    assert "no recipe '-my recipes/é.yaml'" in str(result.exception)
    assert command_of(Path("r"), (), Path("a b"))[1:3] == ["--out", "a b"]


@pytest.mark.parametrize(
    ("start", "gpus", "environment", "match"),
    [
        (Start(2), 0, {"RANK": "0"}, "RANK is set"),
        (Start(2), 0, {"TORCHELASTIC_RUN_ID": "x"}, "leave out --nproc"),
        (Start(4), 2, {}, "there are 2 GPUs"),
        (Start(2, 2), 0, {}, "needs --rdzv HOST:PORT"),
        (Start(2, 1, "", 0), 0, {}, "--node-rank is for"),
        (Start(2, 2, "h:1", 2), 0, {}, "2 machines are 0 to 1"),
        *(
            (Start(2, 2, bad), 0, {}, "is not HOST:PORT")
            for bad in ("h", "h:", ":1", "h:x", "h:70000")
        ),
        (Start(2, 2, "http://h:1"), 0, {}, "is not HOST:PORT"),
    ],
)
def test_a_start_that_cannot_be_meant_is_refused(
    start: Start, gpus: int, environment: dict[str, str], match: str
) -> None:
    with pytest.raises(RecipeError, match=match):
        launch.check(start, gpus=gpus, environment=environment)


def test_starts_that_can_be_meant_are_not() -> None:
    for start in (Start(2), Start(8, 2, "node1:29500"), Start(8, 2, "[::1]:29500", 1)):
        launch.check(start, gpus=8, environment={"PATH": "/bin"})


def test_a_plan_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("train: {data: x}")
    result = CliRunner().invoke(app, ["train", "--plan", str(tmp_path / "r.yaml"), "--nproc", "2"])
    assert isinstance(result.exception, RecipeError)
    assert "--gpus" in str(result.exception)


def failure(code: int, at: float = 0, kind: str = "", said: str = "") -> Any:
    data = {"kind": kind, "message": said, "at": at} if said else {}
    return SimpleNamespace(
        exitcode=code, error_file_data=data, timestamp=at, signal_name=lambda: "SIGKILL"
    )


def test_the_process_that_is_to_blame_is_heard() -> None:
    lost = failure(2, 1, "LostOthers", "another process has ended")
    found = launch._cause({0: lost, 1: failure(2, 2, "DataError", "no rows")})
    assert isinstance(found, TrainingError)
    assert str(found) == "no rows"
    found = launch._cause({0: lost, 1: failure(-9, 3)})
    assert "process 1 was killed (SIGKILL)" in str(found)
    found = launch._cause({0: failure(1, 5, "", "Traceback: later"), 1: failure(1, 4, "", "first")})
    assert not isinstance(found, CoalmError)
    assert str(found) == "process 1 of the run failed:\nfirst"


def test_what_stops_a_process_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "error.json"
    monkeypatch.setenv(launch.STARTED, "1")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(path))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended, launch.reported():
        raise RecipeError("no such thing")
    assert ended.value.code == 2
    assert json.loads(path.read_text())["message"] == "no such thing"
    with pytest.raises(SystemExit) as ended, launch.reported():
        raise ZeroDivisionError("ours")
    assert ended.value.code == 1
    assert "ZeroDivisionError: ours" in json.loads(path.read_text())["message"]
    assert json.loads(path.read_text())["kind"] == ""


def accelerate_environment(config: Path, *more: str) -> dict[str, str]:
    """What `accelerate launch` tells the processes of a configuration."""
    from accelerate.commands import launch as launching  # type: ignore[import-untyped, unused-ignore]
    from accelerate.utils import launch as preparing  # type: ignore[import-untyped, unused-ignore]

    given = ["--config_file", str(config), *more, "x.py"]
    found, _, _ = launching._validate_launch_command(
        launching.launch_command_parser().parse_args(given)
    )
    if found.use_deepspeed:
        return dict(preparing.prepare_deepspeed_cmd_env(found)[1])
    return dict(preparing.prepare_multi_gpu_env(found))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda p: p.stem)
def test_a_configuration_is_one_of_accelerates(config: Path) -> None:
    from accelerate.commands import launch as launching  # type: ignore[import-untyped, unused-ignore]
    from accelerate.commands.config import config_args  # type: ignore[import-untyped, unused-ignore]

    found = config_args.load_config_from_file(str(config))  # an unknown name is an error
    kind = {"ddp": "MULTI_GPU", "zero3": "DEEPSPEED"}.get(config.stem, "FSDP")
    assert found.distributed_type == kind
    known = {action.dest for action in launching.launch_command_parser()._actions}
    assert set(found.fsdp_config or {}) <= known
    assert set(found.deepspeed_config or {}) <= known
    for line in config.read_text().splitlines():  # every value says why
        assert "#" in line or re.fullmatch(r"\w+_config:", line), line


def test_the_configurations_say_what_they_promise() -> None:
    told = {config.stem: yaml.safe_load(config.read_text()) for config in CONFIGS}
    assert set(told) == {"ddp", "fsdp2", "fsdp2-qlora", "zero3"}
    for name in ("fsdp2", "fsdp2-qlora"):
        assert told[name]["fsdp_config"]["fsdp_version"] == 2
        assert told[name]["fsdp_config"]["fsdp_state_dict_type"] == "SHARDED_STATE_DICT"
    assert told["zero3"]["deepspeed_config"]["zero_stage"] == 3


def test_accelerates_configuration_and_the_recipe_do_not_contradict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = accelerate_environment(RECIPES / "accelerate/fsdp2.yaml")
    assert fsdp_from_outside(environment)
    check_launcher(TrainSettings(), environment)
    with pytest.raises(RecipeError, match="set fsdp=null"):
        check_launcher(TrainSettings(fsdp=Fsdp()), environment)
    assert not fsdp_from_outside(accelerate_environment(RECIPES / "accelerate/ddp.yaml"))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(RecipeError, match="this is one"):
        check_needs(TrainSettings(), gpu=True, processes=1)


def test_offload_needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    offloaded = TrainSettings(fsdp=Fsdp(offload=True))
    check_needs(offloaded, gpu=True, processes=2)
    with pytest.raises(RecipeError, match=r"fsdp\.offload needs a GPU"):
        check_needs(offloaded, gpu=False, processes=2)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_OFFLOAD_PARAMS", "true")
    with pytest.raises(RecipeError, match=r"fsdp\.offload needs a GPU"):
        check_needs(TrainSettings(), gpu=False, processes=2)


def test_zero3_names_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"ACCELERATE_USE_DEEPSPEED": "true"}
    monkeypatch.setattr("coalm.train.methods.find_spec", lambda name: None)
    with pytest.raises(RecipeError, match="needs the package deepspeed: pip install deepspeed"):
        check_launcher(TrainSettings(), environment)
    with pytest.raises(RecipeError, match="DeepSpeed, not FSDP"):
        check_launcher(TrainSettings(fsdp=Fsdp()), environment)


def stub(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{script}\n")
    path.chmod(0o755)


def said_by_stub(folder: Path, script: str, arguments: Sequence[str], **told: str) -> list[str]:
    """The arguments with which a shell script starts `coalm`."""
    stub(folder, "coalm", "json.dump(sys.argv[1:], open(os.environ['SEEN'], 'w'))")
    stub(folder, "scontrol", "print('node1\\nnode2')")
    stub(
        folder,
        "srun",
        "while sys.argv[1].startswith('--'): del sys.argv[1]\nos.execvp(sys.argv[1], sys.argv[1:])",
    )
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-c", script, "bash", *arguments],
        env=os.environ | told | {"PATH": path, "SEEN": str(folder / "seen")},
        check=True,
    )
    found: list[str] = json.loads((folder / "seen").read_text())
    return found


def started_by(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Start, list[str]]:
    """What our command line makes of them."""
    seen: list[tuple[Start, list[str]]] = []
    monkeypatch.setattr(launch, "run", lambda start, command: seen.append((start, command)))
    monkeypatch.setattr("torch.cuda.device_count", lambda: 8)
    monkeypatch.chdir(RECIPES.parent)
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None, result.exception
    return seen[0]


def test_the_slurm_script_starts_what_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SLURM.read_text()
    subprocess.run(["bash", "-n", str(SLURM)], check=True)
    assert set(re.findall(r"^#SBATCH --([\w-]+)", text, re.M)) >= {"requeue", "signal", "nodes"}
    job = {"SLURM_JOB_ID": "123", "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_NAME": "coalm"}
    job |= {"SLURM_JOB_NUM_NODES": "2", "SLURM_GPUS_ON_NODE": "8"}
    recipe = re.search(r"recipes/train/\S+\.yaml", text)
    assert recipe is not None
    arguments = said_by_stub(tmp_path, text, [recipe[0], "pad=a b"], **job)
    start, command = started_by(arguments, monkeypatch)
    assert start == Start(8, 2, "node1:20123")
    assert command == command_of(Path(recipe[0]), ["pad=a b"], Path("runs/coalm-123"))


SKY_FIELDS = {"name", "workdir", "num_nodes", "resources", "file_mounts", "envs", "secrets"}
SKY_FIELDS |= {"setup", "run"}
SKY_RESOURCES = {"accelerators", "use_spot", "disk_size", "job_recovery"}


def test_the_skypilot_file_starts_what_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = yaml.safe_load(SKY.read_text())
    assert set(task) == SKY_FIELDS
    assert set(task["resources"]) == SKY_RESOURCES
    assert set(task["file_mounts"]["/coalm"]) == {"name", "mode"}
    job = {"SKYPILOT_NODE_IPS": "10.0.0.1\n10.0.0.2", "SKYPILOT_NUM_GPUS_PER_NODE": "8"}
    job |= {"SKYPILOT_NUM_NODES": "2", "SKYPILOT_NODE_RANK": "1"}
    arguments = said_by_stub(tmp_path, task["run"], [], **job, **task["envs"])
    start, command = started_by(arguments, monkeypatch)
    assert start == Start(8, 2, "10.0.0.1:29500", 1)
    out = Path("/coalm/runs/llama-3.1-8b-paper")
    assert command == command_of(
        Path(task["envs"]["RECIPE"]), task["envs"]["SETTINGS"].split(), out
    )
    assert not re.search(r"recipes/(?!train|cluster)", SKY.read_text())
