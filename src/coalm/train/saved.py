"""What a run leaves to be used: the merged model, with the format that it was trained in."""

import shutil
from pathlib import Path
from typing import Any

from coalm import models, store
from coalm.train.many import processes
from coalm.train.settings import TrainSettings


def save(trainer: Any, base: Path, settings: TrainSettings, out: Path) -> None:
    """The merged model, the base's tokenizer files and what format it was trained in."""
    weights = gathered(trainer)
    if not processes.is_first():
        return
    draft = out / ".model.part"
    shutil.rmtree(draft, ignore_errors=True)
    if settings.adapted:
        _merged(trainer, weights, base, settings, out).save_pretrained(draft)
    else:
        write(trainer, weights, draft)
    dress(draft, base, settings)
    shutil.rmtree(out / "model", ignore_errors=True)
    draft.replace(out / "model")


def dress(folder: Path, base: Path, settings: TrainSettings) -> None:
    """Put what weights are used with beside them: the tokenizer's files, the format."""
    for file in base.iterdir():
        if file.name.startswith("tokenizer") or file.suffix == ".jinja":
            shutil.copyfile(file, folder / file.name)
    form = {"layout": settings.layout, "dialect": settings.dialect, "rows": settings.rows}
    store.write_json(folder / "coalm-format.json", form)


def gathered(trainer: Any) -> dict[str, Any] | None:
    """What was trained, put together in the first process; None where each has the whole of it.

    Every process must take part.
    """
    if not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        return None
    adapted = hasattr(trainer.model, "peft_config")
    if adapted and trainer.accelerator.is_fsdp2:  # the rest of the weights may be too many
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

        wanted = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
        return dict(get_model_state_dict(trainer.model, options=wanted))
    return dict(trainer.accelerator.get_state_dict(trainer.model_wrapped))


def write(trainer: Any, weights: dict[str, Any] | None, folder: Path) -> None:
    """Write what was trained, the adapter or the whole model, from what `gathered` gave."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if weights is None:
        model.save_pretrained(folder)
    else:
        tied = getattr(model, "all_tied_weights_keys", None) or {}  # the same tensor no longer
        kept = {name: value for name, value in weights.items() if name not in tied}
        model.save_pretrained(folder, state_dict=kept)


def _merged(
    trainer: Any, weights: dict[str, Any] | None, base: Path, settings: TrainSettings, out: Path
) -> Any:
    adapter = out / "adapter"
    shutil.rmtree(adapter, ignore_errors=True)
    write(trainer, weights, adapter)
    if settings.method == "qlora":
        return merged_anew(base, adapter)
    if weights is not None:
        frozen = next(p for p in trainer.model.parameters() if not p.requires_grad)
        return merged_anew(base, adapter, frozen.dtype)
    return trainer.model.merge_and_unload()


def merged_anew(base: Path, adapter: Path, dtype: Any = None) -> Any:
    """A saved adapter, merged into the base as it is on disk; `dtype` is bfloat16 if not given.

    Four-bit weights would be rounded once more if it were merged into them, and weights that
    are shared out over processes are in no process whole.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    whole = models.load(AutoModelForCausalLM, base, dtype or torch.bfloat16)
    return PeftModel.from_pretrained(whole, adapter).merge_and_unload()
