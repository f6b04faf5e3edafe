"""A data folder becomes a run folder, on TRL's trainer with our own encoding and mask.

The folder holds `recipe.yaml` (every setting, defaults included), `run.json` (versions,
seeds, hashes of what went in), `metrics.jsonl`, `loss.svg`, `checkpoints/` to resume from
and `model/`, the merged model at the end. It is the only thing that evaluation sees.
"""

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import models, recipe, store
from coalm.devices import Device, pick
from coalm.errors import DataError, MissingExtra, RecipeError
from coalm.formats.layouts import layout_for
from coalm.formats.tokens import open_tokenizer
from coalm.train.encoding import EncodedRows, encode_samples
from coalm.train.plot import loss_plot
from coalm.train.progress import Watch, metrics_callback
from coalm.train.settings import TrainSettings

if TYPE_CHECKING:
    from datasets import Dataset

Note = Callable[[str], None]

_REPORTED = ("coalm", "torch", "transformers", "trl", "peft", "accelerate", "datasets")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run left behind."""

    folder: Path
    model: Path
    """The merged model, ready for any command that takes `--model`."""
    fresh: bool
    """False if the run had already been finished before."""


def train(settings: TrainSettings, out: Path, *, watch: Watch, note: Note) -> Trained:
    """Train, or go on where a killed run stopped, or find that the run is finished."""
    _need_packages()
    _quiet()
    data = _data_folder(settings)
    inputs = _inputs(settings, data, note)
    if _finished(out, inputs):
        return Trained(out, out / "model", fresh=False)
    _begin(out, settings, inputs, note)
    path = models.folder(settings.model, note)
    tokenizer = open_tokenizer(path)
    settings = replace(settings, layout=settings.layout or layout_for(tokenizer).name)
    rows = {
        part: _encoded(data / f"{part}.parquet", settings, tokenizer) for part in ("train", "valid")
    }
    _told(rows, note)
    device = pick("auto", settings.dtype)
    note(f"training on {device.describe()}")
    trainer = _trainer(settings, path, rows, device, out, watch)
    checkpoint = _last_checkpoint(out)
    if checkpoint:
        note(f"going on from {checkpoint.name}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    final = trainer.evaluate() if rows["valid"].rows else {}
    if final:
        note(f"validation loss {final['eval_loss']:.3f} over {len(rows['valid'].rows)} rows")
    _save(trainer, path, settings, out)
    loss_plot(out / "metrics.jsonl", out / "loss.svg")
    _finish(out, settings, inputs, rows, device, final)
    return Trained(out, out / "model", fresh=True)


def _trainer(
    settings: TrainSettings,
    path: Path,
    rows: dict[str, EncodedRows],
    device: Device,
    out: Path,
    watch: Watch,
) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    model = models.load(AutoModelForCausalLM, path, device.dtype)
    arguments = SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulate,
        num_train_epochs=settings.epochs,
        max_steps=settings.steps or -1,
        learning_rate=settings.lr,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        activation_checkpointing=settings.checkpointing,
        bf16=device.bf16,
        use_cpu=device.device == "cpu",
        seed=settings.seed,
        data_seed=settings.seed,
        logging_steps=settings.log_every,
        logging_first_step=True,
        eval_strategy="steps" if settings.eval_every else "no",
        eval_steps=settings.eval_every or None,
        save_steps=settings.save_every,
        save_total_limit=2,
        train_sampling_strategy="group_by_length",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=device.device != "cpu",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=_dataset(rows["train"]),
        eval_dataset=_dataset(rows["valid"]) if rows["valid"].rows else None,
        processing_class=AutoTokenizer.from_pretrained(path),
        peft_config=_adapter(settings),
        callbacks=[metrics_callback(out / "metrics.jsonl", watch)],
    )
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


def _adapter(settings: TrainSettings) -> Any:
    if settings.lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules=list(settings.lora.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def _dataset(rows: EncodedRows) -> "Dataset":
    from datasets import Dataset

    return Dataset.from_dict(rows.columns())


def _encoded(path: Path, settings: TrainSettings, tokenizer: Any) -> EncodedRows:
    samples = list(store.read_samples(path))
    if path.stem == "valid":
        samples = samples[: settings.eval_rows]
    encoded = encode_samples(
        samples,
        tokenizer,
        layout=settings.layout,
        dialect=settings.dialect,
        rows=settings.rows,
        longest=settings.max_length,
    )
    if path.stem == "train" and not encoded.rows:
        raise DataError(f"{path}: no row of at most {settings.max_length} tokens to train on")
    return encoded


def _save(trainer: Any, base: Path, settings: TrainSettings, out: Path) -> None:
    """The merged model, the base's tokenizer files and what format it was trained in."""
    model = trainer.model
    merged = model.merge_and_unload() if settings.lora is not None else model
    draft = out / ".model.part"
    shutil.rmtree(draft, ignore_errors=True)
    merged.save_pretrained(draft)
    for file in base.iterdir():
        if file.name.startswith("tokenizer") or file.suffix == ".jinja":
            shutil.copyfile(file, draft / file.name)
    form = {"layout": settings.layout, "dialect": settings.dialect, "rows": settings.rows}
    store.write_json(draft / "coalm-format.json", form)
    shutil.rmtree(out / "model", ignore_errors=True)
    draft.replace(out / "model")


