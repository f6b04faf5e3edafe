"""The folder of a training run: what it is of, how far it is, what it leaves behind."""

import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coalm import models, recipe, shards, store
from coalm.devices import Device
from coalm.errors import DataError, RecipeError
from coalm.train.looks.answers import Answers
from coalm.train.looks.best import Kept
from coalm.train.many import processes
from coalm.train.rows.encoding import EncodedRows
from coalm.train.rows.feeding import Fed
from coalm.train.settings import TrainSettings

Note = Callable[[str], None]

_REPORTED = ("coalm", "torch", "transformers", "trl", "peft", "accelerate", "datasets")


def data_folder(settings: TrainSettings) -> Path:
    """The data folder of a run; an error says which of its files is missing."""
    if not settings.data:
        raise RecipeError("no data folder; set train.data or build the recipe's own data first")
    folder = Path(settings.data)
    for split in shards.SPLITS:
        shards.shards(folder, split)
    return folder


def inputs(settings: TrainSettings, data: Path, note: Note) -> dict[str, Any]:
    """What decides the result: the settings, the data and the first model, by hash."""
    path = models.folder(settings.model, note)
    return {
        "settings": _decisive(settings),
        "data": {p.name: store.sha256(p) for p in sorted(data.glob("*.parquet"))},
        "model": models.identity(settings.model, path),
    }


def _decisive(settings: TrainSettings) -> dict[str, Any]:
    """The settings without those that say how a step's rows are shared out, but with their number.

    On other devices, or fewer, it is the same run, and goes on from its checkpoints.
    """
    plain = recipe.resolved(settings)
    for name in ("batch", "accumulate", "global_batch", "fsdp"):
        del plain[name]
    devices = processes.count()
    return plain | {"step_rows": settings.batch * settings.accumulated(devices) * devices}


def finished(out: Path, inputs: dict[str, Any]) -> bool:
    """Whether the folder holds the finished run of exactly these inputs."""
    path = out / "run.json"
    whole = path.exists() and (out / "model" / "config.json").exists()
    return whole and bool(store.read_json(path).get("inputs") == inputs)


def begin(out: Path, settings: TrainSettings, inputs: dict[str, Any], note: Note) -> None:
    """Write down what this run is; checkpoints of another run are not gone on from."""
    import yaml

    begun = out / "begun.json"
    if begun.exists() and store.read_json(begun) != inputs:
        note("the settings, the data or the model have changed: training anew")
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
        (out / "metrics.jsonl").unlink(missing_ok=True)
    (out / "run.json").unlink(missing_ok=True)
    store.write_json(begun, inputs)
    text = yaml.safe_dump({"train": recipe.resolved(settings)}, sort_keys=False)
    store.write_text(out / "recipe.yaml", text)


def finish(
    out: Path,
    settings: TrainSettings,
    inputs: dict[str, Any],
    rows: dict[str, EncodedRows],
    fed: dict[str, Fed],
    device: Device,
    kept: Kept,
    answers: Answers | None,
) -> None:
    """Write `run.json`, last: its presence says that the run is finished."""
    record = {
        "inputs": inputs,
        "layout": settings.layout,
        "rows": {part: r.rows for part, r in rows.items()},
        "tokens": {part: r.tokens for part, r in rows.items()},
        "learned_tokens": {part: r.learned for part, r in rows.items()},
        "shortened": {part: r.shortened for part, r in rows.items()},
        "left_out_too_long": {part: r.too_long for part, r in rows.items()},
        "padding": {part: round(f.padding, 4) for part, f in fed.items()},
        **kept.record(),
        "questions": answers.asked.counts if answers else {},
        "device": device.describe(),
        "processes": processes.count(),
        "revision": _revision(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _REPORTED},
    }
    store.write_json(out / "run.json", record)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)


def last_checkpoint(out: Path) -> Path | None:
    """The latest checkpoint that was written whole."""
    found = sorted(
        (p for p in (out / "checkpoints").glob("checkpoint-*") if _is_whole(p)),
        key=lambda p: int(p.name.rpartition("-")[2]),
    )
    return found[-1] if found else None


def _is_whole(checkpoint: Path) -> bool:
    # The trainer writes its state last, after weights, optimizer, scheduler and seeds.
    try:
        state = store.read_json(checkpoint / "trainer_state.json")
        return isinstance(state, dict) and "global_step" in state
    except DataError:
        return False


def _revision() -> str:
    """The git revision of a checkout; empty where the package was installed without one."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
