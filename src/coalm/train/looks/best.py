"""Which of a run's models is kept: the last, or the best at a look at the validation rows.

The trainer of transformers remembers the best look and stops without a better one; here is what
it leaves to be done.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm.errors import TrainingError
from coalm.train.looks.scored import METRICS
from coalm.train.many import processes
from coalm.train.saved import dress, gathered, write
from coalm.train.settings import TrainSettings

LAST = "last"
"""Where the last step's model is, if it is not the one that was kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The step whose model was kept, and how good it was."""

    step: int
    steps: int
    """Steps that were taken, all in all."""
    stopped: bool
    """Whether it stopped early, because nothing better came."""
    figures: Mapping[str, float]
    """What the look after that step found, by `eval_loss` and so on; empty if there was none."""
    by: str = ""
    """The metric that it was the best by; empty where the last is kept in any event."""

    def describe(self) -> str:
        """How many steps were taken and which model was kept, in a line."""
        told = f"stopped early after {self.steps} steps" if self.stopped else f"{self.steps} steps"
        if not self.by:
            return told
        value = self.figures[f"eval_{self.by}"]
        return f"{told}; kept that of step {self.step}, the best by {self.by}: {value:.3f}"

    def record(self) -> dict[str, Any]:
        """The entries of `run.json`."""
        best = {"by": self.by, "value": self.figures[f"eval_{self.by}"]} if self.by else None
        return {
            "steps": self.steps,
            "stopped_early": self.stopped,
            "kept_step": self.step,
            "best": best,
            "validation_loss": self.figures.get("eval_loss"),
            "answers": told(self.figures),
        }


def told(figures: Mapping[str, float]) -> dict[str, float]:
    """The metrics of the answers among the figures of a look, without `eval_`."""
    names = (*METRICS, "unreadable")
    return {n: round(figures[f"eval_{n}"], 6) for n in names if f"eval_{n}" in figures}


def looks(history: Sequence[Mapping[str, float]]) -> dict[int, dict[str, float]]:
    """By step, what was found by looking at the validation rows; `history` is the trainer's."""
    return {
        int(row["step"]): {name: v for name, v in row.items() if name.startswith("eval_")}
        for row in history
        if "eval_loss" in row
    }


def patience(settings: TrainSettings) -> list[Any]:
    """The callback that ends a run when nothing better comes, if the settings want one."""
    from transformers import EarlyStoppingCallback

    return [EarlyStoppingCallback(settings.patience)] if settings.patience else []


def is_over(trainer: Any) -> bool:
    """Whether a run has taken its last step, early or not."""
    from transformers import EarlyStoppingCallback

    in_vain = any(
        callback.early_stopping_patience_counter >= callback.early_stopping_patience
        for callback in trainer.callback_handler.callbacks
        if isinstance(callback, EarlyStoppingCallback)
    )
    return in_vain or bool(trainer.state.global_step >= trainer.state.max_steps)


def keep(trainer: Any, settings: TrainSettings, base: Path, out: Path) -> Kept:
    """Put the model that is to be kept into the trainer; if it is not the last, that into `last/`.

    A `TrainingError` where the best checkpoint is gone.
    """
    state = trainer.state
    if processes.is_first():
        shutil.rmtree(out / LAST, ignore_errors=True)
    found = looks(state.log_history)
    last = state.global_step
    stopped = last < state.max_steps
    if settings.keep == "last":
        return Kept(last, last, stopped, found.get(last, {}))
    best = state.best_global_step
    if best != last:
        checkpoint = checkpoint_of(trainer, best)
        _save_last(trainer, settings, base, out)
        state.best_model_checkpoint = str(checkpoint)
        trainer._load_best_model()
    return Kept(best, last, stopped, found[best], settings.best_by)


def checkpoint_of(trainer: Any, step: int) -> Path:
    """The folder of a step's checkpoint; a `TrainingError` if it is gone."""
    folder = Path(trainer.args.output_dir) / f"checkpoint-{step}"
    if not (folder / "trainer_state.json").exists():
        raise TrainingError(
            f"{folder}, the best checkpoint, is gone; set keep=last, or remove "
            f"{folder.parent} to train anew"
        )
    return folder


def _save_last(trainer: Any, settings: TrainSettings, base: Path, out: Path) -> None:
    """The last step's adapter, or its whole model where every weight is trained."""
    weights = gathered(trainer)  # every process takes part, the first writes
    if not processes.is_first():
        return
    draft = out / f".{LAST}.part"
    shutil.rmtree(draft, ignore_errors=True)
    write(trainer, weights, draft)
    dress(draft, base, settings)
    draft.replace(out / LAST)