# --- the run folder -----------------------------------------------------------------------


def _data_folder(settings: TrainSettings) -> Path:
    if not settings.data:
        raise RecipeError("no data folder; set train.data or build the recipe's own data first")
    folder = Path(settings.data)
    for name in ("train.parquet", "valid.parquet", "manifest.json"):
        if not (folder / name).exists():
            raise DataError(
                f"{folder} has no {name}; build it with: coalm data build RECIPE --out {folder}"
            )
    return folder


def _inputs(settings: TrainSettings, data: Path, note: Note) -> dict[str, Any]:
    """What decides the result: the settings, the data and the first model, by hash."""
    path = models.folder(settings.model, note)
    return {
        "settings": recipe.resolved(settings),
        "data": {p.name: store.sha256(p) for p in sorted(data.glob("*.parquet"))},
        "model": models.identity(settings.model, path),
    }


def _finished(out: Path, inputs: dict[str, Any]) -> bool:
    path = out / "run.json"
    return path.exists() and store.read_json(path).get("inputs") == inputs


def _begin(out: Path, settings: TrainSettings, inputs: dict[str, Any], note: Note) -> None:
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


def _finish(
    out: Path,
    settings: TrainSettings,
    inputs: dict[str, Any],
    rows: dict[str, EncodedRows],
    device: Device,
    final: dict[str, float],
) -> None:
    record = {
        "inputs": inputs,
        "layout": settings.layout,
        "rows": {part: len(r.rows) for part, r in rows.items()},
        "tokens": {part: r.tokens for part, r in rows.items()},
        "learned_tokens": {part: r.learned for part, r in rows.items()},
        "left_out_too_long": {part: r.too_long for part, r in rows.items()},
        "validation_loss": final.get("eval_loss"),
        "device": device.describe(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _REPORTED},
    }
    store.write_json(out / "run.json", record)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)


def _last_checkpoint(out: Path) -> Path | None:
    """The latest checkpoint that was written whole."""
    found = sorted(
        (p for p in (out / "checkpoints").glob("checkpoint-*") if _is_whole(p)),
        key=lambda p: int(p.name.rpartition("-")[2]),
    )
    return found[-1] if found else None


def _is_whole(checkpoint: Path) -> bool:
    # The trainer writes its state last, after weights, optimizer, scheduler and seeds.
    try:
        return "global_step" in store.read_json(checkpoint / "trainer_state.json")
    except DataError:
        return False


def _told(rows: dict[str, EncodedRows], note: Note) -> None:
    for part, found in rows.items():
        left = f"; {found.too_long} too long, left out" if found.too_long else ""
        note(
            f"{part}: {len(found.rows):,} rows, {found.tokens:,} tokens, "
            f"{found.learned:,} learned{left}"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _need_packages() -> None:
    try:
        import datasets  # noqa: F401
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError:
        raise MissingExtra("train", "training") from None


def _quiet() -> None:
    """Keep the libraries' own bars and chatter out of our progress."""
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
