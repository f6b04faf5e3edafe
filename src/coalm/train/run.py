"""A data folder becomes a run folder, on TRL's trainer with our own encoding and mask.

The folder holds `recipe.yaml` (every setting, defaults included), `run.json` (versions,
seeds, hashes of what went in), `metrics.jsonl`, `loss.svg`, `checkpoints/` to resume from
and `model/`, the merged model at the end. It is the only thing that evaluation sees.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coalm import models, shards, store
from coalm.devices import Device, pick
from coalm.errors import DataError, MissingExtra
from coalm.formats.layouts import layout_for
from coalm.formats.tokens import open_tokenizer
from coalm.train.encoding import EncodedRows, Encoding, encode_split
from coalm.train.folder import begin, data_folder, finish, finished, inputs, last_checkpoint
from coalm.train.plot import loss_plot
from coalm.train.progress import Watch, metrics_callback
from coalm.train.settings import TrainSettings
from coalm.train.trainer import trainer_class

Note = Callable[[str], None]


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
    data = data_folder(settings)
    given = inputs(settings, data, note)
    if finished(out, given):
        return Trained(out, out / "model", fresh=False)
    _need_packages()
    begin(out, settings, given, note)
    with models.quiet():
        _train(settings, given, data, out, watch, note)
    return Trained(out, out / "model", fresh=True)


def _train(
    settings: TrainSettings,
    given: dict[str, Any],
    data: Path,
    out: Path,
    watch: Watch,
    note: Note,
) -> None:
    path = models.folder(settings.model, note)
    tokenizer = open_tokenizer(path)
    settings = replace(settings, layout=settings.layout or layout_for(tokenizer).name)
    rows = {split: _encoded(data, split, settings, path) for split in shards.SPLITS}
    _told(rows, note)
    device = pick("auto", settings.dtype)
    note(f"training on {device.describe()}")
    trainer = _trainer(settings, path, rows, device, out, watch)
    checkpoint = last_checkpoint(out)
    if checkpoint:
        note(f"going on from {checkpoint.name}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    final = trainer.evaluate() if rows["valid"].rows else {}
    if final:
        note(f"validation loss {final['eval_loss']:.3f} over {rows['valid'].rows} rows")
    _save(trainer, path, settings, out)
    if not loss_plot(out / "metrics.jsonl", out / "loss.svg"):
        note("no loss.svg: matplotlib is missing (pip install 'coalm[report]')")
    finish(out, settings, given, rows, device, final)


def _trainer(
    settings: TrainSettings,
    path: Path,
    rows: dict[str, EncodedRows],
    device: Device,
    out: Path,
    watch: Watch,
) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
    from trl import SFTConfig

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
        include_num_input_tokens_seen="non_padding",
        train_sampling_strategy="group_by_length",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=device.device != "cpu",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = trainer_class()(
        model=model,
        args=arguments,
        train_dataset=rows["train"].dataset(),
        eval_dataset=rows["valid"].dataset() if rows["valid"].rows else None,
        processing_class=AutoTokenizer.from_pretrained(path),
        peft_config=_adapter(settings),
        callbacks=[metrics_callback(out / "metrics.jsonl", watch)],
    )
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


def _encoded(data: Path, split: str, settings: TrainSettings, model: Path) -> EncodedRows:
    how = Encoding(model, settings.layout, settings.dialect, settings.rows, settings.max_length)
    limit = settings.eval_rows if split == "valid" else None
    encoded = encode_split(data, split, how, limit=limit)
    if split == "train" and not encoded.rows:
        raise DataError(f"{data}: no row of at most {settings.max_length} tokens to train on")
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


def _told(rows: dict[str, EncodedRows], note: Note) -> None:
    for part, found in rows.items():
        left = f"; {found.too_long} too long, left out" if found.too_long else ""
        note(
            f"{part}: {found.rows:,} rows, {found.tokens:,} tokens, {found.learned:,} learned{left}"
        )


def _need_packages() -> None:
    try:
        import datasets  # noqa: F401
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError:
        raise MissingExtra("train", "training") from None
