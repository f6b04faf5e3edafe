"""What a run tells while it trains: metrics.jsonl for machines, a callback for people."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import store
from coalm.train.looks.scored import METRICS
from coalm.train.many import processes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    step: int
    steps: int
    loss: float | None
    """Of the last logged steps, nats a learned token."""
    tokens_per_second: float | None
    """Tokens trained on a second, padding left out, since this process began."""
    seconds_left: float | None


_TOKENS = "num_input_tokens_seen"
_END = "total_flos"
"""In the line that the trainer writes after the last step; the last look follows it."""
_OF_THIS_PROCESS = "train_loss"
"""The mean loss of the steps that this process took: of no use where it went on from others'."""

Watch = Callable[[Progress], None]


Note = Callable[[str], None]


def figures(found: Mapping[str, float], over: str = "") -> str:
    """What a look at the validation rows found, for a person to read."""
    told = [f"validation loss {found['eval_loss']:.3f}{over}"]
    names = [name for name in (*METRICS, "unreadable") if f"eval_{name}" in found]
    return ", ".join(told + [f"{name} {found[f'eval_{name}']:.1%}" for name in names])


def place_trackers(trainer: Any, out: Path) -> None:
    """Keep TensorBoard's files in the run folder: among the checkpoints they would be deleted."""
    for callback in trainer.callback_handler.callbacks:
        if type(callback).__name__ == "TensorBoardCallback" and callback.logging_dir is None:
            callback.logging_dir = str(out / "tensorboard")


def metrics_callback(path: Path, watch: Watch, note: Note) -> Any:
    """A `TrainerCallback` that appends to `path` at each log and calls `watch` at each step.

    It tells `note` of each look at the validation rows.
    """
    from transformers import TrainerCallback

    class Metrics(TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
        def __init__(self) -> None:
            self.training = False
            self.began = 0.0
            self.first_step = 0
            self.first_tokens: float | None = None
            self.loss: float | None = None
            self.rate: float | None = None
            self.rate_began = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.training = True
            self.began, self.first_step = time.monotonic(), state.global_step
            if processes.is_first():
                _forget_after(path, state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # The loss since the last line is in no checkpoint.
            control.should_log |= control.should_save or control.should_evaluate
            done = state.global_step - self.first_step
            spent = time.monotonic() - self.began
            left = spent / done * (state.max_steps - state.global_step)
            watch(Progress(state.global_step, state.max_steps, self.loss, self.rate, left))

        def on_log(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            row: dict[str, Any] = {"step": state.global_step, **_plain(given["logs"])}
            if "loss" in row and _TOKENS in row:
                self.loss = row["loss"]
                if self.first_tokens is not None:
                    spent = time.monotonic() - self.rate_began
                    self.rate = (row[_TOKENS] - self.first_tokens) / max(spent, 1e-9)
                    row["tokens_per_second"] = round(self.rate, 1)
                else:
                    self.first_tokens, self.rate_began = row[_TOKENS], time.monotonic()
            if processes.is_first():
                store.append(path, [row])

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.training = False

        def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if self.training:  # who looks afterwards tells it
                note(f"step {state.global_step}: {figures(given['metrics'])}")

    return Metrics()


def _forget_after(path: Path, step: int) -> None:
    """Drop the lines that a resumed run is about to write again: later steps', and the end's."""
    rows = store.read_log(path)
    ended = next((i for i, row in enumerate(rows) if _END in row), len(rows))
    kept = [row for row in rows[:ended] if row["step"] <= step]
    if len(kept) < len(rows):
        store.write_text(path, "".join(store.compact(row) + "\n" for row in kept))


def _plain(logs: dict[str, float]) -> dict[str, float]:
    kept = {name: value for name, value in logs.items() if name != _OF_THIS_PROCESS}
    return {name: round(float(value), 6) for name, value in kept.items()}
