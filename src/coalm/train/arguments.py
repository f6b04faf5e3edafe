"""The settings in the words of TRL's trainer."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coalm.devices import Device
from coalm.train.methods import sharding
from coalm.train.settings import TrainSettings

LIGER = {
    "rope": True,
    "rms_norm": True,
    "swiglu": True,
    # Deviation D124: the loss is computed from the learned positions alone, and not by Liger.
    "cross_entropy": False,
    "fused_linear_cross_entropy": False,
}
"""The kernels of `liger: true`."""


def arguments(
    settings: TrainSettings, device: Device, out: Path, *, processes: int, wraps: Iterable[str]
) -> Any:
    """The `trl.SFTConfig` of a run; what is not set here is TRL's default."""
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulated(processes),
        num_train_epochs=settings.epochs,
        max_steps=settings.steps or -1,
        optim=settings.optimizer,
        learning_rate=settings.lr,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        neftune_noise_alpha=settings.neftune,
        bf16=device.bf16,
        use_cpu=device.device == "cpu",
        use_liger_kernel=settings.liger,
        liger_kernel_config=LIGER if settings.liger else None,
        seed=settings.seed,
        data_seed=settings.seed,
        logging_steps=settings.log_every,
        logging_first_step=True,
        eval_strategy="steps" if settings.eval_every else "no",
        eval_steps=settings.eval_every or None,
        **_best(settings),
        save_steps=settings.save_every,
        save_total_limit=2,
        include_num_input_tokens_seen="non_padding",
        # Packed rows are of one length already.
        train_sampling_strategy="random" if settings.packed else "group_by_length",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=device.device != "cpu",
        report_to=list(settings.report_to) or "none",
        run_name=f"{out.parent.name}/{out.name}",
        project="coalm",
        disable_tqdm=True,
        **_checkpointing(settings),
        **sharding(settings, wraps),
    )


def _best(settings: TrainSettings) -> dict[str, Any]:
    if settings.keep == "last" and settings.patience is None:
        return {}
    return {
        "metric_for_best_model": settings.best_by,
        "greater_is_better": settings.best_by != "loss",
        "restore_callback_states_from_checkpoint": True,  # else patience would begin anew
    }


def _checkpointing(settings: TrainSettings) -> dict[str, Any]:
    # FSDP recomputes by itself; asked of both, the trainer would gather each layer twice.
    on = settings.checkpointing and settings.fsdp is None
    return {
        "activation_checkpointing": on,
        "activation_checkpointing_kwargs": {"use_reentrant": False} if on else None,
    }
