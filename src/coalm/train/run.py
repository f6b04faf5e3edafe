"""A data folder becomes a run folder, on TRL's trainer with our own encoding and mask.

The folder holds `recipe.yaml` (every setting, defaults included), `run.json` (versions,
seeds, hashes of what went in), `metrics.jsonl`, `loss.svg`, `checkpoints/` to resume from
and `model/`, the merged model at the end. It is the only thing that evaluation sees.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coalm import models, shards
from coalm.devices import Device, pick
from coalm.errors import DataError, MissingExtra, RecipeError
from coalm.formats.layouts import layout_for
from coalm.formats.tokens import open_tokenizer
from coalm.train import methods
from coalm.train.alone import alone
from coalm.train.arguments import arguments
from coalm.train.failures import explained, write_stopped
from coalm.train.folder import begin, data_folder, finish, finished, inputs, last_checkpoint
from coalm.train.looks.answers import answers_for
from coalm.train.looks.best import Kept, keep, patience
from coalm.train.many import processes
from coalm.train.plot import loss_plot
from coalm.train.progress import Watch, figures, metrics_callback, place_trackers
from coalm.train.rows.encoding import EncodedRows, Encoding, encode_split
from coalm.train.rows.feeding import Fed, collator, feed
from coalm.train.saved import save
from coalm.train.settings import TrainSettings
from coalm.train.trainer import NotFinite, trainer_class
from coalm.train.trimming import trimming

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
    first = processes.is_first()
    watch, note = (watch, note) if first else (_silent, _silent)
    data = data_folder(settings)
    if not (out / "run.json").exists():  # before a model of many gigabytes is fetched in vain
        _need_all(settings)
    with processes.together():
        given = processes.share(inputs(settings, data, note) if first else {})
        if processes.share(first and finished(out, given)):
            return Trained(out, out / "model", fresh=False)
        _need_all(settings)
        with alone(out) if first else nullcontext():
            if first:
                begin(out, settings, given, note)
            with models.quiet():
                _train(settings, given, data, out, watch, note)
    return Trained(out, out / "model", fresh=True)


def _silent(_: object) -> None:
    pass


def _train(
    settings: TrainSettings,
    given: dict[str, Any],
    data: Path,
    out: Path,
    watch: Watch,
    note: Note,
) -> None:
    with processes.in_turn():
        path = models.folder(settings.model, note)
    tokenizer = open_tokenizer(path)
    settings = replace(settings, layout=settings.layout or layout_for(tokenizer).name)
    if settings.pad and not tokenizer.knows(settings.pad):
        raise RecipeError(f"train: pad: {path} has no token {settings.pad!r}")
    with processes.in_turn():
        rows = {split: _encoded(data, split, settings, path) for split in shards.SPLITS}
        fed = {
            split: feed(found, settings, looked_at=split != "train")
            for split, found in rows.items()
        }
    for split, found in rows.items():
        note(f"{split}: {found.describe()}; {fed[split].describe()}")
    if settings.eval_every and not rows["valid"].rows:
        raise DataError(f"{data}: there are no validation rows to look at; set eval_every=0")
    samples = shards.read_split(data, "valid")
    answers = answers_for(settings, _encoding(settings, path), tokenizer, samples, note)
    device = pick("auto", settings.dtype)
    note(f"training on {device.describe()}")
    with explained(settings, out, path):
        trainer = _trainer(settings, path, fed, device, out, watch, note)
        trainer.answers, trainer.saves_best = answers, settings.keep == "best"
        _steps(trainer, settings, rows, out, note)
        kept = keep(trainer, settings, path, out)
        _tell(kept, rows, note)
        save(trainer, path, settings, out)
    if not processes.is_first():
        return
    if not loss_plot(out / "metrics.jsonl", out / "loss.svg"):
        note("no loss.svg: matplotlib is missing (pip install 'coalm[report]')")
    finish(out, settings, given, rows, fed, device, kept, answers)


def _steps(
    trainer: Any, settings: TrainSettings, rows: dict[str, EncodedRows], out: Path, note: Note
) -> None:
    """Take the steps that are left, and look at the validation rows after the last."""
    checkpoint = processes.share(last_checkpoint(out))
    if checkpoint:
        note(f"going on from {checkpoint.name}")
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if rows["valid"].rows and not settings.eval_every:  # else it was looked at as a step is
            trainer.evaluate()
    except NotFinite as e:
        split = "valid" if e.what.startswith("validation") else "train"
        texts = [trainer.processing_class.decode(row) for row in e.rows]
        if processes.is_first():
            write_stopped(e, out, rows[split].dataset(), texts)
        raise


def _tell(kept: Kept, rows: dict[str, EncodedRows], note: Note) -> None:
    if kept.figures:
        note(figures(kept.figures, f" over {rows['valid'].rows} rows"))
    if kept.by or kept.stopped:
        note(kept.describe())


def _trainer(
    settings: TrainSettings,
    path: Path,
    rows: dict[str, Fed],
    device: Device,
    out: Path,
    watch: Watch,
    note: Note,
) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback

    with methods.loaded_once(settings):
        model = models.load(
            AutoModelForCausalLM,
            path,
            torch.float32 if settings.master else device.dtype,
            attention=methods.attention(settings),
            quantization_config=methods.quantisation(settings),
        )
    methods.check_targets(model, settings)
    wraps = methods.layer_classes(model, settings)
    tokenizer = AutoTokenizer.from_pretrained(path)
    tokenizer.pad_token = settings.pad or tokenizer.pad_token or tokenizer.eos_token
    trainer = trainer_class()(
        model=model,
        args=arguments(settings, device, out, processes=processes.count(), wraps=wraps),
        train_dataset=rows["train"].dataset,
        eval_dataset=rows["valid"].dataset if len(rows["valid"].dataset) else None,
        processing_class=tokenizer,
        data_collator=collator(settings, tokenizer.pad_token_id),
        peft_config=methods.adapter(settings),
        callbacks=[
            metrics_callback(out / "metrics.jsonl", watch, note),
            *patience(settings),
            *([trimming()] if device.device == "cpu" else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    place_trackers(trainer, out)
    return trainer


def _encoding(settings: TrainSettings, model: Path) -> Encoding:
    return Encoding(
        tokenizer=model,
        layout=settings.layout,
        dialect=settings.dialect,
        rows=settings.rows,
        longest=settings.max_length,
        shorten=settings.shorten,
    )


def _encoded(data: Path, split: str, settings: TrainSettings, model: Path) -> EncodedRows:
    import pyarrow as pa

    limit = settings.eval_rows if split == "valid" else None
    try:
        encoded = encode_split(data, split, _encoding(settings, model), limit=limit)
    except DataError as e:  # which does not always know the file
        if str(data) in str(e):
            raise
        raise DataError(f"{data}: {split} rows: {e}") from None
    except pa.ArrowException as e:
        raise DataError(f"{data}: {split} rows: not a readable parquet file: {e}") from None
    if split == "train" and not (encoded.rows or encoded.too_long):
        raise DataError(f"{data}: there are no rows to train on")
    if split == "train" and not encoded.rows:
        raise DataError(f"{data}: no row of at most {settings.max_length} tokens to train on")
    return encoded


def _need_all(settings: TrainSettings) -> None:
    """An error for packages or devices that the settings need and that are not here."""
    try:
        import datasets  # noqa: F401
        import peft  # noqa: F401
        import torch
        import trl  # noqa: F401
    except ImportError:
        raise MissingExtra("train", "training") from None
    methods.check_needs(settings, gpu=torch.cuda.is_available(), processes=processes.count())
