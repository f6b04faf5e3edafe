"""What a run leaves to be used: the merged model, with the format that it was trained in."""

import shutil
from pathlib import Path
from typing import Any

from coalm import models, store
from coalm.train.settings import TrainSettings


def save(trainer: Any, base: Path, settings: TrainSettings, out: Path) -> None:
    """The merged model, the base's tokenizer files and what format it was trained in."""
    merged = _merged(trainer, base, settings, out)
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


def _merged(trainer: Any, base: Path, settings: TrainSettings, out: Path) -> Any:
    if not settings.adapted:
        return trainer.model
    adapter = out / "adapter"
    shutil.rmtree(adapter, ignore_errors=True)
    trainer.model.save_pretrained(adapter)
    if settings.method == "qlora":
        return merged_anew(base, adapter)
    return trainer.model.merge_and_unload()


def merged_anew(base: Path, adapter: Path) -> Any:
    """A saved adapter, merged into the base as it is on disk, in bfloat16.

    Four-bit weights would be rounded once more if it were merged into them.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    whole = models.load(AutoModelForCausalLM, base, torch.bfloat16)
    return PeftModel.from_pretrained(whole, adapter).merge_and_unload()
